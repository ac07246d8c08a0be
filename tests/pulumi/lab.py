"""A Docker engine and a kernel in memory, for the provider's own logic."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from infra.docker_engine import Container, Thing
from infra.provider.kernel import End, Interface


class FakeDocker:
    """Containers by name; each start gives the first process a new number, as a real one does."""

    def __init__(self, *names: str) -> None:
        self._pids = iter(range(100, 1000))
        self.containers = {name: Container(f"id-{name}", name, next(self._pids)) for name in names}
        self.files: dict[tuple[str, str], str] = {}
        self.owned: list[Thing] = []
        self.freed: dict[str, set[str]] = {}
        """By network, the containers that were left on it."""
        self.strangers: list[Thing] = []

    def container(self, reference: str) -> Container | None:
        found = [each for each in self.containers.values() if reference in (each.id, each.name)]
        return found[0] if found else None

    def restart(self, name: str) -> None:
        self.containers[name] = replace(self.containers[name], pid=next(self._pids))

    def stop(self, name: str) -> None:
        self.containers[name] = replace(self.containers[name], pid=0)

    def file(self, container: str, path: str) -> str | None:
        return self.files.get((container, path))

    def labelled(self, labels: Mapping[str, str]) -> tuple[Thing, ...]:
        return tuple(self.owned if "etape.home" in labels else [*self.owned, *self.strangers])

    def free(self, network: Thing, kept: Collection[str]) -> None:
        self.freed[network.name] = set(kept)

    def remove(self, thing: Thing) -> None:
        self.owned.remove(thing)


class FakeKernel:
    """Interfaces by process and port; removing one end of a veth removes the other, as the kernel does."""

    def __init__(self) -> None:
        self.ports: dict[tuple[int, str], Interface] = {}
        self.laid: list[str] = []
        self.system_states: list[str] = []
        self.failed: list[str] = []
        self._indexes = iter(range(2, 1000))

    def interface(self, pid: int, port: str) -> Interface | None:
        return self.ports.get((pid, port))

    def lay(self, a: End, b: End, mtu: int) -> None:
        assert (a.pid, a.port) not in self.ports, "the kernel refuses a name that is taken"
        assert (b.pid, b.port) not in self.ports, "the kernel refuses a name that is taken"
        first, second = next(self._indexes), next(self._indexes)
        self.ports[a.pid, a.port] = Interface(first, second, a.mac, mtu, False, "")
        self.ports[b.pid, b.port] = Interface(second, first, b.mac, mtu, False, "")
        self.laid.append(f"{a.pid}/{a.port}-{b.pid}/{b.port}")

    def set(self, pid: int, port: str, mtu: int, alias: str) -> None:
        self.ports[pid, port] = replace(self.ports[pid, port], mtu=mtu, alias=alias, up=True)

    def switch_off(self, pid: int, port: str) -> None:
        self.ports[pid, port] = replace(self.ports[pid, port], up=False)

    def remove(self, pid: int, port: str) -> None:
        gone = self.ports.pop((pid, port))
        self.ports = {place: each for place, each in self.ports.items() if each.index != gone.peer}

    def systemd(self, pid: int) -> str:
        return self.system_states.pop(0) if len(self.system_states) > 1 else self.system_states[0]

    def failed_units(self, pid: int) -> list[str]:
        return self.failed
