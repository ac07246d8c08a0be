"""One chain of an evidence log as it lies on the disk: read whole, and every link of it checked."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ZEROS = "0" * 64
"""What the first entry has as the hash of its predecessor."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; `infra.evidence.log` says what each field holds."""

    v: int
    seq: int
    at: str
    kind: str
    stack: str
    who: str
    facts: Mapping[str, object]
    files: Mapping[str, Mapping[str, str | int]]
    previous: str
    hash: str


@dataclass
class BrokenChain(Exception):
    """A chain is not what its operator wrote."""

    chain: Path
    sentence: str

    def __str__(self) -> str:
        return f"evidence chain {self.chain.name}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain without a broken link; `torn` is the half line at its end that a kill left."""

    folder: Path
    entries: tuple[Entry, ...]
    parts: tuple[Path, ...]
    torn: bytes

    @property
    def last(self) -> int:
        """Number of the last entry, 0 where there is none."""
        return self.entries[-1].seq if self.entries else 0

    @property
    def hash(self) -> str:
        """What the next entry has as its `previous`."""
        return self.entries[-1].hash if self.entries else ZEROS

    @property
    def open(self) -> bool:
        """Whether there are entries that no head covers."""
        return bool(self.parts) and not _is_closed(self.parts[-1]) and self.last >= int(self.parts[-1].stem)

    @property
    def open_part(self) -> Path:
        """The part that the next entry goes to, there or not."""
        if self.parts and not _is_closed(self.parts[-1]):
            return self.parts[-1]
        return self.folder / f"log/{self.last + 1:08d}.jsonl"

    def closed(self) -> Iterator[Path]:
        """What never changes any more: attached files of signed entries, then each part, its signature, its head."""
        closed = [part for part in self.parts if _is_closed(part)]
        signed = int(self.open_part.stem) - 1
        yield from sorted(self._attached(signed))
        for part in closed:
            yield from (part, part.with_suffix(".head.sig"), part.with_suffix(".head"))

    def strays(self) -> list[Path]:
        """Files that no entry names: attached by a command that was killed, or half written."""
        suffixes = (".jsonl", ".head", ".head.sig")
        known = {part.with_suffix(suffix) for part in self.parts for suffix in suffixes} | self._attached(self.last)
        return sorted(path for path in self.folder.glob("*/*") if path not in known)

    def _attached(self, until: int) -> set[Path]:
        """The files of the entries up to number `until`."""
        files = (file for entry in self.entries[:until] for file in entry.files.values())
        return {self.folder / "files" / str(file["sha256"]) for file in files}


def canonical(document: Mapping[str, object]) -> bytes:
    """The one way to write a JSON document; TypeError or ValueError for what JSON does not have."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def read_chain(folder: Path) -> Chain:
    """Raises BrokenChain with the file and line where something does not follow from what is before it."""
    parts = tuple(sorted((folder / "log").glob("*.jsonl")))
    entries: list[Entry] = []
    torn = b""
    for part in parts:
        if part.stem != f"{len(entries) + 1:08d}":
            raise BrokenChain(folder, f"log/{part.name} should begin with entry {len(entries) + 1}")
        *lines, rest = part.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            entries.append(_read_line(folder, f"log/{part.name} line {number}", line, entries))
        if rest and (part != parts[-1] or _is_closed(part)):
            raise BrokenChain(folder, f"log/{part.name} was signed and does not end with a whole line")
        torn = rest
    return Chain(folder, tuple(entries), parts, torn)


def read_chains(folder: Path) -> tuple[tuple[Chain, ...], tuple[BrokenChain, ...]]:
    """The chains of a season's folder by name, and those that are not what their operator wrote."""
    chains, broken = [], []
    for path in sorted(path for path in folder.glob("*.*") if path.is_dir()):
        try:
            chains.append(read_chain(path))
        except BrokenChain as error:
            broken.append(error)
    return tuple(chains), tuple(broken)


def _read_line(folder: Path, where: str, line: bytes, before: list[Entry]) -> Entry:
    try:
        document = json.loads(line)
        entry, is_canonical = Entry(**document), canonical(document) == line
    except (ValueError, TypeError):
        raise BrokenChain(folder, f"{where} is no entry") from None
    bare = {name: value for name, value in document.items() if name != "hash"}
    if not is_canonical or entry.hash != hashlib.sha256(canonical(bare)).hexdigest():
        raise BrokenChain(folder, f"{where} was changed: its hash does not fit")
    if entry.seq != len(before) + 1 or entry.previous != (before[-1].hash if before else ZEROS):
        raise BrokenChain(folder, f"{where} does not follow from the entry before it")
    return entry


def _is_closed(part: Path) -> bool:
    return part.with_suffix(".head").exists()
