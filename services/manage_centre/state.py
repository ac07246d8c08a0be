"""The judgement: graph, newest reports and the day give each node, cable and service a state and a sentence. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from manage_centre.day import Day, Phase
from manage_centre.graph import End, Graph, Link, Node, Service
from manage_centre.report import Facts, PortFacts, Report

FRESH_FOR = timedelta(seconds=15)
"""Older facts say nothing about now."""
VANISHED_AFTER = timedelta(seconds=8)
"""While machines are being taken away, a node that missed its heartbeat is gone."""
CLOCK_TOLERANCE_MS = 100.0
_FULL = {"memory": (0.92, "memory"), "disk": (0.92, "disk"), "cpu": (0.95, "processor")}


class State(StrEnum):
    """What is known of an element."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"
    UNKNOWN = "unknown"
    PLANNED = "planned"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state, why, and of which kind the reason is."""

    state: State
    sentence: str
    code: str = ""
    """A step of the ladder: silent, carrier, neighbour, link, uplink, clock, service, load; empty where all is well."""
    heard: datetime | None = None
    """When this was last known; an element that is unknown is so since then."""


@dataclass(frozen=True)
class Judgement:
    """Every element of the estate, judged at one moment."""

    nodes: Mapping[str, Verdict]
    cables: Mapping[str, Verdict]
    services: Mapping[str, Verdict]


@dataclass(frozen=True)
class Scene:
    """All that a judgement follows from."""

    graph: Graph
    reports: Mapping[str, Report]
    """By node; only of nodes that the graph has."""
    day: Day
    now: datetime
    watching_since: datetime
    """Since when the hub is listened to: before that, silence means nothing."""

    def fresh(self, node: str) -> Facts | None:
        """The facts of a node while they are still true."""
        report = self.reports.get(node)
        if report is None or self.now - report.heard > self.patience(node):
            return None
        return report.facts

    def heard(self, node: str) -> datetime | None:
        """When a node was last heard."""
        report = self.reports.get(node)
        return report.heard if report else None

    def patience(self, node: str) -> timedelta:
        """For how long facts of the node are true."""
        return VANISHED_AFTER if self.phase(node) is Phase.DE_RIG else FRESH_FOR

    def phase(self, node: str) -> Phase:
        """The phase of the layer that a node belongs to; the core goes on through a stage's end."""
        known = self.graph.nodes.get(node)
        core = self.graph.core.stack if self.graph.core else ""
        if known is None or (known.layer == "core") == (self.day.stack == core):
            return self.day.phase
        return Phase.LIVE


def judge(scene: Scene) -> Judgement:
    """Judge every element."""
    nodes = {name: _node(scene, node) for name, node in scene.graph.nodes.items()}
    return Judgement(
        nodes=nodes,
        cables={label: _cable(scene, nodes, link) for label, link in scene.graph.links.items()},
        services={key: _service(scene, nodes, service) for key, service in scene.graph.services.items()},
    )


def _node(scene: Scene, node: Node) -> Verdict:
    facts, phase, heard = scene.fresh(node.name), scene.phase(node.name), scene.heard(node.name)
    if facts is not None:
        return _present(scene, node, facts)
    if phase in (Phase.DE_RIG, Phase.GONE):
        return Verdict(State.GONE, "Taken away with the stage.", heard=heard)
    if phase is Phase.RIGGING and (heard is None or (scene.day.since and heard < scene.day.since)):
        return Verdict(State.PLANNED, "Not here yet: it has not reported.")
    if scene.now - scene.watching_since < FRESH_FOR:
        return Verdict(State.UNKNOWN, "Waiting for its report.", heard=heard or scene.watching_since)
    sentence = "Its reports have stopped." if heard else "Nothing has been heard from it."
    return Verdict(State.UNKNOWN, sentence, "silent", heard or scene.watching_since)


def _present(scene: Scene, node: Node, facts: Facts) -> Verdict:
    if facts.uplink and facts.uplink.rtt_ms is None and _should_answer(scene, node, facts.uplink.target):
        return Verdict(State.BAD, f"{facts.uplink.target}, the far side of its uplink, does not answer.", "uplink")
    if not facts.clock.synchronised or facts.clock.offset_ms is None:
        return Verdict(State.WATCH, "Its clock has no time server.", "clock")
    if abs(facts.clock.offset_ms) > CLOCK_TOLERANCE_MS:
        return Verdict(State.BAD, f"Its clock is {facts.clock.offset_ms:+.0f} ms off.", "clock")
    for what, (most, title) in _FULL.items():
        ratio = getattr(facts.load, what)
        if ratio is not None and ratio > most:
            return Verdict(State.WATCH, f"Its {title} is {ratio:.0%} used.", "load")
    return Verdict(State.GOOD, "Reports; clock and load are well.")


def _should_answer(scene: Scene, node: Node, target: str) -> bool:
    """The far side may be a machine that has not come yet or was taken away; nobody misses it then."""
    owner = scene.graph.owners.get(target)
    if owner is None:
        return node.layer == "stage" and scene.phase(node.name) in (Phase.LIVE, Phase.DRAINING)
    return scene.phase(owner) in (Phase.LIVE, Phase.DRAINING)


