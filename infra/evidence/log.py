"""A season's evidence log: append-only, hash-chained, signed. This docstring is the format's definition, version 1.

    FOLDER/                        one season, in ETAPE_HOME/evidence/<edition>
      <chain>/                     one operator's chain: <key>.<time of its first entry, YYYYMMDDTHHMMSSZ>
        log/00000001.jsonl         a part: the entries from that number on, one a line
        log/00000001.head          where the chain stood when the part was closed
        log/00000001.head.sig      OpenSSH signature of that head, namespace `etape-evidence`
        log/00000008.jsonl         the next part; the last one may be open: it has no head yet
        files/<sha256>             attached files, named by their content

<key> is the SHA-256 fingerprint of the operator's SSH key without `SHA256:`, with `-` for `+` and `_` for `/`.
Each operator writes a chain alone, so that chains of several machines lie side by side in one bucket. A part that
has a head never changes any more: it can be copied to where nothing is ever overwritten.

Lines and heads are canonical JSON in UTF-8: keys sorted, no blanks, nothing escaped that need not be; a line ends
with one line feed, a head with none.

    entry   {v: 1, seq, at, kind, stack, who, facts, files: {name: {sha256, size}}, previous, hash}
    head    {v: 1, chain, seq, hash, at}

`seq` counts from 1 without a gap; `at` is UTC as YYYY-MM-DDTHH:MM:SS.mmmZ; `who` is the key's fingerprint;
`previous` is the hash of the entry before, 64 zeros for the first; `hash` is the SHA-256 of the canonical JSON of
the entry without `hash`. A head has the `seq` and `hash` of its part's last entry. `facts.witnessed`, where it is,
maps names of chains to `{seq, hash}` of entries that they held then.

`scripts/verify-evidence` proves all of this without any other file of this project.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from infra.durable import write_durably
from infra.evidence.chain import BrokenChain, Chain, Entry, canonical, read_chain, read_chains
from infra.trouble import Trouble

VERSION = 1
"""Of the format above."""


class EvidenceError(Trouble):
    """Evidence cannot be written, so what it would be about must not go on."""


class Signer(Protocol):
    """The operator's key."""

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as `ssh-keygen -l` prints it."""

    def sign(self, content: bytes) -> bytes:
        """An armoured SSH signature in the namespace `etape-evidence`."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stood when it was signed."""

    v: int
    chain: str
    seq: int
    hash: str
    at: str


def _as_it_is(content: bytes) -> bytes:
    return content


def _now() -> datetime:
    return datetime.now(UTC)


