"""Reads an edition and what it inherits, and says everything that cannot be read."""

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from infra.estate.documents import CapacityDoc, EditionDoc, PartDoc, ServicesDoc, StageDoc, WaiversDoc
from infra.estate.fields import Document
from infra.estate.files import Files
from infra.estate.inheritance import DROP, IDENTITIES, Draft, Layered, Source, whole
from infra.estate.layers import HEAD_FILE, LayerDoc, read_layers
from infra.estate.mistakes import Mistake, known
from infra.estate.people import PeopleDoc
from infra.estate.written import Entry, Written

CAPACITY_FILE = "capacity.yaml"
DOCUMENTS: Mapping[str, type[Document]] = {
    HEAD_FILE: EditionDoc,
    CAPACITY_FILE: CapacityDoc,
    "services.yaml": ServicesDoc,
    "waivers.yaml": WaiversDoc,
    "people.yaml": PeopleDoc,
}
"""What a file says, by its name; any other file is a part of the estate."""
LISTS = (PartDoc, ServicesDoc, WaiversDoc, PeopleDoc)
"""Documents that are lists of entries."""
STAGES_FILE = "stages.csv"
_DROPPED = TypeAdapter(dict[str, list[str]])


def read_edition(root: Path, edition: str) -> tuple[Written, tuple[Mistake, ...]]:
    """Read `root`/`edition` and what it inherits. Entries that cannot be read are left out and told as mistakes."""
    files = Files(root, edition)
    reader = _Reader(files)
    layers = read_layers(files, edition)
    if not layers.complete:
        reader.lose("heads", "capacities", *reader.models)
    lists = [name for name in layers.parts if Path(name).name != CAPACITY_FILE]
    if layers.complete and len(lists) == len(layers.parts):
        reason = f"no {CAPACITY_FILE} is in the list: nothing says how machines and limits follow the stage"
        files.add(f"{edition}/{HEAD_FILE}", "parts", reason, f"add common/{CAPACITY_FILE}, or one of this year's own")
    entries = reader.lists(lists)
    capacity = [files.yaml(name) for name in layers.parts if name not in lists]
    written = Written(
        edition=int(edition),
        heads=reader.whole("heads", EditionDoc, layers.heads, tuple(LayerDoc.model_fields)),
        stages=reader.stages(edition),
        capacities=reader.whole("capacities", CapacityDoc, [source for source in capacity if source]),
        courses=root / "courses",
        incomplete=frozenset(reader.incomplete),
        **entries,
    )
    return written, tuple(files.mistakes)


def read_stages(root: Path, edition: str) -> tuple[tuple[Entry[StageDoc], ...], tuple[Mistake, ...]]:
    """The stages of an edition alone."""
    files = Files(root, edition)
    return _Reader(files).stages(edition), tuple(files.mistakes)


def kinds_of(model: type[Document]) -> dict[str, type[Document]]:
    """The lists that a document has: name → what an entry is."""
    return {name: get_args(field.annotation)[0] for name, field in model.model_fields.items()}


def document_of(name: str) -> type[Document]:
    """What the file `2017/truck.yaml` is by its name."""
    return DOCUMENTS.get(Path(name).name, PartDoc)


