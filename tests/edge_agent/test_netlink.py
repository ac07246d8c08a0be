"""The kernel's messages, and the kernel itself."""

import socket
import struct
import time

import pytest
from edge_agent import netlink
from edge_agent.netlink import Port, Route


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def link(name: str, *, up: bool = True, carrier: bytes = b"\1", kind: bytes = b"veth") -> bytes:
    body = struct.pack("=BxHiII", 0, 1, 7, 0x1 if up else 0, 0)
    body += attribute(3, name.encode() + b"\0") + attribute(4, struct.pack("=I", 1500))
    return message(
        16,
        body
        + attribute(1, bytes.fromhex("ce12bf72121f"))
        + attribute(33, carrier)
        + attribute(18, attribute(1, kind + b"\0")),
    )


def test_a_port_has_name_carrier_mtu_and_mac() -> None:
    """Guards: an attribute read at the wrong offset."""
    assert dict(netlink.parse_links(link("eno1") + message(3, b""))) == {
        7: Port("eno1", True, 1500, "ce:12:bf:72:12:1f")
    }


@pytest.mark.parametrize(("up", "carrier"), [(False, b"\1"), (True, b"\0")])
def test_a_port_that_is_down_has_no_carrier(up: bool, carrier: bytes) -> None:
    """Guards: a plug that was pulled, or a port that was switched off, looks connected."""
    (_, port), *_ = netlink.parse_links(link("eno1", up=up, carrier=carrier))
    assert port.carrier is False


@pytest.mark.parametrize(
    ("kind", "pluggable"), [(b"veth", True), (b"", True), (b"bridge", False), (b"wireguard", False)]
)
def test_only_what_takes_a_cable_is_pluggable(kind: bytes, pluggable: bool) -> None:
    """Guards: a bridge in the list of ports, as if a cable of the plan were missing in it."""
    (_, port), *_ = netlink.parse_links(link("x", kind=kind))
    assert port.pluggable is pluggable


def test_only_routes_of_the_main_table_are_told() -> None:
    """Guards: local and broadcast routes of the kernel as routes of the plan."""

    def route(table: int) -> bytes:
        body = struct.pack("=BBBBBBBBI", socket.AF_INET, 16, 0, 0, table, 4, 0, 1, 0)
        body += attribute(1, socket.inet_aton("10.17.0.0")) + attribute(5, socket.inet_aton("10.17.10.2"))
        return message(24, body + attribute(4, struct.pack("=I", 7)))

    assert list(netlink.parse_routes(route(254) + route(255), {7: "eno1"})) == [
        Route("10.17.0.0/16", "10.17.10.2", "eno1")
    ]


def test_this_machine_has_a_loopback() -> None:
    """Guards: a request that real kernels refuse."""
    network = netlink.read_network()
    assert network.ports["lo"].carrier is True
    assert network.addresses["lo"] == ("127.0.0.1/8",)


def test_what_woke_the_listener_can_be_forgotten_at_once() -> None:
    """Guards: an agent that blocks on its own event socket."""
    with netlink.listen() as events:
        started = time.monotonic()
        netlink.drain(events)
    assert time.monotonic() - started < 1