class EvidenceLog:
    """One season's log on this machine, as its operator writes it.

    Safe against a kill at any moment and against other processes. What a kill left (half a line, a file that no
    entry names) is attached to an entry of kind `recovery`. A chain that was changed from outside is left as it
    is, and a new one begins with an entry of kind `broken` that says so.
    """

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        mask: Callable[[bytes], bytes] = _as_it_is,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """`mask` takes secrets out of facts and files before they are written."""
        self.folder = folder
        self._signer = signer
        self._mask = mask
        self._clock = clock
        self._recovered = False
        self.troubles: list[str] = []
        """What a person has to be told about this log, a sentence each."""

    def append(
        self, kind: str, stack: str, facts: Mapping[str, object], files: Mapping[str, bytes] | None = None
    ) -> Entry:
        """Write an entry and its files; both are on the disk when this returns. EvidenceError where they cannot be."""
        with self._locked():
            return self._append(self._chain(), kind, stack, facts, files or {})

    def seal(self) -> Head | None:
        """Sign what was appended since the last head; None where everything is signed.

        What the signer raises goes through; the entries stay, and the next call signs them.
        """
        if not self._folders():
            return None
        with self._locked():
            chain = self._chain()
            return self._seal(chain) if chain.open else None

    def entries(self) -> tuple[Entry, ...]:
        """All entries of this folder's unbroken chains, by time."""
        found = [entry for chain in self.read()[0] for entry in chain.entries]
        return tuple(sorted(found, key=lambda entry: (entry.at, entry.seq)))

    def closed(self) -> tuple[Path, ...]:
        """The files of unbroken chains that never change any more, attached ones first, relative to the folder."""
        return tuple(path.relative_to(self.folder) for chain in self.read()[0] for path in chain.closed())

    def read(self) -> tuple[tuple[Chain, ...], tuple[BrokenChain, ...]]:
        """The chains of this folder, and those that are no longer what their operator wrote."""
        return read_chains(self.folder)

    def _seal(self, chain: Chain) -> Head:
        head = Head(VERSION, chain.folder.name, chain.last, chain.hash, _stamp(self._clock()))
        content, path = canonical(asdict(head)), chain.open_part.with_suffix(".head")
        # The head is written last: where it is, its signature is whole.
        write_durably(path.with_suffix(".head.sig"), self._signer.sign(content))
        write_durably(path, content)
        return head

    def _append(
        self, chain: Chain, kind: str, stack: str, facts: Mapping[str, object], files: Mapping[str, bytes]
    ) -> Entry:
        kept = {name: self._keep(chain.folder, content) for name, content in sorted(files.items())}
        bare = {
            "v": VERSION,
            "seq": chain.last + 1,
            "at": _stamp(self._clock()),
            "kind": kind,
            "stack": stack,
            "who": self._signer.fingerprint,
            "facts": json.loads(self._mask(canonical(facts))),
            "files": kept,
            "previous": chain.hash,
        }
        entry = Entry(**bare, hash=hashlib.sha256(canonical(bare)).hexdigest())
        _append_durably(chain.open_part, canonical(asdict(entry)) + b"\n")
        return entry

    def _keep(self, chain: Path, content: bytes) -> dict[str, str | int]:
        masked = self._mask(content)
        digest = hashlib.sha256(masked).hexdigest()
        path = chain / "files" / digest
        if not path.exists():
            write_durably(path, masked)
        return {"sha256": digest, "size": len(masked)}

    def _chain(self) -> Chain:
        """The chain to write, after what a killed command left in it was set aside."""
        folders = self._folders(self._mine())
        if not folders:
            return read_chain(self._new_folder())
        try:
            chain = read_chain(folders[-1])
        except BrokenChain as broken:
            chain = read_chain(self._new_folder())
            facts = {"chain": broken.chain.name, "reason": broken.sentence}
            self._append(chain, "broken", self.folder.name, facts, {})
            self.troubles.append(f"{broken}; a new chain goes on in {chain.folder}, the broken one stays as it is")
            return read_chain(chain.folder)
        if self._recovered and not chain.torn:
            return chain
        self._recovered = True
        return self._recover(chain)

    def _recover(self, chain: Chain) -> Chain:
        left = {f"file {path.name}": path for path in chain.strays()}
        found = {name: path.read_bytes() for name, path in left.items()}
        if chain.torn:
            self._keep(chain.folder, chain.torn)
            os.truncate(chain.open_part, chain.open_part.stat().st_size - len(chain.torn))
            found["torn line"] = chain.torn
        if found:
            facts = {"reason": "a command was killed while it wrote", "found": sorted(found)}
            self._append(chain, "recovery", self.folder.name, facts, found)
            told = ", ".join(sorted(found))
            self.troubles.append(f"a command was killed while it wrote evidence: {told} is kept by an entry `recovery`")
        for path in left.values():
            if path.name != hashlib.sha256(self._mask(found[f"file {path.name}"])).hexdigest():
                path.unlink()
        return read_chain(chain.folder)

    def _mine(self) -> str:
        return self._signer.fingerprint.removeprefix("SHA256:").replace("+", "-").replace("/", "_")

    def _folders(self, key: str = "*") -> list[Path]:
        return sorted(path for path in self.folder.glob(f"{key}.*") if path.is_dir())

    def _new_folder(self) -> Path:
        at = self._clock()
        while (folder := self.folder / f"{self._mine()}.{at:%Y%m%dT%H%M%SZ}").exists():
            at += timedelta(seconds=1)
        for part in ("log", "files"):
            (folder / part).mkdir(parents=True, mode=0o700)
        return folder

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time; the lock is on the folder itself, and ends with its process."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            remedy = "make room or give yourself the right to write there, then run the same command again"
            raise EvidenceError(f"the evidence in {self.folder} cannot be written: {error}", remedy) from None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _append_durably(path: Path, line: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
