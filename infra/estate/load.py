"""From the name of a stack to its estate: read the files, check them, build."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from tracking.course.formats import SUFFIXES

from infra.estate.build import build_core, build_stage, stage_of
from infra.estate.checks import check
from infra.estate.layers import folders
from infra.estate.mistakes import EstateError, Mistake, known
from infra.estate.model import Demand, Estate, Layer, Stage
from infra.estate.order import natural
from infra.estate.reading import read_edition, read_stages
from infra.estate.written import Written

STACKS = Path(__file__).resolve().parents[2] / "stacks"
_NAME = re.compile(r"^(?P<edition>\d{4})-(?:core|s(?P<stage>\d{2}))$")

_READ = {".yaml", ".csv", *SUFFIXES}

Scale = Literal["small", "full"]
DemandName = Literal["rest", "race"]


@dataclass(frozen=True, slots=True)
class ListedStack:
    """A stack that could be brought up."""

    stack: str
    edition: int
    layer: Layer
    stage: Stage | None
    """None for the core."""


def load_estate(stack: str, scale: Scale = "full", root: Path = STACKS, demand: DemandName = "race") -> Estate:
    """The estate of `2017-core` or `2017-s09`, from the folder `root`.

    `demand` is the part of the day that a stage is equipped for; the core is the same in all of them.
    Raises EstateError with every mistake in all files of the edition, not only in those that the stack needs.
    """
    if scale not in get_args(Scale):
        remedy = f"use one of {known(get_args(Scale))}"
        raise EstateError([Mistake("stacks", "scale", f"{scale!r} is not a scale", remedy)])
    if demand not in set(Demand):
        remedy = f"use one of {known(Demand)}"
        raise EstateError([Mistake("stacks", "demand", f"{demand!r} is not a part of the day", remedy)])
    match = _NAME.match(stack)
    if match is None or match["edition"] not in folders(root):
        raise _unknown(stack, root)
    written, mistakes = read_and_checked(root, match["edition"])
    stage = next(
        (line.doc for line in written.stages if match["stage"] and line.doc.number == int(match["stage"])), None
    )
    if match["stage"] and stage is None and "stages" not in written.incomplete:
        mistakes = (*mistakes, *_unknown(stack, root).mistakes)
    if mistakes:
        raise EstateError(mistakes)
    return build_stage(written, stage, scale, Demand(demand)) if stage else build_core(written)


def read_and_checked(root: Path, edition: str) -> tuple[Written, tuple[Mistake, ...]]:
    """An edition and all of its mistakes; read again only when a file below `root` was written again."""
    return _read_and_checked(root.resolve(), edition, _state(root))


@lru_cache(maxsize=16)
def _read_and_checked(root: Path, edition: str, state: tuple) -> tuple[Written, tuple[Mistake, ...]]:
    written, mistakes = read_edition(root, edition)
    return written, (*mistakes, *check(written))


def _state(root: Path) -> tuple[tuple[str, int, int], ...]:
    """Every file that an edition could be made of, with its time and size."""
    files = sorted(path for path in root.glob("*/*.*") if path.suffix in _READ and path.is_file())
    return tuple((str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files)


def list_stacks(root: Path = STACKS) -> tuple[ListedStack, ...]:
    """Every stack of every edition: the core first, then the stages by number. Raises EstateError."""
    found: list[ListedStack] = []
    mistakes: list[Mistake] = []
    for edition in folders(root):
        lines, wrong = read_stages(root, edition)
        mistakes += wrong
        found.append(ListedStack(f"{edition}-core", int(edition), Layer.CORE, None))
        for line in sorted(lines, key=lambda line: line.doc.number):
            name = f"{edition}-s{line.doc.number:02}"
            found.append(ListedStack(name, int(edition), Layer.STAGE, stage_of(int(edition), line.doc)))
    if mistakes:
        raise EstateError(mistakes)
    return tuple(found)


def _unknown(stack: str, root: Path) -> EstateError:
    names = [each.stack for each in list_stacks(root)]
    same = [name for name in names if natural(name) == natural(stack)]
    close = same or get_close_matches(stack, names, n=3, cutoff=0.6)
    remedy = f"did you mean {' or '.join(close)}?" if close else "`scripts/stage list` names all of them"
    return EstateError([Mistake("stacks", "stack", f"there is no stack {stack!r}", remedy)])
