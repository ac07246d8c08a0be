"""Steps that remember of what they were made."""

from pathlib import Path

import pytest

from tests.tools.fakes import shell
from tools.setup.shell import Shell
from tools.setup.step import Stamp, Step, fingerprint, put, scratch, stamped, write_whole


def _step(folder: Path) -> Step:
    source, output = folder / "source", folder / "output"
    stamp = Stamp(folder / "stamp.json", lambda: fingerprint(source), (output,))
    return stamped("copy", "Copy", stamp, lambda _: output.write_text(source.read_text()))


def test_a_stamped_step_is_done_until_its_input_changes(tmp_path: Path) -> None:
    """An engine of yesterday's pins would be used for ever."""
    (tmp_path / "source").write_text("one")
    step = _step(tmp_path)
    assert not step.done()
    step.make(shell(tmp_path))
    assert step.done()
    (tmp_path / "source").write_text("two")
    assert not step.done()


def test_a_stamp_without_its_output_does_not_hold(tmp_path: Path) -> None:
    """Somebody who frees space by hand gets what is missing made again."""
    (tmp_path / "source").write_text("one")
    step = _step(tmp_path)
    step.make(shell(tmp_path))
    (tmp_path / "output").unlink()
    assert not step.done()


def test_an_interrupted_step_is_not_taken_for_done(tmp_path: Path) -> None:
    """The stamp comes last, so a crash at any moment before it means: again."""
    output = tmp_path / "output"

    def dies(_: Shell) -> None:
        output.write_text("half")
        raise KeyboardInterrupt

    step = stamped("copy", "Copy", Stamp(tmp_path / "stamp.json", lambda: "same", (output,)), dies)
    with pytest.raises(KeyboardInterrupt):
        step.make(shell(tmp_path))
    assert not step.done()


def test_a_torn_stamp_means_again(tmp_path: Path) -> None:
    """A stamp cut short by a power failure is no reason for a traceback."""
    (tmp_path / "stamp.json").write_text('{"inputs": "sa')
    assert not Stamp(tmp_path / "stamp.json", lambda: "same").holds()


def test_scratch_is_gone_even_when_the_build_fails(tmp_path: Path) -> None:
    """Failed builds leave nothing behind."""

    def fail() -> None:
        with scratch(tmp_path / "build") as folder:
            (folder / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list((tmp_path / "build").iterdir()) == []


def test_a_finished_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """Files of the version before would otherwise stay among the new ones."""
    (tmp_path / "target").mkdir()
    (tmp_path / "target/old").write_text("x")
    (tmp_path / "new").mkdir()
    put(tmp_path / "new", tmp_path / "target")
    assert list((tmp_path / "target").iterdir()) == []


def test_a_file_is_written_whole_and_leaves_no_half_beside_it(tmp_path: Path) -> None:
    """The toolbox is read by commands that run meanwhile."""
    write_whole(tmp_path / "sub/toolbox.json", "{}")
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["toolbox.json"]


@pytest.mark.parametrize("change", ["content", "name", "moved border"])
def test_a_fingerprint_sees(tmp_path: Path, change: str) -> None:
    """Two inputs that differ must never share a fingerprint."""
    (tmp_path / "a").write_text("12")
    (tmp_path / "b").write_text("3")
    before = fingerprint(tmp_path)
    match change:
        case "content":
            (tmp_path / "a").write_text("21")
        case "name":
            (tmp_path / "a").rename(tmp_path / "c")
        case "moved border":
            (tmp_path / "a").write_text("1")
            (tmp_path / "b").write_text("23")
    assert fingerprint(tmp_path) != before


def test_a_fingerprint_ignores_what_python_leaves_behind(tmp_path: Path) -> None:
    """Running the tests must not rebuild the image."""
    (tmp_path / "a").write_text("1")
    before = fingerprint(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/a.pyc").write_text("x")
    assert fingerprint(tmp_path) == before
