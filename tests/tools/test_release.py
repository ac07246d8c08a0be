"""The archive that nodes unpack."""

import io
import os
import tarfile
from pathlib import Path

from infra.workspace import Workspace
from tests.tools.fakes import command, shell
from tools.setup.release import compiled, contents, pack, release, release_file


def _checkout(folder: Path) -> Workspace:
    for name, text in {
        "services/tracking/kernel.py": "a = 1\n",
        "services/race_centre/static/race.js": "x",
        "services/tracking/__pycache__/kernel.pyc": "cache",
        "services/pages/web/package.json": "{}",
        "services/requirements.lock": "numpy==1",
        "cache/kernel/tracking/kernel.nbi": "machine code",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Workspace(root=folder, home=folder / "home", cache=folder / "cache")


def _packed(workspace: Workspace) -> bytes:
    return pack(workspace.root / "services", compiled(workspace))


def _members(workspace: Workspace) -> dict[str, int]:
    with tarfile.open(fileobj=io.BytesIO(_packed(workspace))) as archive:
        return {member.name: int(member.mtime) for member in archive}


def test_it_holds_what_runs_and_nothing_else(tmp_path: Path) -> None:
    """Caches make every archive differ, page sources and their packages make it huge."""
    workspace = _checkout(tmp_path)
    code = {"tracking/kernel.py", "race_centre/static/race.js"}
    assert set(_members(workspace)) == code | {"numba/tracking/kernel.nbi"}


def test_the_same_content_is_the_same_archive(tmp_path: Path) -> None:
    """Nodes compare its name; a new one for an unchanged service would restart them all."""
    workspace = _checkout(tmp_path)
    before, name = _packed(workspace), release_file(workspace)
    for path in (tmp_path / "services").rglob("*"):
        os.utime(path, (1, 1))
    assert _packed(workspace) == before
    assert release_file(workspace) == name


def test_changed_content_has_another_name_and_another_time(tmp_path: Path) -> None:
    """Python would go on with the bytecode of the old source if size and time were the same."""
    workspace = _checkout(tmp_path)
    name, times = release_file(workspace), _members(workspace)
    (tmp_path / "services/tracking/kernel.py").write_text("a = 2\n")
    assert release_file(workspace) != name
    assert _members(workspace)["tracking/kernel.py"] != times["tracking/kernel.py"]
    assert _members(workspace)["race_centre/static/race.js"] == times["race_centre/static/race.js"]


def test_machine_code_of_earlier_sources_is_not_released(tmp_path: Path) -> None:
    """Each content of the sources has a folder of its own; a release of ten would be ten times as large."""
    workspace = _checkout(tmp_path)
    (tmp_path / "requirements.lock").write_text("numpy==1\n")
    command(tmp_path / ".venv/bin", "python", "compiled")
    release(workspace)[0].make(shell(tmp_path))
    assert not list(contents(compiled(workspace)))


def test_the_step_is_done_while_the_content_stands(tmp_path: Path) -> None:
    """`stage up` packs only after an edit."""
    workspace = _checkout(tmp_path)
    _, step = release(workspace)
    step.make(shell(tmp_path))
    assert step.done()
    (tmp_path / "services/tracking/relay.py").write_text("")
    assert not step.done()


def test_old_archives_are_let_go(tmp_path: Path) -> None:
    """A day of edits would keep hundreds."""
    workspace = _checkout(tmp_path)
    for number in range(12):
        (tmp_path / "services/tracking/kernel.py").write_text(f"a = {number}\n")
        release(workspace)[-1].make(shell(tmp_path))
    assert len(list((tmp_path / "cache/releases").iterdir())) == 10
    assert release_file(workspace).exists()
    assert len(list(contents(tmp_path / "services"))) == 2
