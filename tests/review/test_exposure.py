"""Exposure as sets: the laws of sets hold, and what text would mistake is told right."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.review.exposure import ANY_PORT, Addresses, Exposure, granted, grants, powers, published

QUICK = settings(deadline=None, max_examples=50)
NETWORKS = st.builds(
    lambda number, length: IPv4Network((number << (32 - length) & 0xFFFFFFFF, length)),
    st.integers(0, 63),
    st.integers(29, 32),
)
ADDRESSES = st.lists(NETWORKS, max_size=4).map(Addresses.of)
DOORS = st.tuples(st.sampled_from(["tcp", "udp"]), st.sampled_from([ANY_PORT, 22, 80]))
EXPOSURES = st.dictionaries(DOORS, ADDRESSES, max_size=4).map(Exposure.of)


def members(addresses: Addresses) -> set[int]:
    """The set itself, one by one."""
    return {number for network in addresses.networks for number in range(*_ends(network))}


def _ends(network: IPv4Network) -> tuple[int, int]:
    return int(network.network_address), int(network.broadcast_address) + 1


@QUICK
@given(ADDRESSES, ADDRESSES)
def test_operations_on_addresses_are_those_of_sets(x: Addresses, y: Addresses) -> None:
    """Guards against a network that is lost, or counted twice, where two overlap."""
    assert members(x | y) == members(x) | members(y)
    assert members(x & y) == members(x) & members(y)
    assert members(x - y) == members(x) - members(y)
    assert all((IPv4Address(each) in x) == (each in members(x)) for each in members(y))


@QUICK
@given(ADDRESSES, ADDRESSES)
def test_equal_sets_are_equal_however_they_were_written(x: Addresses, y: Addresses) -> None:
    """Guards against two halves of a network that look like more than the whole."""
    assert (x | y) == (y | x)
    assert (x - y) | (x & y) == x


@QUICK
@given(EXPOSURES, EXPOSURES)
def test_what_is_closed_only_is_never_wider(x: Exposure, y: Exposure) -> None:
    """Guards against an alarm at a door that was shut."""
    assert x - y <= x
    assert x <= x | y
    assert not x - x


@QUICK
@given(EXPOSURES, EXPOSURES, EXPOSURES)
def test_wider_is_transitive(x: Exposure, y: Exposure, z: Exposure) -> None:
    """Guards against small steps that add up to what one step would have shown."""
    assert x <= (x | y) <= (x | y | z)


def _port(external: int, ip: str) -> dict[str, object]:
    return {"internal": 80, "external": external, "ip": ip}


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        ([_port(80, "0.0.0.0")], [_port(80, "127.0.0.1")], False),
        ([_port(80, "127.0.0.1")], [_port(80, "0.0.0.0")], True),
        ([_port(80, "127.0.0.1")], [_port(80, "")], True),
        ([_port(80, "::1")], [_port(80, "127.0.0.1")], False),
        ([_port(80, "127.0.0.1")], [_port(81, "127.0.0.1")], True),
        ([_port(80, "10.0.0.1"), _port(81, "10.0.0.1")], [_port(81, "10.0.0.1")], False),
    ],
)
def test_published_ports_are_compared_by_who_can_reach_them(before, after, wider) -> None:
    """Guards against the change of nine characters that opens a port to the operator's network."""
    more = published({"ports": after}) - published({"ports": before})
    assert bool(more) is wider


def test_the_hosts_own_network_is_every_port() -> None:
    """Guards against a container that has no published port because it needs none."""
    assert published({"ports": [_port(80, "0.0.0.0")]}) <= published({"networkMode": "host"})
    assert not published({"networkMode": "host"}) <= published({"ports": [_port(80, "0.0.0.0")]})


def test_powers_name_each_way_out_of_a_container() -> None:
    """Guards against the folder of the host that is as good as being root on it."""
    assert powers({"securityOpts": ["no-new-privileges"]}) == frozenset()
    held = powers({"privileged": True, "volumes": [{"hostPath": "/"}], "pidMode": "host"})
    assert held == {"privileged", "the host's /", "the host's pid space"}


def _policy(*statements: tuple[str, str, str]) -> dict[str, object]:
    told = [{"effect": effect, "principals": [who], "actions": [what]} for effect, who, what in statements]
    return {"policy": told}


def test_a_wildcard_grants_what_it_covers() -> None:
    """Guards against `*` that reads as one action more, and against naming what it allowed already."""
    one, all_of_it = (grants(_policy(("Allow", "reader", what))) for what in ("s3:GetObject", "s3:*"))
    assert granted(one, all_of_it) == {("reader", "s3:*")}
    assert granted(all_of_it, one) == frozenset()
    assert grants(_policy(("Allow", "*", "s3:GetObject"), ("Deny", "*", "s3:*"))) == frozenset()
