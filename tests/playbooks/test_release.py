"""How a release arrives on a node: the command that the node runs, run here."""

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.etape.node.plugins.action.release import unpack
from ansible_collections.etape.node.plugins.plugin_utils.releases import release_name


def archive(text: str) -> bytes:
    """A release with one module."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        entry = tarfile.TarInfo("tracking/relay.py")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    return held.getvalue()


@pytest.fixture
def node(tmp_path: Path) -> Path:
    (tmp_path / "releases").mkdir()
    return tmp_path


def pull(node: Path, name: str, content: bytes, sent: bytes | None = None) -> int:
    """Exit status of the node's command; `sent` is what really arrives."""
    command = unpack(name, content, str(node / "releases"), str(node / "current"))
    return subprocess.run(["sh", "-c", command], input=content if sent is None else sent, check=False).returncode


def there(node: Path) -> set[str]:
    """Everything in the folder of releases."""
    return {path.name for path in (node / "releases").iterdir()}


def test_a_release_is_unpacked_beside_the_one_in_use(node: Path) -> None:
    """Guards: a pull that takes the code away from under running services."""
    pull(node, "old", archive("old"))
    (node / "current").symlink_to("releases/old")

    assert pull(node, "new", archive("new")) == 0
    assert there(node) == {"old", "new"}
    assert (node / "releases/new/tracking/relay.py").read_text() == "new"
    assert (node / "current").readlink() == Path("releases/old")


def test_releases_that_nobody_runs_are_removed(node: Path) -> None:
    """Guards: a disk that fills up over three weeks."""
    for name in ("first", "second", "third"):
        assert pull(node, name, archive(name)) == 0
        (node / "current").unlink(missing_ok=True)
        (node / "current").symlink_to(f"releases/{name}")

    assert there(node) == {"second", "third"}


@pytest.mark.parametrize("arrived", [archive("new")[:-20], b"", hashlib.sha256(b"x").digest()])
def test_a_broken_transfer_leaves_no_release(node: Path, arrived: bytes) -> None:
    """Guards: half a release that later runs take for a whole one, after an uplink that broke."""
    assert pull(node, "new", archive("new"), arrived) != 0
    assert "new" not in there(node)

    assert pull(node, "new", archive("new")) == 0
    assert there(node) == {"new"}


def test_a_release_that_arrived_meanwhile_is_kept(node: Path) -> None:
    """Guards: a deploy that fails because the one whose controller was killed has brought the release."""
    assert [pull(node, "new", archive("new")) for _ in range(2)] == [0, 0]
    assert there(node) == {"new"}


def test_a_release_is_called_after_its_archive() -> None:
    """Guards: a link to a folder that does not exist."""
    assert release_name("/cache/releases/0f3a.tar.gz") == "0f3a"
    with pytest.raises(AnsibleError, match="is not a .tar.gz archive"):
        release_name("/cache/releases/0f3a.zip")
