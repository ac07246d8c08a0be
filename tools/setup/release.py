"""The release: our services as one archive, named by its content, that nodes unpack and run."""

import gzip
import io
import shutil
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.shell import Shell
from tools.setup.step import Stamp, Step, fingerprint, put, scratch, stamped

NOT_RELEASED = {"__pycache__", "web", "node_modules", "stamp.json", "requirements.lock"}
"""Sources of the pages, caches, and what the node's image holds already."""
KEPT = 10
YEAR_2017 = 1_483_228_800
COMPILED = "numba"
"""Folder of the archive with the tracking's machine code, for the cache that NUMBA_CACHE_DIR names on a node."""


def release(workspace: Workspace) -> list[Step]:
    """Compile the tracking, then pack the services of this checkout."""
    tracking = workspace.root / "services/tracking"
    stamp = Stamp(
        workspace.cache / "stamps/kernel.json",
        lambda: fingerprint(tracking, workspace.root / "requirements.lock"),
        (compiled(workspace),),
    )

    def compile_(shell: Shell) -> None:
        shutil.rmtree(compiled(workspace), ignore_errors=True)  # nodes need no code of earlier sources
        python = workspace.root / ".venv/bin/python"
        shell.run(python, "-m", "tracking.kernel", "--warm", env={"NUMBA_CACHE_DIR": str(compiled(workspace))})

    def make(shell: Shell) -> None:
        archive = release_file(workspace)
        with scratch(workspace.cache / "build") as folder:
            (folder / archive.name).write_bytes(pack(workspace.root / "services", compiled(workspace)))
            put(folder / archive.name, archive)
        by_age = sorted(archive.parent.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
        for old in by_age[:-KEPT]:
            old.unlink()

    return [
        stamped("kernel", "Tracking kernel compiled", stamp, compile_, disk_mb=10, seconds=20),
        Step("release", "Release of the services", lambda: release_file(workspace).exists(), make, disk_mb=50),
    ]


def compiled(workspace: Workspace) -> Path:
    """Where the tracking's machine code for this kind of processor is."""
    return workspace.cache / "kernel"


def release_file(workspace: Workspace) -> Path:
    """Where the archive of the services as they are now is, or will be."""
    digest = sha256()
    for name, content in contents(workspace.root / "services"):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return workspace.cache / "releases" / f"{digest.hexdigest()[:16]}.tar.gz"


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every released file as path below the folder and bytes, in order."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not NOT_RELEASED.intersection(name.parts):
            yield str(name), path.read_bytes()


def pack(services: Path, machine_code: Path) -> bytes:
    """The archive: the same bytes for the same content, whoever packs it and when."""
    packed = io.BytesIO()
    members = (*contents(services), *((f"{COMPILED}/{name}", content) for name, content in contents(machine_code)))
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o644, _time(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _time(content: bytes) -> int:
    # Python and others take a file for unchanged when its time and size are: so another content is another time.
    return YEAR_2017 + int.from_bytes(sha256(content).digest()[:3], "big")
