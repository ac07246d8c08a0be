"""What an operator reads when an exception has not been renewed."""

from datetime import date

import pytest

from infra.day.context import read_estate
from infra.day.outcome import Refusal
from infra.day.waivers import refuse_void_waivers


@pytest.fixture(scope="module")
def estate():
    return read_estate("2017-s09", "small")


def test_an_expired_waiver_is_refused_with_file_field_and_owner(estate):
    """Guards against a morning on which the engine has to start to say what the data say."""
    last = max(waiver.expires for waiver in estate.waivers)
    with pytest.raises(Refusal) as refused:
        refuse_void_waivers(estate, date(last.year + 1, 1, 1))
    assert "stacks/common/waivers.yaml: waivers[0].expires: the waiver of confined-containers" in str(refused.value)
    assert "have the security-officer decide anew on a later date." in str(refused.value)
    assert "nothing was created" in refused.value.remedy


def test_the_waivers_of_the_estate_held_on_the_day_of_the_race(estate):
    """Guards against a rule for waivers that the estate's own do not keep."""
    refuse_void_waivers(estate, estate.stage.date)
