"""How a set-up takes its steps."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.fakes import Bench, Listener
from tools.setup.runner import Status, check_room, only_one, run
from tools.setup.step import MissingPrerequisite, SetupError


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    """A second run that builds the engines again costs ten minutes."""
    bench, report = Bench(true={"go"}), Listener()
    run([bench.step("go"), bench.step("pulumi")], tmp_path, report)
    assert bench.made == ["pulumi"]
    assert report.statuses() == {"go": Status.THERE, "pulumi": Status.MADE}


def test_a_failed_step_ends_the_run_and_the_next_run_goes_on_there(tmp_path: Path) -> None:
    """Steps after a failure would fail for its sake; steps before it must not be repeated."""
    bench, report = Bench(breaks={"docker"}), Listener()
    steps = [bench.step("go"), bench.step("docker"), bench.step("image")]
    with pytest.raises(SetupError, match="docker broke"):
        run(steps, tmp_path, report)
    assert report.statuses() == {"go": Status.MADE, "docker": Status.FAILED}
    bench.breaks.clear()
    run(steps, tmp_path, Listener())
    assert bench.made == ["go", "docker", "docker", "image"]


def test_what_a_killed_run_left_half_built_is_swept(tmp_path: Path) -> None:
    """A node's file system is a gigabyte; a few interruptions would fill the disk."""
    (tmp_path / "build/build-x/root").mkdir(parents=True)
    run([Bench().step("image")], tmp_path, Listener())
    assert not (tmp_path / "build").exists()


def test_two_set_ups_at_once_are_refused_with_who_is_at_work(tmp_path: Path) -> None:
    """Two builds into one place would each replace what the other just used."""
    bench = Bench()
    with only_one(tmp_path), pytest.raises(MissingPrerequisite, match=r"Another set-up is at work .*process \d+"):
        run([bench.step("image")], tmp_path, Listener())
    assert bench.made == []
    run([bench.step("image")], tmp_path, Listener())
    assert bench.made == ["image"]


def test_a_complete_machine_is_looked_at_while_another_set_up_works(tmp_path: Path) -> None:
    """`scripts/stage list` must not fail because another checkout builds."""
    bench, report = Bench(true={"image"}), Listener()
    with only_one(tmp_path):
        run([bench.step("image")], tmp_path, report)
    assert report.statuses() == {"image": Status.THERE}


def test_room_is_asked_for_before_anything_is_built(tmp_path: Path) -> None:
    """A full disk after eight minutes of building, with a half-written image, helps nobody."""
    bench = Bench(true={"go"})
    with pytest.raises(MissingPrerequisite, match=r"GB free, the steps ahead need 9765\.6 GB") as error:
        run([bench.step("go", disk_mb=10**9), bench.step("image", disk_mb=10**7)], tmp_path, Listener())
    assert "ETAPE_CACHE" in error.value.problems[0].remedy
    assert bench.made == []
    check_room(tmp_path, 0)


def test_what_a_user_may_not_look_at_is_refused_by_the_step_before_it(tmp_path: Path) -> None:
    """Without root the look into root's files fails first; the sentence has to be about root all the same."""
    bench, report = Bench(breaks={"root"}), Listener()

    def forbidden() -> bool:
        raise PermissionError(13, "Permission denied", "python")

    steps = [bench.step("root"), replace(bench.step("python"), done=forbidden)]
    with pytest.raises(SetupError, match="root broke"):
        run(steps, tmp_path, report)
    assert report.statuses() == {"root": Status.FAILED}
