"""One incident a cause: what follows from it is folded under it, along the estate's graph. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from manage_centre.graph import End, Link, Service
from manage_centre.incident import Explained, Incident, Subject
from manage_centre.needs import missed
from manage_centre.report import PortFacts
from manage_centre.silence import Silence
from manage_centre.state import Judgement, Scene, State, Verdict

_GROUP_FROM = 3
"""So many services of one name, or nodes with one trouble, are one incident."""


def find_incidents(scene: Scene, judgement: Judgement) -> tuple[Incident, ...]:
    """All causes, worst first: those that take the most with them, then by name."""
    explained = Explained(judgement)
    finder = _Finder(scene, judgement, explained)
    found = [*Silence(scene, judgement, explained).incidents(), *finder.cables(), *finder.services(), *finder.nodes()]
    order = {State.BAD: 0, State.WATCH: 1}
    return tuple(sorted(found, key=lambda one: (order[one.state], -len(one.folded), str(one.subject))))


class _Finder:
    """Goes down the ladder; what one step has explained, the next ones leave alone."""

    def __init__(self, scene: Scene, judgement: Judgement, explained: Explained) -> None:
        self.scene, self.graph, self.judgement, self.explained = scene, scene.graph, judgement, explained

    # Cables whose nodes report.

    def cables(self) -> Iterator[Incident]:
        """Broken, swapped and doubtful cables that no silent node explains."""
        for label, verdict in self.judgement.cables.items():
            subject = Subject("cable", label)
            if verdict.state not in (State.BAD, State.WATCH) or subject in self.explained:
                continue
            link = self.graph.links[label]
            twin = self._swapped_with(link) if verdict.code == "neighbour" else None
            if twin:
                yield self._swap(link, twin)
                continue
            folded = self.explained.fold(subject, self._cut_off(link) if verdict.state is State.BAD else ())
            yield Incident(
                subject,
                verdict.state,
                verdict.sentence,
                _cable_remedy(link, verdict),
                _ruled_out(link, verdict),
                folded,
            )

    def _cut_off(self, link: Link) -> Iterator[Subject]:
        """What the nodes at both ends miss that they would reach over the cable: uplink, time, needed services."""
        for end in link.ends:
            if self.judgement.nodes[end.node].code in ("uplink", "clock"):
                yield Subject("node", end.node)
            for service in self.graph.services_of[end.node]:
                elsewhere = {one.node for one in self.graph.services.values() if one.name in service.needs} - {end.node}
                if elsewhere and self.judgement.services[service.key].state is State.BAD:
                    yield Subject("service", service.key)

    def _swapped_with(self, link: Link) -> Link | None:
        heard = {str(port.lldp) for end in link.ends if (port := self._port(end)) and port.lldp}
        for other in self.graph.links.values():
            verdict = self.judgement.cables[other.label]
            if other != link and verdict.code == "neighbour" and heard & {str(end) for end in other.ends}:
                return other
        return None

    def _port(self, end: End) -> PortFacts | None:
        facts = self.scene.fresh(end.node)
        return facts.ports.get(end.port) if facts else None

    def _swap(self, link: Link, twin: Link) -> Incident:
        subject = Subject("cable", link.label)
        return Incident(
            subject,
            State.BAD,
            f"Cables {link.label} and {twin.label} are swapped: {link} and {twin} are planned.",
            f"Exchange the plugs of {link.label} and {twin.label} at one end.",
            ruled_out=("carrier: all plugs are in",),
            folded=self.explained.fold(subject, [Subject("cable", twin.label)]),
        )

    # Services whose nodes report.

    def services(self) -> Iterator[Incident]:
        """Services that are down by themselves; those that only miss another one are folded under it."""
        bad = {
            key: service
            for key, service in self.graph.services.items()
            if self.judgement.services[key].state in (State.BAD, State.WATCH)
            and Subject("service", key) not in self.explained
        }
        roots = {
            key: service for key, service in bad.items() if not {one.key for one in self._missed(service)} & bad.keys()
        }
        followers: dict[str, list[Subject]] = {}
        for key, service in bad.items():
            if key not in roots:
                followers.setdefault(self._root(service, bad), []).append(Subject("service", key))
        for group in _by_name(roots.values()):
            yield self._service_incident(group, followers)

    def _root(self, service: Service, bad: Mapping[str, Service]) -> str:
        """Follows the first missed service as long as there is one that is down itself."""
        seen: set[str] = set()
        while service.key not in seen:
            seen.add(service.key)
            service = next((one for one in self._missed(service) if one.key in bad), service)
        return service.key

    def _missed(self, service: Service) -> list[Service]:
        return missed(self.graph, self.judgement, service)

    def _service_incident(self, group: list[Service], followers: Mapping[str, list[Subject]]) -> Incident:
        first = group[0]
        verdicts = [self.judgement.services[service.key] for service in group]
        state = State.BAD if any(verdict.state is State.BAD for verdict in verdicts) else State.WATCH
        subject = Subject("service", first.key)
        others = [Subject("service", service.key) for service in group[1:]]
        under = [each for service in group for each in followers.get(service.key, [])]
        where = first.node if len(group) == 1 else f"{len(group)} nodes"
        return Incident(
            subject,
            state,
            f"{first.title} on {where}: {verdicts[0].sentence}",
            f"See `journalctl -u {first.unit}` on {first.node}; `systemctl restart {first.unit}` mends a hang.",
            ruled_out=(f"{first.node}: it reports", *(f"{name}: it is well" for name in first.needs)),
            folded=self.explained.fold(subject, [*others, *under]),
        )

    # Reporting nodes that are not well.

    def nodes(self) -> Iterator[Incident]:
        """Clock, uplink and load; the same trouble on many nodes is one incident."""
        by_code: dict[str, list[str]] = {}
        for name, verdict in self.judgement.nodes.items():
            if verdict.state in (State.BAD, State.WATCH) and Subject("node", name) not in self.explained:
                by_code.setdefault(verdict.code, []).append(name)
        for names in by_code.values():
            for group in [names] if len(names) >= _GROUP_FROM else [[name] for name in names]:
                yield self._node_incident(group)

    def _node_incident(self, group: list[str]) -> Incident:
        verdicts = [self.judgement.nodes[name] for name in group]
        subject = Subject("node", group[0])
        where = group[0] if len(group) == 1 else f"{len(group)} nodes, first {group[0]}"
        return Incident(
            subject,
            State.BAD if any(verdict.state is State.BAD for verdict in verdicts) else State.WATCH,
            f"{where}: {verdicts[0].sentence}",
            _NODE_REMEDIES[verdicts[0].code],
            folded=self.explained.fold(subject, [Subject("node", name) for name in group[1:]]),
        )


_NODE_REMEDIES = {
    "clock": "See `chronyc sources` there, and that time-1 and gateway-1 run chrony.",
    "uplink": "Check the town's handoff and the uplink's cable.",
    "load": "See `systemd-cgtop` there; move or restart what grows.",
}


def _by_name(services: Iterable[Service]) -> Iterator[list[Service]]:
    names: dict[str, list[Service]] = {}
    for service in services:
        names.setdefault(service.name, []).append(service)
    for group in names.values():
        yield from [group] if len(group) >= _GROUP_FROM else [[service] for service in group]


def _cable_remedy(link: Link, verdict: Verdict) -> str:
    return {
        "carrier": f"Push in both plugs of {link.label}: {link.a} and {link.b}.",
        "neighbour": f"Move the plug of {link.label} to where its label says: {link}.",
    }.get(verdict.code, f"See `lldpcli show neighbors` on {link.a.node} and {link.b.node}.")


def _ruled_out(link: Link, verdict: Verdict) -> tuple[str, ...]:
    nodes = (f"{link.a.node} and {link.b.node}: both report",)
    return nodes if verdict.code == "carrier" else (*nodes, "carrier: both plugs are in")
