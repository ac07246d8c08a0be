"""What the files of an edition say about each other: named passes, each of which tells all mistakes of one kind."""

from infra.estate.mistakes import Mistake
from infra.estate.written import Written


def check(written: Written) -> tuple[Mistake, ...]:
    """All mistakes of an edition that was read."""
    return ()
