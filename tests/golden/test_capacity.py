"""What every stage of every edition gets, for the eyes of who pays it; `--update-golden` writes it anew."""

from pathlib import Path

import pytest

from infra.estate.build import stage_of
from infra.estate.capacity import capacity_of
from infra.estate.load import STACKS
from infra.estate.model import Capacity, Quantity
from infra.estate.reading import read_edition
from infra.render.capacity import capacity_text


@pytest.mark.parametrize("edition", [2015, 2016, 2017, 2018])
def test_capacity_of_a_season_is_as_reviewed(edition, request):
    """A rule that was tuned for one stage and doubles the bill of twenty others."""
    written, _ = read_edition(STACKS, str(edition))
    stages = sorted((stage_of(edition, line.doc) for line in written.stages), key=lambda stage: stage.number)
    text = "".join(
        capacity_text(
            f"{edition}-s{stage.number:02}",
            filter(_is_shown, capacity_of(written, stage, "full")),
        )
        for stage in stages
    )
    golden = Path(__file__).parent / f"{edition}.capacity.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def _is_shown(each: Capacity) -> bool:
    """Machines of all roles; limits by the processor's example, because all services grow by one rule."""
    return each.quantity is Quantity.MACHINES or each.subject == "processor"
