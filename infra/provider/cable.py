"""A cable: a veth pair between two containers, with a real carrier at both ends."""

import hashlib
import re
from dataclasses import dataclass

from infra.docker_engine import Container, DockerEngine
from infra.provider.kernel import End, Interface, Kernel
from infra.provider.plugin import UNKNOWN, Kind, Made, Mistake, Properties, ProviderError

_PORT = re.compile(r"[a-z][a-z0-9.-]{0,14}")
_LEAST_MTU, _LARGEST_MTU = 576, 9216
_PLUGGED_IN, _UNPLUGGED = "plugged in", "unplugged"


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

    @property
    def places(self) -> tuple[str, str, str, str]:
        """Where it is plugged in; a new container of the same node is the same place."""
        return self.a.node, self.a.port, self.b.node, self.b.port


class CableKind(Kind):
    """Inputs `label`, `mtu`, `a` and `b` (each node, port, container). Outputs `a_mac`, `b_mac`, `condition`.

    The condition is looked at by every preview and up: a machine that was restarted has lost its cables.
    """

    token = "etape:index:Cable"
    outputs = ("a_mac", "b_mac", "condition")
    identity = frozenset({"label"})

    def __init__(self, docker: DockerEngine, kernel: Kernel, planning: bool = False) -> None:
        """`planning` takes it that machines of the core will be there: a plan before this one makes them."""
        self._docker = docker
        self._kernel = kernel
        self._planning = planning

    def check(self, inputs: Properties) -> list[Mistake]:
        mistakes = []
        mtu = inputs.get("mtu")
        if mtu != UNKNOWN and not (isinstance(mtu, float) and _LEAST_MTU <= mtu <= _LARGEST_MTU):
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
        promised = self._planning or end["container"] == UNKNOWN
        if not promised and self._docker.container(end["container"]) is None:
            reason = (
                f"{end['node']} is not there, Docker has no container {end['container'][:30]}. If it belongs to the "
                "core, bring that up first; if it was removed by hand, `pulumi up --refresh` makes it again"
            )
            mistakes.append(Mistake(f"{name}.container", reason))
        return mistakes

    def observe(self, inputs: Properties) -> Properties:
        if UNKNOWN in (inputs["a"]["container"], inputs["b"]["container"]):
            return {"condition": _UNPLUGGED}
        return {"condition": self._condition(CableSpec.read(inputs))}

    def create(self, name: str, inputs: Properties) -> Made:
        spec = CableSpec.read(inputs)
        return Made(spec.label, self._plug_in(spec))

    def update(self, state: Properties, inputs: Properties) -> Properties:
        spec, before = CableSpec.read(inputs), CableSpec.read(state)
        if spec.places != before.places:
            self._unplug(before)
        return self._plug_in(spec)

    def read(self, state: Properties) -> Properties | None:
        return None if self._condition(CableSpec.read(state)) == _UNPLUGGED else state

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
        return {"a_mac": spec.a.mac, "b_mac": spec.b.mac, "condition": _PLUGGED_IN}

    def _unplug(self, spec: CableSpec) -> None:
        """Remove both interfaces; an end whose container is gone took the other with it."""
        for plug in (spec.a, spec.b):
            container = self._docker.container(plug.container)
            if container and container.pid:
                seen = self._kernel.interface(container.pid, plug.port)
                if seen is not None and seen.alias == spec.label:
                    self._kernel.remove(container.pid, plug.port)

    def _condition(self, spec: CableSpec) -> str:
        """How the cable is, in the words that a diff shows."""
        a, b = self._docker.container(spec.a.container), self._docker.container(spec.b.container)
        ends = self._joined(spec, a.pid, b.pid) if a and b else None
        if ends is None:
            return _UNPLUGGED
        seen = [(plug.node, interface) for plug, interface in zip((spec.a, spec.b), ends, strict=True)]
        faults = [f"switched off at {node}" for node, interface in seen if not interface.up]
        faults += [f"MTU {interface.mtu} at {node}" for node, interface in seen if interface.mtu != spec.mtu]
        return ", ".join(faults) or _PLUGGED_IN

    def _joined(self, spec: CableSpec, a_pid: int, b_pid: int) -> tuple[Interface, Interface] | None:
        """The pair, where each end is there, is ours and points at the other."""
        a, b = self._kernel.interface(a_pid, spec.a.port), self._kernel.interface(b_pid, spec.b.port)
        if (
            a is None
            or b is None
            or (a.peer, b.peer) != (b.index, a.index)
            or (a.mac, b.mac) != (spec.a.mac, spec.b.mac)
        ):
            return None
        return a, b

    def _running(self, spec: CableSpec, plug: Plug) -> Container:
        container = self._docker.container(plug.container)
        if container is None or not container.pid:
            state = "does not run" if container else "is not there"
            raise ProviderError(f"cable {spec.label}: {plug.node} {state}; `pulumi up --refresh` brings it back")
        return container
