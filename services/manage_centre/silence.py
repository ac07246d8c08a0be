"""Silent nodes: without power, behind a broken cable, or out of reach; the first steps of the ladder. Pure."""

from collections.abc import Iterable, Iterator

from manage_centre.graph import End, Graph, Link
from manage_centre.incident import Explained, Incident, Subject
from manage_centre.needs import missed
from manage_centre.state import Judgement, Scene, State


class Silence:
    """Looks at the silent nodes from the reporting ends of their cables."""

    def __init__(self, scene: Scene, judgement: Judgement, explained: Explained) -> None:
        self.scene, self.graph, self.judgement, self.explained = scene, scene.graph, judgement, explained
        silent = {name for name, verdict in judgement.nodes.items() if verdict.code == "silent"}
        self.silent = silent | {name for name in judgement.nodes if self._is_cut_off(name)}

    def incidents(self) -> Iterator[Incident]:
        """One incident for each group of silent nodes that hang together."""
        if self.silent and len(self.silent) == len(self.judgement.nodes):
            yield self._nothing_heard()
            return
        for group in _components(self.graph, self.silent):
            borders = [link for link in self.graph.links.values() if self._is_border(link, group)]
            dark = [link for link in borders if self.judgement.cables[link.label].code == "carrier"]
            dead = self._without_power(group, borders, dark)
            if dead:
                yield from self._dead(dead, group)
            elif dark:
                yield self._way_is_out(group, borders, dark[0])
            else:
                yield self._out_of_reach(group, borders)

    def _is_cut_off(self, name: str) -> bool:
        """Whether all far ends contradict what the node last said: no need to wait until that is old."""
        facts, cables = self.scene.fresh(name), self.graph.cables_of[name]
        if facts is None or len(cables) < 2:
            return False
        own = [facts.ports.get((link.a if link.a.node == name else link.b).port) for link in cables]
        return all(port and port.carrier for port in own) and all(
            self.judgement.cables[link.label].code == "carrier" for link in cables
        )

    def _is_border(self, link: Link, group: frozenset[str]) -> bool:
        outside = [end.node for end in link.ends if end.node not in group]
        return len(outside) == 1 and self.scene.fresh(outside[0]) is not None

    def _without_power(self, group: frozenset[str], borders: list[Link], dark: list[Link]) -> list[str]:
        """Nodes of which two or more cables are seen from the far end, and all without carrier."""
        dead = []
        for name in sorted(group):
            seen = [link for link in borders if name in (link.a.node, link.b.node)]
            if len(seen) > 1 and all(link in dark for link in seen):
                dead.append(name)
        return dead

    def _nothing_heard(self) -> Incident:
        hub = next((service.node for service in self.graph.services.values() if service.name == "hub"), "the hub")
        return Incident(
            Subject("node", hub),
            State.BAD,
            "No node reports any more: the hub is away, or every way to it is.",
            f"See `systemctl status etape-hub` on {hub}.",
            folded=self.explained.fold(Subject("node", hub), self._all_of(self.silent)),
        )

    def _dead(self, dead: list[str], group: frozenset[str]) -> Iterator[Incident]:
        for index, name in enumerate(dead):
            behind = group - set(dead) if index == 0 else set()
            yield Incident(
                Subject("node", name),
                State.BAD,
                f"{name} has no power or is down: it is silent and none of its cables has carrier.",
                f"Look at {name} itself: power, then its console.",
                ruled_out=("a single cable",),
                folded=self.explained.fold(Subject("node", name), self._all_of({name, *behind})),
            )

    def _way_is_out(self, group: frozenset[str], borders: list[Link], link: Link) -> Incident:
        inside, outside = _sides(link, group)
        alive = [other.label for other in borders if inside.node in (other.a.node, other.b.node) and other != link]
        behind = inside.node if len(group) == 1 else f"{len(group)} nodes"
        subject = Subject("cable", link.label)
        return Incident(
            subject,
            State.BAD,
            f"Cable {link.label} is out: {link}, no carrier at {outside}; {behind} behind it cannot report.",
            f"Push in both plugs of {link.label}; if {outside} stays dark, look at the power of {inside.node}.",
            ruled_out=(
                f"{outside.node}: it reports",
                *(f"power of {inside.node}: cable {label} has carrier" for label in alive),
            ),
            folded=self.explained.fold(subject, self._all_of(group)),
        )

    def _out_of_reach(self, group: frozenset[str], borders: list[Link]) -> Incident:
        entry = next((_sides(link, group)[0].node for link in borders), min(group))
        subject = Subject("node", entry)
        cables = ", ".join(link.label for link in borders)
        others = "" if len(group) == 1 else f", and {len(group) - 1} nodes behind it"
        seen = f"although it has carrier ({cables})" if borders else "and no reporting node has a cable to it"
        return Incident(
            subject,
            State.BAD,
            f"{entry} is silent {seen}{others}: its agent, its route to the hub, or a filter on the way.",
            f"Log in to {entry} over management: is it alive, does it route, does `etape-edge-agent` run?",
            ruled_out=tuple(f"cable {link.label}: it has carrier" for link in borders),
            folded=self.explained.fold(subject, self._all_of(group)),
        )

    def _all_of(self, nodes: Iterable[str]) -> list[Subject]:
        """Nodes with their cables and services, and what elsewhere misses those."""
        found: list[Subject] = []
        for name in sorted(nodes):
            found.append(Subject("node", name))
            found += [Subject("cable", link.label) for link in self.graph.cables_of[name]]
            found += [Subject("service", service.key) for service in self.graph.services_of[name]]
        found += [Subject("node", name) for name in self._facing(set(nodes))]
        return found + [Subject("service", key) for key in self._left_alone(set(nodes))]

    def _facing(self, nodes: set[str]) -> Iterator[str]:
        """Nodes elsewhere whose uplink's far side is one of these."""
        for name, verdict in self.judgement.nodes.items():
            facts = self.scene.fresh(name)
            target = facts.uplink.target if facts and facts.uplink else ""
            if verdict.code == "uplink" and self.graph.owners.get(target) in nodes:
                yield name

    def _left_alone(self, nodes: set[str]) -> Iterator[str]:
        """Services elsewhere that miss one on these nodes."""
        for key, service in self.graph.services.items():
            is_bad = self.judgement.services[key].state is State.BAD
            if is_bad and nodes & {one.node for one in missed(self.graph, self.judgement, service)}:
                yield key


def _components(graph: Graph, nodes: set[str]) -> Iterator[frozenset[str]]:
    """Groups of nodes that hang together by cables, each group's nodes only."""
    left = set(nodes)
    while left:
        group, edge = set(), {min(left)}
        while edge:
            group |= edge
            near = {end.node for name in edge for link in graph.cables_of[name] for end in link.ends}
            edge = (near & nodes) - group
        left -= group
        yield frozenset(group)


def _sides(link: Link, group: frozenset[str]) -> tuple[End, End]:
    """(the end inside the group, the end outside)."""
    return (link.a, link.b) if link.a.node in group else (link.b, link.a)