def _cable(scene: Scene, nodes: Mapping[str, Verdict], link: Link) -> Verdict:
    states = {nodes[end.node].state for end in link.ends if end.node in nodes}
    if State.GONE in states:
        return Verdict(State.GONE, f"{link}: taken away with the stage.")
    known = [(end, scene.fresh(end.node)) for end in link.ends]
    fresh = [(end, facts.ports.get(end.port)) for end, facts in known if facts is not None]
    if not fresh:
        return _cable_unheard(scene, states, link)
    trouble = _cable_trouble(scene, link, fresh)
    if trouble:
        return trouble
    silent = [end for end, facts in known if facts is None]
    if silent and nodes[silent[0].node].state is State.PLANNED:
        return Verdict(State.PLANNED, f"{link}: {silent[0].node} is not here yet.")
    if silent:
        sentence = f"{link}: {fresh[0][0]} is well, {silent[0]} is not known: {silent[0].node} does not report."
        return Verdict(State.UNKNOWN, sentence, "silent", scene.heard(silent[0].node) or scene.watching_since)
    return Verdict(State.GOOD, f"{link}: carrier and neighbours as planned at both ends.")


def _cable_unheard(scene: Scene, states: set[State], link: Link) -> Verdict:
    if State.PLANNED in states:
        return Verdict(State.PLANNED, f"{link}: not laid yet, or its nodes have not reported.")
    heard = [at for end in link.ends if (at := scene.heard(end.node))]
    return Verdict(
        State.UNKNOWN, f"{link}: neither end reports.", "silent", max(heard) if heard else scene.watching_since
    )


def _cable_trouble(scene: Scene, link: Link, fresh: list[tuple[End, PortFacts | None]]) -> Verdict | None:
    """The first step of the ladder that the reporting ends fail."""
    rigging = any(scene.phase(end.node) is Phase.RIGGING for end in link.ends)
    missing = [end for end, port in fresh if port is None]
    if missing:
        state = State.PLANNED if rigging else State.BAD
        return Verdict(
            state, f"Cable {link.label} is not laid: {' and '.join(map(str, missing))} does not exist.", "carrier"
        )
    dark = [end for end, port in fresh if port and not port.carrier]
    if dark:
        where = "both ends" if len(dark) == 2 else str(dark[0])
        return Verdict(State.BAD, f"Cable {link.label} is out: {link}, no carrier at {where}.", "carrier")
    wrong = [(end, port.lldp) for end, port in fresh if port and port.lldp and not _is(port.lldp, link, end)]
    if wrong:
        heard = " and ".join(f"{end} hears {found} instead of {_other(link, end)}" for end, found in wrong)
        return Verdict(State.BAD, f"Cable {link.label} is in the wrong socket: {heard}.", "neighbour")
    deaf = [end for end, port in fresh if port and port.lldp is None]
    if deaf:
        sentence = f"{link}: there is carrier, but {' and '.join(map(str, deaf))} hears no neighbour."
        return Verdict(State.PLANNED if rigging else State.WATCH, sentence, "link")
    sizes = {port.mtu for _, port in fresh if port}
    if len(sizes) > 1:
        return Verdict(State.WATCH, f"{link}: the ends differ in MTU ({', '.join(map(str, sorted(sizes)))}).", "link")
    return None


def _other(link: Link, end: End) -> End:
    return link.b if end == link.a else link.a


def _is(found: object, link: Link, end: End) -> bool:
    return str(found) == str(_other(link, end))


def _service(scene: Scene, nodes: Mapping[str, Verdict], service: Service) -> Verdict:
    facts, phase, node = scene.fresh(service.node), scene.phase(service.node), nodes.get(service.node)
    if facts is None or node is None:
        state = node.state if node else State.UNKNOWN
        sentence = {
            State.GONE: "Taken away with the stage.",
            State.PLANNED: f"Not started yet: {service.node} is not here.",
        }.get(state, f"Not known: {service.node} does not report.")
        return Verdict(state, sentence, "silent" if state is State.UNKNOWN else "", node.heard if node else None)
    unit = facts.units.get(service.unit) or facts.units.get(f"{service.unit}.service")
    if unit is None:
        state = State.PLANNED if phase is Phase.RIGGING else State.BAD
        return Verdict(state, f"{service.unit} is not watched by the agent there: it is not deployed.", "service")
    if unit.active in ("activating", "reloading"):
        return Verdict(State.WATCH, f"{service.unit} is starting.", "service")
    if unit.active != "active":
        if phase in (Phase.DRAINING, Phase.DE_RIG):
            return Verdict(State.PLANNED, "Stopped for the end of the day.")
        why = f": {unit.detail}" if unit.detail else ""
        return Verdict(State.BAD, f"{service.unit} is {unit.active} ({unit.sub}){why}.", "service")
    if unit.healthy is False:
        return Verdict(
            State.BAD, f"{service.unit} runs but is not healthy: {unit.detail or 'it does not say why'}.", "service"
        )
    return Verdict(State.GOOD, "Runs and is healthy." if unit.healthy else "Runs.")
