"""A cable: a veth pair between two containers, with a real carrier at both ends."""

import hashlib
import re
from dataclasses import dataclass

from infra.docker_engine import Container, DockerEngine
from infra.provider.kernel import End, Interface, Kernel
from infra.provider.plugin import UNKNOWN, Kind, Made, Mistake, Properties, ProviderError

_PORT = re.compile(r"[a-z][a-z0-9.-]{0,14}")
_LEAST_MTU, _LARGEST_MTU = 576, 9216


@dataclass(frozen=True)
class Plug:
    """One end: the port of a node, and the container that is the node."""

    node: str
    port: str
    container: str
    """Docker's id, or the name where another stack owns the container."""

    @property
    def mac(self) -> str:
        """Locally administered, and the same every day: a port keeps its address from town to town."""
        digest = hashlib.sha256(f"{self.node}/{self.port}".encode()).digest()
        return ":".join(["02", *(f"{byte:02x}" for byte in digest[:5])])


@dataclass(frozen=True)
class CableSpec:
    """What a cable is to be."""

    label: str
    a: Plug
    b: Plug
    mtu: int

    @classmethod
    def read(cls, properties: Properties) -> "CableSpec":
        """From checked inputs, or from a state that holds them."""
        label, mtu = properties["label"], int(properties["mtu"])
        return cls(label, Plug(**properties["a"]), Plug(**properties["b"]), mtu)


@dataclass(frozen=True)
class Seen:
    """A cable as it really is: both interfaces, and each end's name for its interface."""

    a: Interface
    b: Interface
    a_interface: str
    b_interface: str

    @property
    def up(self) -> bool:
        """Whether both ends are switched on; either one that is not takes the carrier from both."""
        return self.a.up and self.b.up


