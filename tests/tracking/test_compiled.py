"""The cache of compiled code: never stale, and shared by checkouts."""

import os
from pathlib import Path

import tracking
from tracking.compiled import KEPT, SOURCES, Cache, note_use

PACKAGE = Path(tracking.__file__).parent


def test_every_compiled_source_belongs_to_the_stamp_of_the_cache() -> None:
    """Guards: yesterday's machine code in today's race, because a file that is compiled is not watched."""
    watched = {source for pattern in SOURCES for source in PACKAGE.glob(pattern)}
    using = {source for source in PACKAGE.rglob("*.py") if "\n@compiled\n" in source.read_text()}
    assert using
    assert using <= watched


def test_every_module_that_compiled_code_takes_constants_from_belongs_to_the_stamp() -> None:
    """Guards: a constant that changed, and machine code that still holds the old one."""
    watched = {source for pattern in SOURCES for source in PACKAGE.glob(pattern)}
    for source in watched:
        lines = source.read_text().splitlines()
        if "@compiled" not in lines:
            continue
        modules = {line.split()[1] for line in lines if line.startswith("from tracking.")}
        files = {PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py") for module in modules}
        assert files - watched <= {PACKAGE / "compiled.py", PACKAGE / "course.py"}, source


def test_the_cache_does_not_depend_on_where_the_sources_lie(tmp_path: Path) -> None:
    """Guards: machine code made at set-up that no node finds, because its sources lie elsewhere there."""

    def function() -> None: ...

    here, there = (Cache(function, str(tmp_path / place / "kernel.py")) for place in ("a", "b"))
    assert here.get_cache_path() == there.get_cache_path()
    assert here.get_source_stamp() == there.get_source_stamp()


class _OtherSources(Cache):
    """The cache of a checkout where a compiled source is another."""

    def get_source_stamp(self) -> bytes:
        return bytes(32)


def test_other_sources_have_a_folder_of_their_own(tmp_path: Path) -> None:
    """Guards: two checkouts that overwrite each other's code in one cache, so that each start compiles."""

    def function() -> None: ...

    ours, theirs = (kind(function, str(tmp_path / "kernel.py")) for kind in (Cache, _OtherSources))
    assert ours.get_cache_path() != theirs.get_cache_path()


def test_the_code_of_sources_that_nobody_uses_any_more_is_let_go(tmp_path: Path) -> None:
    """Guards: a day of edits that fills the disk, or that drops the code of the checkout beside it."""
    folders = [tmp_path / f"{number}" for number in range(KEPT + 2)]
    for age, folder in enumerate(reversed(folders)):
        folder.mkdir()
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    note_use(folders[0])
    assert set(tmp_path.iterdir()) == {folders[0], *folders[3:]}
