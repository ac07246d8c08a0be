"""Which faults were brought into the lab and not mended yet, kept between two commands."""

import json
from dataclasses import asdict
from pathlib import Path

from infra.day.fault import Fault
from infra.durable import write_durably
from infra.workspace import Workspace


def injected(workspace: Workspace) -> list[Fault]:
    """In the order in which they were brought in."""
    path = _path(workspace)
    return [Fault(**each) for each in json.loads(path.read_text())] if path.exists() else []


def remember(workspace: Workspace, faults: list[Fault]) -> None:
    """Replace what is remembered."""
    write_durably(_path(workspace), json.dumps([asdict(each) for each in faults], indent=1))


def forget(workspace: Workspace) -> None:
    """The machines that the faults were brought to are gone."""
    _path(workspace).unlink(missing_ok=True)


def _path(workspace: Workspace) -> Path:
    return workspace.home / "faults.json"
