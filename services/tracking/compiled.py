"""The decorator of all compiled code, with a cache on disk that cannot be stale and can be moved.

numba's own cache watches only the file that a function stands in, so a change in a function that is called from another
file goes unnoticed; and it depends on where the sources lie. Ours belongs to the content of all compiled sources, and
each content has a folder of its own: checkouts of different sources can share a cache.
"""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config
from numba.core.caching import UserProvidedCacheLocator

_PACKAGE = Path(__file__).parent
SOURCES = (
    "compiled.py",
    "records.py",
    "groups.py",
    "course/geometry.py",
    "kernel/*.py",
    "simulation/*.py",
    "prediction/effort.py",
    "prediction/riding.py",
    "replay/filling.py",
)
"""Compiled functions, and the modules whose constants are compiled into them."""
KEPT = 10
"""Contents whose machine code is kept, those that were used last."""


@lru_cache(maxsize=1)
def _digest() -> bytes:
    content = hashlib.sha256()
    for pattern in SOURCES:
        for source in sorted(_PACKAGE.glob(pattern)):
            content.update(source.read_bytes())
    return content.digest()


@lru_cache(maxsize=1)
def note_use(folder: Path) -> None:
    """Makes a folder the one that was used last, and drops those beside it that were not used for longest."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    with suppress(FileNotFoundError):  # somebody else drops the same ones
        used = {other: other.stat().st_mtime_ns for other in folder.parent.iterdir() if other.is_dir()}
        for old in sorted(used, key=used.__getitem__)[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)  # who runs it has it in memory, or compiles it again


class Cache(UserProvidedCacheLocator):
    """Keeps compiled code in NUMBA_CACHE_DIR, else in the user's cache, as long as no compiled source changes."""

    def __init__(self, py_func: Callable, py_file: str) -> None:
        super().__init__(py_func, py_file)
        cache = Path(config.CACHE_DIR or Path.home() / ".cache" / "etape" / "numba")
        self._cache_path = str(cache / "tracking" / self.get_source_stamp().hex()[:16])

    def get_source_stamp(self) -> bytes:
        return _digest()

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> "Cache | None":
        cache = cls(py_func, py_file)
        try:
            note_use(Path(cache.get_cache_path()))
            cache.ensure_cache_path()
        except OSError:
            return None
        return cache


def compiled(function: Callable) -> Any:
    """Compiles a function at its first call for a kind of arguments, or takes it from the cache."""
    locators = config.CACHE_LOCATOR_CLASSES
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{Cache.__name__}"
    try:
        return numba.njit(function, cache=True, error_model="numpy", forceinline=True)
    except RuntimeError:  # nowhere to write
        return numba.njit(function, error_model="numpy")
    finally:
        config.CACHE_LOCATOR_CLASSES = locators
