"""Every machine reaches every other by the planned cables, bridges, addresses and routes."""

import dataclasses
from ipaddress import IPv4Address

import pytest

from infra.estate.load import list_stacks, load_estate
from tests.estate.network import Network, Undelivered


@pytest.mark.parametrize(
    ("stack", "scale"),
    [
        ("2017-s09", "full"),
        *((each.stack, "small") for each in list_stacks() if not each.stage or each.stage.number == 1),
    ],
)
def test_every_machine_reaches_every_address_of_every_other(stack, scale):
    """One missing route and an agent is silent, or answers never come back."""
    estate = load_estate(stack, scale)
    network = Network(estate)
    for source in network.nodes:
        for target in network.nodes.values():
            for interface in target.interfaces:
                assert network.send(source, interface.address.ip)[-1] == target.name


def test_readings_take_the_shortest_way_to_the_cloud():
    """A way over the experience centre would double the delay and hang the race on a guest network."""
    network = Network(load_estate("2017-s09"))
    broker = network.nodes["broker-1"].interfaces[0].address.ip
    assert network.send("edge-2", broker) == ["edge-2", "gateway-1", "wan-1", "fabric-1", "broker-1"]


def test_a_pulled_uplink_cable_is_felt_by_the_simulation():
    """Guards the tests above: a simulation that delivers without a cable proves nothing."""
    estate = load_estate("2017-s09", "small")
    pulled = dataclasses.replace(estate, links=tuple(link for link in estate.links if link.label != "N-10"))
    broker = next(node for node in estate.nodes if node.name == "broker-1").interfaces[0].address.ip
    with pytest.raises(Undelivered, match="nobody in uplink answers gateway-1"):
        Network(pulled).send("edge-2", broker)


def test_addresses_outside_the_supernets_stay_out_of_the_data_plane():
    """The default route stays on management: the race's network is no way to the internet."""
    network = Network(load_estate("2017-s09", "small"))
    with pytest.raises(Undelivered, match="edge-2 has no route"):
        network.send("edge-2", IPv4Address("192.0.2.1"))
