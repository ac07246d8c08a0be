"""Reads the files of stacks/<edition>/ and says everything that cannot be read."""

import csv
from collections.abc import Hashable, Iterable
from itertools import chain
from pathlib import Path

import yaml
from pydantic import ValidationError

from infra.estate.documents import CapacityDoc, Document, EditionDoc, PartDoc, ServicesDoc, StageDoc, WaiversDoc
from infra.estate.mistakes import Mistake
from infra.estate.people import PeopleDoc
from infra.estate.written import Entry, Written

_FILES: dict[str, type[Document]] = {
    "edition.yaml": EditionDoc,
    "truck.yaml": PartDoc,
    "cloud.yaml": PartDoc,
    "network.yaml": PartDoc,
    "endpoints.yaml": PartDoc,
    "services.yaml": ServicesDoc,
    "waivers.yaml": WaiversDoc,
    "people.yaml": PeopleDoc,
}
_SHARED = "common"
_CAPACITY = "capacity.yaml"
_STAGES = "stages.csv"
_HEAD = "heads"
_CAPACITIES = "capacities"


class _Loader(yaml.CSafeLoader):
    """Refuses a key that is written twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} is written twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_edition(root: Path, edition: str) -> tuple[Written, tuple[Mistake, ...]]:
    """Read `root`/`edition`. Entries that cannot be read are left out and told as mistakes."""
    reader = _Reader(root / edition, f"stacks/{edition}")
    documents = [(name, reader.yaml(name, model)) for name, model in _FILES.items()]
    entries = {
        kind: tuple(_entries(documents, reader.folder_name, kind))
        for kind in chain.from_iterable(model.model_fields for model in (PartDoc, ServicesDoc, WaiversDoc, PeopleDoc))
    }
    shared = _Reader(root / _SHARED, f"stacks/{_SHARED}")
    capacity = shared.yaml(_CAPACITY, CapacityDoc)
    head = next((doc for _, doc in documents if isinstance(doc, EditionDoc)), None)
    written = Written(
        edition=int(edition),
        heads=(Entry(f"{reader.folder_name}/edition.yaml", "", head),) if head else (),
        stages=reader.stages(),
        capacities=(Entry(f"{shared.folder_name}/{_CAPACITY}", "", capacity),)
        if isinstance(capacity, CapacityDoc)
        else (),
        courses=root / "courses",
        incomplete=frozenset(reader.incomplete) | ({_CAPACITIES} if shared.incomplete else set()),
        **entries,
    )
    return written, (*reader.mistakes, *shared.mistakes)


def read_stages(root: Path, edition: str) -> tuple[tuple[Entry[StageDoc], ...], tuple[Mistake, ...]]:
    """The stages of an edition alone."""
    reader = _Reader(root / edition, f"stacks/{edition}")
    return reader.stages(), tuple(reader.mistakes)


def _entries(documents: Iterable[tuple[str, Document | None]], folder: str, kind: str) -> Iterable[Entry]:
    for name, document in documents:
        for index, item in enumerate(getattr(document, kind, ())):
            yield Entry(f"{folder}/{name}", f"{kind}[{index}]", item)


class _Reader:
    """Reads file after file and gathers the mistakes."""

    def __init__(self, folder: Path, folder_name: str) -> None:
        self.folder, self.folder_name = folder, folder_name
        self.mistakes: list[Mistake] = []
        self.incomplete: set[str] = set()

    def yaml(self, name: str, model: type[Document]) -> Document | None:
        """The document in a YAML file, without what cannot be read; None where nothing can."""
        lists = set(model.model_fields) if model is not EditionDoc else {_HEAD}
        data = self._mapping(name)
        document = data is not None and self._validated(name, model, data)
        if not document:
            self.incomplete |= lists
        return document or None

    def stages(self) -> tuple[Entry[StageDoc], ...]:
        """The lines of stages.csv; the number of a line is where an editor shows it."""
        text = self._text(_STAGES)
        if text is None:
            self.incomplete.add("stages")
            return ()
        header, *rows = [*csv.reader(text.splitlines())] or [[]]
        columns = list(StageDoc.model_fields)
        if header != columns:
            self._add(_STAGES, "line 1", f"the columns are {','.join(header)}", f"write {','.join(columns)}")
            self.incomplete.add("stages")
            return ()
        lines = [(f"line {number}", row) for number, row in enumerate(rows, start=2) if row]
        read = [(line, self._stage(line, row)) for line, row in lines]
        return tuple(Entry(f"{self.folder_name}/{_STAGES}", line, doc) for line, doc in read if doc)

    def _stage(self, line: str, values: list[str]) -> StageDoc | None:
        columns = list(StageDoc.model_fields)
        if len(values) != len(columns):
            remedy = "give every column one value; put a value with a comma into double quotes"
            self._add(_STAGES, line, f"has {len(values)} values for {len(columns)} columns", remedy)
        else:
            try:
                return StageDoc.model_validate(dict(zip(columns, values, strict=True)))
            except ValidationError as error:
                self._tell(_STAGES, error, line)
        self.incomplete.add("stages")
        return None

    def _text(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError as error:
            reason = (
                "the file is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            )
            self._add(name, "", reason, "put it back: an edition has all of its files")
        except UnicodeDecodeError as error:
            self._add(name, f"byte {error.start}", "is not UTF-8", "save the file as UTF-8")
        return None

    def _mapping(self, name: str) -> dict | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            data = yaml.load(text, _Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            field = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            self._add(name, field, f"is not YAML: {error.problem}", "mend the line, or the one above it")
            return None
        except yaml.YAMLError as error:
            self._add(name, "", f"is not YAML: {' '.join(str(error).split())}", "take out what cannot be printed")
            return None
        if not isinstance(data, dict):
            self._add(name, "", "is not a mapping of fields", "write `field: value` lines")
            return None
        return data

    def _validated(self, name: str, model: type[Document], data: dict) -> Document | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self._tell(name, error)
            rest = self._without(data, error)
        try:
            return model.model_validate(rest)
        except ValidationError:
            return None

    def _without(self, data: dict, error: ValidationError) -> dict:
        """The data less its unknown fields and less the entries that are wrong otherwise."""
        wrong: set[tuple[int | str, ...]] = set()
        for each in error.errors():
            *parents, last = each["loc"]
            if each["type"] == "extra_forbidden":
                parent = data
                for step in parents:
                    parent = parent[step]
                del parent[last]
            elif len(each["loc"]) > 1:
                wrong.add(each["loc"][:2])
        self.incomplete |= {str(kind) for kind, _ in wrong}
        return {
            key: [item for index, item in enumerate(value) if (key, index) not in wrong]
            if isinstance(value, list)
            else value
            for key, value in data.items()
        }

    def _tell(self, name: str, error: ValidationError, prefix: str = "") -> None:
        for each in error.errors():
            field = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in each["loc"])
            if each["type"] == "extra_forbidden":
                reason, remedy = "is not a known field", "take it out, or look for a slip of the pen"
            elif each["type"] == "missing":
                reason, remedy = "is missing", "write it"
            else:
                reason = f"{each['input']!r} does not fit: {each['msg'].removeprefix('Value error, ')}"
                remedy = "write a value that does"
            self._add(name, f"{prefix}{field}".strip("."), reason, remedy)

    def _add(self, name: str, field: str, reason: str, remedy: str) -> None:
        self.mistakes.append(Mistake(f"{self.folder_name}/{name}", field, reason, remedy))