class CableKind(Kind):
    """Inputs `label`, `mtu`, `a` and `b` (each node, port, container).

    Outputs: `a_mac`, `b_mac`; `a_interface`, `b_interface` (network namespace and index: a restarted container
    has new ones, so every preview sees that its cables are out); `up`.
    """

    token = "etape:index:Cable"
    outputs = ("a_mac", "b_mac", "a_interface", "b_interface", "up")
    identity = frozenset({"label"})

    def __init__(self, docker: DockerEngine, kernel: Kernel) -> None:
        self._docker = docker
        self._kernel = kernel

    def check(self, inputs: Properties) -> list[Mistake]:
        mistakes = []
        mtu = inputs.get("mtu")
        if mtu is not UNKNOWN and not (isinstance(mtu, float) and _LEAST_MTU <= mtu <= _LARGEST_MTU):
            mistakes.append(Mistake("mtu", f"{mtu} is not within {_LEAST_MTU} and {_LARGEST_MTU} bytes"))
        for name in ("a", "b"):
            mistakes += self._check_end(name, inputs[name])
        if inputs["a"]["node"] == inputs["b"]["node"]:
            mistakes.append(Mistake("b.node", f"both ends are at {inputs['a']['node']}: a cable joins two nodes"))
        return mistakes

    def _check_end(self, name: str, end: Properties) -> list[Mistake]:
        mistakes = []
        if not _PORT.fullmatch(end["port"]):
            reason = f"{end['port']!r} is no interface name: 1 to 15 small letters, digits, dots or dashes"
            mistakes.append(Mistake(f"{name}.port", reason))
        if end["container"] is not UNKNOWN and self._docker.container(end["container"]) is None:
            reason = (
                f"{end['node']} is not there: no container {end['container'][:40]}. Where it belongs to the core, bring "
                "that up first (`pulumi up -s` its stack); where it was removed by hand, run `pulumi up --refresh`"
            )
            mistakes.append(Mistake(f"{name}.container", reason))
        return mistakes

    def drift(self, state: Properties) -> list[str]:
        spec = CableSpec.read(state)
        seen = self._look(spec)
        if seen is None:
            return ["a_interface", "b_interface"]
        return [name for name in ("a_interface", "b_interface", "up") if getattr(seen, name) != state[name]]

    def create(self, name: str, inputs: Properties) -> Made:
        spec = CableSpec.read(inputs)
        return Made(spec.label, self._plug_in(spec))

    def update(self, state: Properties, inputs: Properties) -> Properties:
        spec, before = CableSpec.read(inputs), CableSpec.read(state)
        if (spec.a.port, spec.b.port) != (before.a.port, before.b.port) or _moved(spec, before):
            self._unplug(before)
        return self._plug_in(spec)

    def read(self, state: Properties) -> Properties | None:
        seen = self._look(CableSpec.read(state))
        if seen is None:
            return None
        found = {"a_interface": seen.a_interface, "b_interface": seen.b_interface, "up": seen.up}
        return {**state, **found, "mtu": float(min(seen.a.mtu, seen.b.mtu))}

    def delete(self, state: Properties) -> None:
        self._unplug(CableSpec.read(state))

    def _plug_in(self, spec: CableSpec) -> Properties:
        """Lay the cable unless it lies, take a stale end out of the way, and return the outputs."""
        a, b = self._running(spec, spec.a), self._running(spec, spec.b)
        if self._joined(spec, a.pid, b.pid) is None:
            for pid, port in ((a.pid, spec.a.port), (b.pid, spec.b.port)):
                if self._kernel.interface(pid, port) is not None:
                    self._kernel.remove(pid, port)
            self._kernel.lay(End(a.pid, spec.a.port, spec.a.mac), End(b.pid, spec.b.port, spec.b.mac), spec.mtu)
        for pid, port in ((a.pid, spec.a.port), (b.pid, spec.b.port)):
            self._kernel.set(pid, port, spec.mtu, spec.label)
        seen = self._joined(spec, a.pid, b.pid)
        if seen is None:
            raise ProviderError(f"cable {spec.label} vanished while it was laid: run the same command again")
        macs = {"a_mac": spec.a.mac, "b_mac": spec.b.mac}
        return {**macs, "a_interface": seen.a_interface, "b_interface": seen.b_interface, "up": seen.up}

    def _unplug(self, spec: CableSpec) -> None:
        """Remove both interfaces; an end whose container is gone took the other with it."""
        for plug in (spec.a, spec.b):
            container = self._docker.container(plug.container)
            if container and container.pid:
                seen = self._kernel.interface(container.pid, plug.port)
                if seen is not None and seen.mac == plug.mac:
                    self._kernel.remove(container.pid, plug.port)

    def _look(self, spec: CableSpec) -> Seen | None:
        containers = self._docker.container(spec.a.container), self._docker.container(spec.b.container)
        if not all(container and container.pid for container in containers):
            return None
        return self._joined(spec, *(container.pid for container in containers if container))

    def _joined(self, spec: CableSpec, a_pid: int, b_pid: int) -> Seen | None:
        """The pair, where each end is there, is ours and points at the other."""
        a, b = self._kernel.interface(a_pid, spec.a.port), self._kernel.interface(b_pid, spec.b.port)
        if a is None or b is None or (a.peer, b.peer) != (b.index, a.index) or (a.mac, b.mac) != (spec.a.mac, spec.b.mac):
            return None
        names = (f"{self._kernel.namespace(a_pid)}/{a.index}", f"{self._kernel.namespace(b_pid)}/{b.index}")
        return Seen(a, b, *names)

    def _running(self, spec: CableSpec, plug: Plug) -> Container:
        container = self._docker.container(plug.container)
        if container is None or not container.pid:
            state = "does not run" if container else "is not there"
            raise ProviderError(f"cable {spec.label}: {plug.node} {state}; `pulumi up --refresh` brings it back")
        return container


def _moved(spec: CableSpec, before: CableSpec) -> bool:
    """Whether an end went to another node; a new container of the same node is no move."""
    return (spec.a.node, spec.b.node) != (before.a.node, before.b.node)
