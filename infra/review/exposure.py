"""Who can reach what, as sets: exposure has widened when the new set holds what the old one does not.

Text says little: 0.0.0.0 to 127.0.0.1 is a change of nine characters and closes a door, and three published ports
that became a range may be the same or a thousand more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import reduce
from ipaddress import AddressValueError, IPv4Address, IPv4Network, collapse_addresses
from typing import Any

from infra.review.values import bare

EVERYWHERE = IPv4Network("0.0.0.0/0")
ANY_PORT = 0
"""Stands for all ports of a protocol."""
_LOOPBACK = IPv4Network("127.0.0.1/32")
_MODES = ("networkMode", "pidMode", "ipcMode", "usernsMode", "cgroupnsMode")


@dataclass(frozen=True, slots=True)
class Addresses:
    """A set of IPv4 addresses, as the fewest networks that hold exactly these."""

    networks: tuple[IPv4Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[IPv4Network]) -> "Addresses":
        """Networks may overlap and repeat."""
        return cls(tuple(collapse_addresses(networks)))

    def __contains__(self, address: IPv4Address) -> bool:
        return any(address in network for network in self.networks)

    def __bool__(self) -> bool:
        return bool(self.networks)

    def __or__(self, other: "Addresses") -> "Addresses":
        return Addresses.of((*self.networks, *other.networks))

    def __and__(self, other: "Addresses") -> "Addresses":
        # Of two networks either one holds the other or they share nothing.
        return Addresses.of(x if x.subnet_of(y) else y for x in self.networks for y in other.networks if x.overlaps(y))

    def __sub__(self, other: "Addresses") -> "Addresses":
        return Addresses.of(part for network in self.networks for part in reduce(_without, other.networks, [network]))

    def __str__(self) -> str:
        return ", ".join("everywhere" if each == EVERYWHERE else str(each) for each in self.networks) or "nowhere"


def _without(parts: list[IPv4Network], hole: IPv4Network) -> list[IPv4Network]:
    left: list[IPv4Network] = []
    for part in parts:
        if not part.overlaps(hole):
            left.append(part)
        elif part.supernet_of(hole):
            left += part.address_exclude(hole)
    return left


@dataclass(frozen=True, slots=True)
class Exposure:
    """A set of (protocol, port, address); each door is there once, in the order of its name."""

    doors: tuple[tuple[tuple[str, int], Addresses], ...] = ()

    @classmethod
    def of(cls, doors: Mapping[tuple[str, int], Addresses]) -> "Exposure":
        """By protocol and port; what an open `ANY_PORT` has already is not told again at a single port."""
        whole = {protocol: held for (protocol, port), held in doors.items() if port == ANY_PORT}
        own = {
            door: held if door[1] == ANY_PORT else held - whole.get(door[0], Addresses())
            for door, held in doors.items()
        }
        return cls(tuple(sorted((door, held) for door, held in own.items() if held)))

    def __or__(self, other: "Exposure") -> "Exposure":
        doors = dict(self.doors)
        for door, held in other.doors:
            doors[door] = doors.get(door, Addresses()) | held
        return Exposure.of(doors)

    def __sub__(self, other: "Exposure") -> "Exposure":
        """What is open here and not there; single ports that are open there do not lessen an open `ANY_PORT`."""
        theirs = dict(other.doors)
        return Exposure.of(
            {
                door: held - theirs.get(door, Addresses()) - theirs.get((door[0], ANY_PORT), Addresses())
                for door, held in self.doors
            }
        )

    def __bool__(self) -> bool:
        return bool(self.doors)

    def __le__(self, other: "Exposure") -> bool:
        return not self - other

    def __str__(self) -> str:
        told = [
            f"{'any port' if port == ANY_PORT else port}/{protocol} on {held}" for (protocol, port), held in self.doors
        ]
        return "; ".join(told) or "nothing"


def published(properties: Mapping[str, Any]) -> Exposure:
    """What a container shows on its host's addresses."""
    doors: dict[tuple[str, int], Addresses] = {}
    for each in properties.get("ports") or ():
        door = str(bare(each.get("protocol")) or "tcp"), int(each.get("external") or each["internal"])
        doors[door] = doors.get(door, Addresses()) | Addresses.of([bound_to(each.get("ip"))])
    if bare(properties.get("networkMode")) == "host":
        doors |= {(protocol, ANY_PORT): Addresses.of([EVERYWHERE]) for protocol in ("tcp", "udp")}
    return Exposure.of(doors)


def bound_to(address: Any) -> IPv4Network:
    """The host's addresses on which something listens; what cannot be read could be all of them."""
    text = bare(address)
    if text == "::1":
        return _LOOPBACK
    try:
        host = IPv4Address(text)
    except (AddressValueError, ValueError):
        return EVERYWHERE
    return EVERYWHERE if host.is_unspecified else IPv4Network(host)


def powers(properties: Mapping[str, Any]) -> frozenset[str]:
    """What a container may do to the machine that it runs on, beyond what every container may."""
    held = {f"capability {each}" for each in (properties.get("capabilities") or {}).get("adds") or ()}
    held |= {f"option {each}" for each in properties.get("securityOpts") or () if "unconfined" in each}
    held |= {f"the host's {mount['hostPath']}" for mount in properties.get("volumes") or () if mount.get("hostPath")}
    held |= {f"the host's {mount['source']}" for mount in properties.get("mounts") or () if mount.get("type") == "bind"}
    held |= {f"device {each.get('hostPath')}" for each in properties.get("devices") or ()}
    held |= {f"the host's {mode[:-4]} space" for mode in _MODES if bare(properties.get(mode)) == "host"}
    return frozenset(held | ({"privileged"} if bare(properties.get("privileged")) else set()))


def grants(properties: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Who may do what to a bucket: pairs of principal and action that its policy allows and does not deny."""
    told: dict[str, set[tuple[str, str]]] = {"allow": set(), "deny": set()}
    for statement in properties.get("policy") or ():
        pairs = {(who, what) for who in statement["principals"] for what in statement["actions"]}
        told[str(statement["effect"]).lower()] |= pairs
    return frozenset(pair for pair in told["allow"] if not _covered(pair, told["deny"]))


def granted(before: frozenset[tuple[str, str]], after: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """What is allowed now and was not, wildcards counted for what they cover."""
    return frozenset(pair for pair in after if not _covered(pair, before))


def _covered(pair: tuple[str, str], by: Iterable[tuple[str, str]]) -> bool:
    return any(fnmatchcase(pair[0], who) and fnmatchcase(pair[1], what) for who, what in by)
