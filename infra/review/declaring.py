"""What the model and the program declare, now or in a revision: each stack in a process of its own."""

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.review.snapshot import ReviewError
from infra.workspace import Toolbox, Workspace

# Where set-up has not run, both sides are declared with the same stand-ins, so that no difference comes of them.
_NO_ENGINE = "unix:///var/run/docker.sock"
_NO_IMAGE = "sha256:" + "0" * 64
_NO_KEY = "ssh-ed25519 - operator"
_FIRST = 3


@dataclass(frozen=True)
class Question:
    """What to declare, and with what."""

    stack: str
    scale: str
    demand: str
    data: str
    """Folder of the estate's data: stacks/ of some revision."""
    home: str
    docker_host: str
    image: str
    authorized_key: str


@dataclass(frozen=True)
class Declared:
    """The answer: a stack's canonical model, and its resources in the form of a checkpoint."""

    model: dict[str, Any]
    deployment: dict[str, Any]


def declare(workspace: Workspace, stack: str, scale: str, demand: str, data: Path) -> Declared:
    """Run the program for a stack under Pulumi's mocks. Raises ReviewError."""
    question = Question(stack, scale, demand, str(data), str(workspace.home), *_lab(workspace))
    done = subprocess.run(
        [sys.executable, "-m", "infra.review.declared"],
        input=json.dumps(asdict(question)),
        capture_output=True,
        text=True,
        cwd=workspace.root,
    )
    if done.returncode == 0:
        return Declared(**json.loads(done.stdout))
    lines = done.stderr.strip().splitlines() or ["the program ended without a word"]
    told = lines[:_FIRST] if done.returncode == 2 else lines[-1:]
    more = f"\n... and {len(lines) - _FIRST} more" if done.returncode == 2 and len(lines) > _FIRST else ""
    raise ReviewError("\n".join(told) + more, f"mend what is named, or see `scripts/stage show {stack}`")


@contextmanager
def data_of(workspace: Workspace, revision: str) -> Iterator[Path]:
    """The folder stacks/ as it was in a revision of this checkout, for as long as it is open. Raises ReviewError."""
    known = _git(workspace.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if known.returncode != 0:
        raise ReviewError(
            f"this checkout has no revision {revision!r}",
            "name a commit, a branch or a tag: `git log --oneline -- stacks` lists those that changed the estate",
        )
    commit = known.stdout.decode().strip()
    archive = _git(workspace.root, "archive", "--format=tar", commit, "stacks")
    if archive.returncode != 0:
        raise ReviewError(f"the revision {revision!r} has no stacks/", "name a later one")
    with tempfile.TemporaryDirectory(prefix="etape-revision-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        yield Path(folder) / "stacks"


def author(workspace: Workspace, revision: str, edition: str) -> tuple[str, str]:
    """When and by whom the estate of an edition was changed last, as of a revision; empty where git does not know."""
    places = (f"stacks/{edition}", "stacks/common", "infra")
    done = _git(workspace.root, "log", "-1", "--format=%cI%x09%an", revision, "--", *places)
    at, _, who = done.stdout.decode(errors="replace").strip().partition("\t")
    return at, who


def has_edits(workspace: Workspace) -> bool:
    """Whether the estate or its program has edits that are in no commit."""
    return bool(_git(workspace.root, "status", "--porcelain", "--", "stacks", "infra").stdout.strip())


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True)
    except FileNotFoundError:
        return subprocess.CompletedProcess(arguments, 127, b"", b"")


def _lab(workspace: Workspace) -> tuple[str, str, str]:
    key = Path(f"{workspace.private_key}.pub")
    public = key.read_text().strip() if key.exists() else _NO_KEY
    try:
        toolbox = Toolbox.read(workspace)
    except FileNotFoundError:
        return _NO_ENGINE, _NO_IMAGE, public
    return toolbox.docker_host, toolbox.lab_image, public
