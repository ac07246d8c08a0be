"""Which files an edition is made of: those that it inherits first, its own after them.

edition.yaml names both: `inherits` another folder of stacks/ with an edition.yaml, `parts` the files that add to it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema

from infra.estate.fields import Document
from infra.estate.files import Files
from infra.estate.inheritance import Source
from infra.estate.mistakes import known

HEAD_FILE = "edition.yaml"
Folder = Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
PartName = Annotated[str, Field(pattern=r"^([a-z0-9-]+/)?[a-z][a-z0-9-]*\.yaml$")]


def _year(name: object) -> object:
    return str(name) if isinstance(name, int) else name


class LayerDoc(Document):
    """The fields of edition.yaml that say what the edition is made of; they are not inherited."""

    inherits: Annotated[Folder, BeforeValidator(_year), WithJsonSchema({"type": ["string", "integer"]})] | None = None
    """A folder of stacks/: an earlier edition, or what several share."""
    parts: list[PartName] | None = None
    """Files of this folder, or of another as `common/hub.yaml`; a later one may replace what an earlier one says.
    Left out, all of this folder's."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The files of an edition, in the order in which they are laid over each other."""

    heads: tuple[Source, ...]
    """The edition.yaml of each folder that is inherited, the edition's own last."""
    parts: tuple[str, ...]
    """`common/network.yaml`, `2017/truck.yaml`..."""
    complete: bool
    """Whether all of them are known: an edition.yaml that cannot be read names none."""


def read_layers(files: Files, edition: str) -> Layers:
    """The layers of an edition, as far as they can be read."""
    heads: list[Source] = []
    parts: list[str] = []
    folder: str | None = edition
    seen: list[str] = []
    while folder:
        source = files.yaml(f"{folder}/{HEAD_FILE}") if _inheritable(files, folder, seen) else None
        layer = _layer(files, source) if source else None
        if source is None or layer is None:
            return Layers(tuple(heads), tuple(parts), complete=False)
        there = [f"{folder}/{name}" for name in _files_of(files.root / folder)]
        listed = there if layer.parts is None else layer.parts
        own = [name if "/" in name else f"{folder}/{name}" for name in listed]
        _tell_unlisted(files, folder, {*there} - {*own})
        heads, parts = [source, *heads], [*own, *parts]
        seen.append(folder)
        folder = layer.inherits
    return Layers(tuple(heads), tuple(dict.fromkeys(parts)), complete=True)


def _layer(files: Files, source: Source) -> LayerDoc | None:
    fields = {name: source.data[name] for name in LayerDoc.model_fields if name in source.data}
    try:
        return LayerDoc.model_validate(fields)
    except ValidationError as error:
        files.tell(error.errors(), {}, source.place(""))
        return None


def _inheritable(files: Files, folder: str, seen: list[str]) -> bool:
    """Whether a folder can be inherited by the last of those seen; the edition itself always can."""
    if not seen:
        return True
    name = f"{seen[-1]}/{HEAD_FILE}"
    if folder in seen:
        files.add(name, "inherits", f"{folder} inherits from {seen[-1]} itself", "inherit from an earlier edition")
        return False
    there = {path.parent.name for path in files.root.glob(f"*/{HEAD_FILE}")}
    if folder not in there:
        files.add(name, "inherits", f"there is no stacks/{folder}/{HEAD_FILE}", f"use one of {known(there)}")
    return folder in there


def _files_of(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.glob("*.yaml")) if path.name != HEAD_FILE]


def _tell_unlisted(files: Files, folder: str, unlisted: set[str]) -> None:
    """A file that nobody reads would be edited, and nothing would happen; shared folders offer files to choose from."""
    if folder.isdigit():
        for name in sorted(unlisted):
            reason = f"{Path(name).name} is not in the list"
            files.add(f"{folder}/{HEAD_FILE}", "parts", reason, "add it, or remove the file")


def folders(root: Path) -> tuple[str, ...]:
    """The editions that there are: folders whose names are years."""
    return tuple(sorted(path.name for path in root.glob("[0-9][0-9][0-9][0-9]") if path.is_dir()))