class _Reader:
    """Makes entries of what files say, and remembers which lists lost one."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.models = dict(chain.from_iterable(kinds_of(model).items() for model in LISTS))
        self.incomplete: set[str] = set()
        self.lost: set[str] = set()
        """Lists of which a whole file could not be read: what their entries lack may stand there."""

    def lose(self, *kinds: str) -> None:
        """Remember that a file with these lists could not be read."""
        self.incomplete |= set(kinds)
        self.lost |= set(kinds)

    def lists(self, names: Iterable[str]) -> dict[str, tuple[Entry, ...]]:
        """All entries by kind, of files that are lists of entries."""
        layered = {kind: Layered(kind) for kind in self.models}
        for name in names:
            kinds = kinds_of(document_of(name))
            source = self.files.yaml(name)
            if source is None or not self._has_shape(source, name, kinds):
                self.lose(*kinds)
                continue
            for kind in kinds:
                self.files.mistakes += layered[kind].lay(source)
        return {kind: tuple(self._entries(kind, model, layered[kind].drafts)) for kind, model in self.models.items()}

    def whole(
        self, kind: str, model: type[Document], sources: Iterable[Source], leave_out: tuple[str, ...] = ()
    ) -> tuple[Entry, ...]:
        """What files say that are one thing each; none where they do not say it."""
        draft = whole(sources, leave_out)
        found = tuple(self._entries(kind, model, [draft])) if draft else ()
        if not found:
            self.incomplete.add(kind)
        return found

    def stages(self, edition: str) -> tuple[Entry[StageDoc], ...]:
        """The lines of stages.csv; the number of a line is where an editor shows it."""
        columns = list(StageDoc.model_fields)
        table = self.files.table(f"{edition}/{STAGES_FILE}", columns)
        if table is None:
            self.incomplete.add("stages")
            return ()
        drafts = []
        for place, values in table:
            if len(values) == len(columns):
                fields = dict(zip(columns, values, strict=True))
                drafts.append(Draft(fields, dict.fromkeys(fields, place), place, place))
                continue
            reason = f"has {len(values)} values for {len(columns)} columns"
            remedy = "give every column one value; put a value with a comma into double quotes"
            self.files.mistakes.append(Mistake(place.file, place.path, reason, remedy))
            self.incomplete.add("stages")
        return tuple(self._entries("stages", StageDoc, drafts))

    def _has_shape(self, source: Source, name: str, kinds: Iterable[str]) -> bool:
        """Whether a file is lists of entries, and of what to drop; what is none is told."""
        right = True
        for field, value in source.data.items():
            if field == DROP:
                right &= self._drops(source, name, kinds)
            elif field not in kinds:
                self.files.add(name, field, "is not a known field", "take it out, or look for a slip of the pen")
            elif not isinstance(value, list):
                self.files.add(name, field, "is not a list of entries", "write `- {field: value}` lines")
                right = False
            else:
                strangers = [index for index, item in enumerate(value) if not isinstance(item, dict)]
                for index in strangers:
                    self.files.add(name, f"{field}[{index}]", "is not a mapping", "write `field: value` pairs")
                if strangers:
                    self.lose(field)
        return right

    def _drops(self, source: Source, name: str, kinds: Iterable[str]) -> bool:
        try:
            dropped = _DROPPED.validate_python(source.data[DROP])
        except ValidationError as error:
            self.files.tell(error.errors(), {}, source.place(DROP, DROP))
            return False
        unknown = [kind for kind in dropped if kind not in kinds]
        for kind in unknown:
            self.files.add(name, f"{DROP}.{kind}", "is not a list of this file", f"use one of {known(kinds)}")
        return not unknown

    def _entries(self, kind: str, model: type[Document], drafts: Iterable[Draft]) -> Iterable[Entry]:
        for draft in drafts:
            doc = self._validated(kind, model, draft)
            if doc:
                yield Entry(draft.first.file, draft.first.path, doc, draft.given)

    def _validated(self, kind: str, model: type[Document], draft: Draft) -> Document | None:
        try:
            return model.model_validate(draft.fields)
        except ValidationError as error:
            errors = error.errors()
        absent = [each for each in errors if each["type"] == "missing" and len(each["loc"]) == 1]
        if kind not in self.lost:
            self._tell_absent(kind, draft, [str(each["loc"][0]) for each in absent])
        self.files.tell([each for each in errors if each not in absent], draft.given, draft.last)
        if any(each["type"] != "extra_forbidden" for each in errors):
            self.incomplete.add(kind)
            return None
        return model.model_validate(_without(draft.fields, [each["loc"] for each in errors]))

    def _tell_absent(self, kind: str, draft: Draft, absent: list[str]) -> None:
        """What an entry lacks; much of it means that it was to change an earlier one, and missed its name."""
        where, path = draft.last, draft.last.path
        if len(absent) > 1 and kind in IDENTITIES:
            reason = f"changes nothing that stands in an earlier file, and by itself lacks {', '.join(absent)}"
            remedy = f"write them, or correct its {' and '.join(IDENTITIES[kind])}"
            self.files.mistakes.append(Mistake(where.file, path, reason, remedy))
            return
        for name in absent:
            self.files.mistakes.append(Mistake(where.file, f"{path}.{name}".strip("."), "is missing", "write it"))


def _without(value: Any, ways: Iterable[tuple[int | str, ...]]) -> Any:
    """A copy of a value less what lies at the end of the ways."""
    ends = {way[0] for way in ways if len(way) == 1}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    kept = {key: _without(item, [way[1:] for way in ways if way[0] == key]) for key, item in items if key not in ends}
    return kept if isinstance(value, dict) else list(kept.values()) if isinstance(value, list) else value
