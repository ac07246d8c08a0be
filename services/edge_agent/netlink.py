"""The kernel's links, addresses and routes by rtnetlink: no process, and a change is heard the moment it happens."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_GROUPS = 0x1 | 0x10 | 0x40  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE
_DUMP = 0x1 | 0x300  # NLM_F_REQUEST | NLM_F_DUMP
_ERROR, _DONE = 2, 3
_NEW_LINK, _GET_LINK = 16, 18
_NEW_ADDRESS, _GET_ADDRESS = 20, 22
_NEW_ROUTE, _GET_ROUTE = 24, 26
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_UP = 0x1
_ETHERNET = 1
_CABLED_KINDS = (b"", b"veth")
_MAIN_TABLE, _UNICAST = 254, 1


@dataclass(frozen=True, slots=True)
class Port:
    """A network interface as the kernel has it."""

    name: str
    carrier: bool
    mtu: int
    mac: str
    pluggable: bool = True
    """Whether a cable can be in it: a socket of the machine, or the lab's veth; no bridge, tunnel or loopback."""


@dataclass(frozen=True, slots=True)
class Route:
    """A unicast route of the main table; `gateway` is None where the destination is on the link."""

    destination: str
    gateway: str | None
    interface: str


@dataclass(frozen=True, slots=True)
class Network:
    """All of the node's links, IPv4 addresses by interface, and routes."""

    ports: dict[str, Port]
    addresses: dict[str, tuple[str, ...]]
    routes: tuple[Route, ...]


def listen() -> socket.socket:
    """A socket that becomes readable whenever a link, an address or a route changes."""
    events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    events.bind((0, _GROUPS))
    return events


def drain(events: socket.socket) -> None:
    """Forget what is waiting: whoever was woken reads the whole state anew."""
    try:
        while events.recv(65536):
            pass
    except BlockingIOError:
        pass
    except OSError:  # ENOBUFS: more changes than the buffer holds, which is also "read anew"
        pass


def read_network() -> Network:
    """Ask the kernel for everything; OSError where it refuses."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(2)
        links = dict(parse_links(_dump(kernel, _GET_LINK)))
        names = {index: port.name for index, port in links.items()}
        addresses: dict[str, tuple[str, ...]] = {}
        for index, address in parse_addresses(_dump(kernel, _GET_ADDRESS)):
            name = names.get(index, str(index))
            addresses[name] = (*addresses.get(name, ()), address)
        routes = tuple(parse_routes(_dump(kernel, _GET_ROUTE), names))
    return Network({port.name: port for port in links.values()}, addresses, routes)


def parse_links(messages: bytes) -> Iterator[tuple[int, Port]]:
    """(index, port) of each RTM_NEWLINK among the messages."""
    for body in _bodies(messages, _NEW_LINK):
        _, hardware, index, flags, _ = _LINK.unpack_from(body)
        attributes = dict(_attributes(body[_LINK.size :]))
        name = attributes[3].rstrip(b"\0").decode()
        carrier = bool(flags & _UP) and attributes.get(33, b"\0") == b"\1"
        mtu = int.from_bytes(attributes.get(4, b"\0" * 4), "little")
        kind = dict(_attributes(attributes.get(18, b""))).get(1, b"").rstrip(b"\0")
        pluggable = hardware == _ETHERNET and kind in _CABLED_KINDS
        yield index, Port(name, carrier, mtu, attributes.get(1, b"").hex(":"), pluggable)


def parse_addresses(messages: bytes) -> Iterator[tuple[int, str]]:
    """(index of the interface, address with prefix length) of each IPv4 RTM_NEWADDR among the messages."""
    for body in _bodies(messages, _NEW_ADDRESS):
        family, length, _, _, index = _ADDRESS.unpack_from(body)
        attributes = dict(_attributes(body[_ADDRESS.size :]))
        if family == socket.AF_INET:
            yield index, f"{socket.inet_ntoa(attributes.get(2, attributes.get(1, bytes(4))))}/{length}"


def parse_routes(messages: bytes, names: dict[int, str]) -> Iterator[Route]:
    """Each IPv4 unicast route of the main table; `names` are those of the interfaces by index."""
    for body in _bodies(messages, _NEW_ROUTE):
        family, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(body)
        if family != socket.AF_INET or table != _MAIN_TABLE or kind != _UNICAST:
            continue
        attributes = dict(_attributes(body[_ROUTE.size :]))
        destination = f"{socket.inet_ntoa(attributes.get(1, bytes(4)))}/{length}"
        gateway = socket.inet_ntoa(attributes[5]) if 5 in attributes else None
        index = int.from_bytes(attributes.get(4, b""), "little")
        yield Route(destination, gateway, names.get(index, str(index)))


def _dump(kernel: socket.socket, request: int) -> bytes:
    """Every message of the kernel's answer, without the closing one."""
    kernel.send(_HEADER.pack(_HEADER.size + 16, request, _DUMP, 1, 0) + bytes([socket.AF_UNSPEC]) + bytes(15))
    answer = b""
    while True:
        part = kernel.recv(1 << 18)
        kinds = [kind for kind, _ in _messages(part)]
        if _ERROR in kinds:
            raise OSError(f"the kernel refuses netlink request {request}")
        answer += part
        if _DONE in kinds:
            return answer


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        yield kind, data[offset + _HEADER.size : offset + length]
        offset += max(_HEADER.size, (length + 3) & ~3)


def _bodies(data: bytes, wanted: int) -> Iterator[bytes]:
    return (body for kind, body in _messages(data) if kind == wanted)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            return
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
