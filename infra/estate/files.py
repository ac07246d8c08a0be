"""Reads files below stacks/ and tells what cannot be read; what they mean is not its business."""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.estate.inheritance import Source
from infra.estate.mistakes import Mistake
from infra.estate.source import Place, parse

_LONGEST_SHOWN = 100
_PLACEHOLDER = re.compile(r"\{(edition|year)\}")


class Files:
    """The files of one edition and of what it inherits; `{edition}` and `{year}` in them stand for 2017 and 17."""

    def __init__(self, root: Path, edition: str) -> None:
        self.root = root
        self.mistakes: list[Mistake] = []
        self._words = {"edition": edition, "year": str(int(edition) % 1000)}

    def yaml(self, name: str) -> Source | None:
        """The file `2017/truck.yaml` as a mapping of fields; None where it is none, which is told."""
        text = self.text(name)
        if text is None:
            return None
        try:
            data, lines = parse(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            field = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            self.add(name, field, f"is not YAML: {error.problem}", "mend the line, or the one above it")
            return None
        except yaml.YAMLError as error:
            self.add(name, "", f"is not YAML: {' '.join(str(error).split())}", "take out what cannot be printed")
            return None
        if not isinstance(data, dict):
            self.add(name, "", "is not a mapping of fields", "write `field: value` lines")
            return None
        return Source(f"stacks/{name}", self._filled(data), lines)

    def table(self, name: str, columns: list[str]) -> list[tuple[Place, list[str]]] | None:
        """The lines of a CSV file below its header, each with its place; None where it has not these columns."""
        text = self.text(name)
        if text is None:
            return None
        header, *rows = [*csv.reader(text.splitlines())] or [[]]
        if header != columns:
            self.add(name, "line 1", f"the columns are {','.join(header)}", f"write {','.join(columns)}")
            return None
        numbered = enumerate(rows, start=2)
        return [(Place(f"stacks/{name}", f"line {number}", (), {(): number}), row) for number, row in numbered if row]

    def text(self, name: str) -> str | None:
        """The text of a file; None where there is none, which is told."""
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "the file is missing" if missing else f"cannot be read ({error.strerror})"
            self.add(name, "", reason, "put it back: an edition has all of its files")
        except UnicodeDecodeError as error:
            self.add(name, f"byte {error.start}", "is not UTF-8", "save the file as UTF-8")
        return None

    def add(self, name: str, field: str, reason: str, remedy: str) -> None:
        """Tell a mistake in the file `2017/truck.yaml`."""
        self.mistakes.append(Mistake(f"stacks/{name}", field, reason, remedy))

    def tell(self, errors: Iterable[Mapping[str, Any]], places: Mapping[str, Place], place: Place) -> None:
        """Tell mistakes in an entry, each in the file that gives the field; `place` is for what no file gives."""
        for each in errors:
            where = places.get(str(each["loc"][0]), place) if each["loc"] else place
            field = f"{where.path}{dotted(each['loc'])}".strip(".")
            if each["type"] == "extra_forbidden":
                reason, remedy = "is not a known field", "take it out, or look for a slip of the pen"
            elif each["type"] == "missing":
                reason, remedy = "is missing", "write it"
            else:
                reason = f"{_shown(each['input'])} does not fit: {each['msg'].removeprefix('Value error, ')}"
                remedy = "write a value that does"
            self.mistakes.append(Mistake(where.file, field, reason, remedy))

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda match: self._words[match[1]], value)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        return value


def dotted(steps: tuple[str | int, ...]) -> str:
    """`.ports[3]` for a way inside an entry."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _shown(value: object) -> str:
    """A value as it is written; a long one may be a key that somebody pasted, and is not repeated."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"a value of {len(text)} characters"
