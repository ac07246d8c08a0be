"""Plays the facts that the agents of an estate would report, and the faults of the road."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from manage_centre.day import Day, Phase
from manage_centre.graph import Graph, Link, StackGraph
from manage_centre.report import Facts, Report
from manage_centre.state import Scene

from infra.estate.load import load_estate
from infra.render.graph import render_graph

NOON = datetime(2017, 7, 9, 10, 0, 0, tzinfo=UTC)
STAGE = "2017-s09"


@cache
def graphs(scale: str = "small") -> dict[str, dict[str, Any]]:
    """The graphs of the core and of the stage by stack, as the day cycle publishes them; to be read only."""
    estate = load_estate(STAGE, scale)
    assert estate.core is not None
    return {layer.stack: render_graph(layer) for layer in (estate.core, estate)}


@dataclass
class Play:
    """An estate where all is well, until a fault is played. Times are seconds after noon."""

    documents: dict[str, dict[str, Any]] = field(default_factory=graphs)
    phase: Phase = Phase.LIVE
    silent: dict[str, float] = field(default_factory=dict)
    """Nodes that no longer report, and when they last did."""
    _facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parsed = {stack: StackGraph.model_validate(document) for stack, document in self.documents.items()}
        self.graph = Graph(parsed["2017-core"], parsed[STAGE])
        self._facts = {name: self._well(name) for name in self.graph.nodes}

    def _well(self, name: str) -> dict[str, Any]:
        node = self.graph.nodes[name]
        ports = {}
        for link in self.graph.cables_of[name]:
            here, there = (link.a, link.b) if link.a.node == name else (link.b, link.a)
            neighbour = {"node": there.node, "port": there.port}
            ports[here.port] = {"carrier": True, "mtu": 1500, "mac": "02:00:00:00:00:01", "lldp": neighbour}
        return {
            "v": 1,
            "node": name,
            "stack": "2017-core" if node.layer == "core" else STAGE,
            "boot_id": "b",
            "seq": 1,
            "at": NOON.isoformat(),
            "ports": ports,
            "addresses": {"eno1": list(node.addresses)},
            "routes": [],
            "units": {service.unit: self.unit() for service in self.graph.services_of[name]},
            "clock": {"offset_ms": 0.2, "synchronised": True},
            "uplink": None,
            "load": {"cpu": 0.1, "memory": 0.2, "disk": 0.3},
            "events": [],
        }

    @staticmethod
    def unit(active: str = "active", healthy: bool | None = True, detail: str = "") -> dict[str, Any]:
        """A unit as the agent reports it."""
        sub = "running" if active == "active" else "dead"
        return {"active": active, "sub": sub, "restarts": 0, "healthy": healthy, "detail": detail}

    def facts(self, node: str) -> dict[str, Any]:
        """What a node reports; change it to play a fault."""
        return self._facts[node]

    def link(self, label: str) -> Link:
        """The cable of that label."""
        return self.graph.links[label]

    def between(self, one: str, other: str) -> Link:
        """The first cable between two nodes."""
        return next(link for link in self.graph.links.values() if {link.a.node, link.b.node} == {one, other})

    def pull(self, label: str) -> None:
        """Pull a cable: no carrier at either end."""
        for end in self.link(label).ends:
            self._facts[end.node]["ports"][end.port] |= {"carrier": False, "lldp": None}

    def hush(self, nodes: Iterable[str], at: float = 0.0) -> None:
        """Let nodes report no more; their last report is of `at`."""
        self.silent |= dict.fromkeys(nodes, at)

    def power_off(self, node: str, at: float = 0.0) -> None:
        """The node is silent and its cables are dark at the other end; what it last said is all that it says."""
        self.hush([node], at)
        for link in self.graph.cables_of[node]:
            there = link.b if link.a.node == node else link.a
            self._facts[there.node]["ports"][there.port] |= {"carrier": False, "lldp": None}

    def stop(self, node: str, unit: str, active: str = "inactive") -> None:
        """Stop a service."""
        self._facts[node]["units"][unit] = self.unit(active, None)

    def sick(self, node: str, unit: str, detail: str) -> None:
        """Let a service run and be unhealthy."""
        self._facts[node]["units"][unit] = self.unit("active", False, detail)

    def scene(self, seconds: float = 60.0) -> Scene:
        """What the Manage Centre knows so many seconds after noon; it watches since an hour before."""
        now = NOON + timedelta(seconds=seconds)
        reports = {}
        for name, facts in self._facts.items():
            heard = NOON + timedelta(seconds=self.silent[name]) if name in self.silent else now - timedelta(seconds=2)
            reports[name] = Report(Facts.model_validate(facts), heard)
        day = Day(STAGE, self.phase, NOON - timedelta(minutes=30), "")
        return Scene(self.graph, reports, day, now, NOON - timedelta(hours=1))
