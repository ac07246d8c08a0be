"""Faults say what they break, and how it is mended."""

import pytest

from infra.day import fault
from infra.day.outcome import Refusal
from infra.estate.load import load_estate


@pytest.fixture(scope="module")
def estate():
    return load_estate("2017-s09", "small")


def test_the_uplink_is_cut_at_the_managed_network(estate):
    """Guards against a cut that leaves the truck's own port without the loss of carrier."""
    cut = fault.uplink(estate)
    assert cut.node == "wan-1"
    assert (cut.harm, cut.heal) == ("ip link set dev port10 down", "ip link set dev port10 up")


def test_an_address_is_stolen_on_the_shared_segment(estate):
    """Guards against a duplicate that nobody can notice because it is on another wire."""
    stolen = fault.address(estate, "edge-1", "edge-2")
    assert stolen.node == "edge-1"
    assert stolen.harm == "ip address add 10.17.10.22/24 dev eno1"


@pytest.mark.parametrize(
    "wish",
    [
        lambda estate: fault.cable(estate, "T9-99"),
        lambda estate: fault.address(estate, "edge-1", "store-1"),
        lambda estate: fault.address(estate, "edge-1", "edge-1"),
        lambda estate: fault.address(estate, "edge-1", "nobody-1"),
        lambda estate: fault.service(estate, "tea", None),
        lambda estate: fault.service(estate, "relay", "edge-1"),
        lambda estate: fault.cpu(estate, "nobody-1"),
    ],
)
def test_a_fault_on_what_is_not_there_is_refused_with_a_remedy(estate, wish):
    """Guards against a traceback, and against a fault that hits something else."""
    with pytest.raises(Refusal) as refused:
        wish(estate)
    assert refused.value.remedy.startswith(("name ", "see "))
