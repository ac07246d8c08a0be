"""Addresses as a pure function of role, slot and network: a line inserted anywhere renumbers nothing."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from infra.estate.vocabulary import Role

_ENGINE_ADDRESSES = 10
"""The first addresses of a management network: its gateway and whatever else realises it."""


def host_number(role: Role, slot: int) -> int:
    """The host part of a machine's address in every segment; ValueError where the slot is outside the role's block."""
    if not 1 <= slot <= role.slots:
        raise ValueError(f"the role {role.name} has slots 1 to {role.slots}")
    return role.first_host + slot - 1


def address_in(prefix: IPv4Network, role: Role, slot: int) -> IPv4Interface:
    """The machine's address in a segment; ValueError where its number does not fit into the prefix."""
    return _at(prefix, host_number(role, slot))


def management_address(network: IPv4Network, role: Role, slot: int) -> IPv4Address:
    """The machine's out-of-band address; ValueError as for `address_in`."""
    return _at(network, host_number(role, slot) + _ENGINE_ADDRESSES).ip


def _at(network: IPv4Network, number: int) -> IPv4Interface:
    last = network.num_addresses - 2
    if number > last:
        raise ValueError(f"host number {number} is outside {network}, whose hosts are 1 to {last}")
    return IPv4Interface((network.network_address + number, network.prefixlen))
