"""What the evidence log is told of the engine's operations: what was wanted and by which tools, and what came of it."""

import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from infra.backend import Backend
from infra.checkpoint import read_deployment
from infra.engine import EngineError, Heard
from infra.estate.model import Estate
from infra.evidence.chain import canonical
from infra.evidence.seasons import Evidence
from infra.plan import read_events, read_plan
from infra.render.model import render_model
from infra.workspace import Workspace

_LIBRARIES = ("pulumi", "pulumi-docker", "ansible-core")


@dataclass(frozen=True)
class Witness:
    """Stands round each `up` and `destroy` (an `infra.engine.Watch`).

    An entry `begin` before the first resource is touched, so that an operation that is killed has left its trace; an
    entry `up` or `destroy` when it ends, whichever way; an entry `policy` with what the policy pack objected to.
    """

    workspace: Workspace
    evidence: Evidence
    estate: Callable[[str], Estate]
    """The estate of a stack as it is wanted now."""

    @contextmanager
    def __call__(self, stack: str, verb: str, heard: Heard) -> Iterator[None]:
        model = {"model.json": canonical(render_model(self.estate(stack)))} if verb == "up" else {}
        facts = {"operation": verb, "checkout": checkout(self.workspace.root), "tools": _tools()}
        begin = self.evidence.append("begin", stack, facts, model)
        outcome, error = "stopped", ""
        try:
            yield
            outcome = "done"
        except EngineError as failure:
            outcome, error = "failed", failure.sentence
            raise
        finally:
            told = {"outcome": outcome, "error": error, "changes": heard.changes.as_dict(), "begin": begin.seq}
            self._conclude(stack, verb, told)

    def _conclude(self, stack: str, verb: str, facts: dict[str, object]) -> None:
        log = self.workspace.home / f"logs/{stack}-{verb}.log"
        events = log.read_bytes() if log.exists() else b""
        files = {"events.jsonl": events, "checkpoint.json": checkpoint(self.workspace, stack)}
        self.evidence.append(verb, stack, facts, files)
        if verb == "up" and (self.workspace.root / "infra/policy/pack.py").exists():
            plan = read_plan(stack, read_events(events.decode(errors="replace")), "", {})
            findings = [asdict(finding) for finding in plan.policies]
            self.evidence.append("policy", stack, {"findings": findings, "refused": len(plan.refused)})


def checkpoint(workspace: Workspace, stack: str) -> bytes:
    """The stack's last saved state, as `pulumi stack import` reads it; its secrets are encrypted."""
    try:
        return canonical(read_deployment(Backend.of(workspace.home).objects, stack))
    except EngineError as error:
        return canonical({"unreadable": error.sentence})


@cache
def checkout(root: Path) -> dict[str, object]:
    """The commit that the command ran from, and whether files differ from it; `commit` is None outside of git."""
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain") or ""
    return {"commit": commit, "changed": len(changed.splitlines())}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _tools() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
