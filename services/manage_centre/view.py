"""The snapshot that the page shows, as JSON; times are ISO in UTC, the page writes them in the stage's zone. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from manage_centre.day import Phase
from manage_centre.graph import End, Link, Node, Service, Site
from manage_centre.history import Entry, History, Open
from manage_centre.incident import Subject
from manage_centre.state import Judgement, Scene, State, Verdict

_WORST = (State.BAD, State.UNKNOWN, State.WATCH, State.GONE, State.PLANNED, State.GOOD)


def render_snapshot(scene: Scene, judgement: Judgement, history: History, log: Iterable[Entry]) -> dict[str, Any]:
    """Everything that the page needs."""
    view = _View(scene, judgement, history)
    found = [view.incident(one) for one in history.incidents.values()]
    return {
        "at": _iso(scene.now),
        "day": view.day(),
        "sites": [view.site(site, found) for site in scene.graph.sites],
        "nodes": [view.node(node) for node in scene.graph.nodes.values()],
        "cables": [view.cable(link) for link in scene.graph.links.values()],
        "services": [view.service(service) for service in scene.graph.services.values()],
        "segments": [segment.model_dump() for segment in scene.graph.segments],
        "incidents": found,
        "log": [_entry(entry) for entry in log],
    }


class _View:
    def __init__(self, scene: Scene, judgement: Judgement, history: History) -> None:
        self.scene, self.judgement, self.history = scene, judgement, history

    def day(self) -> dict[str, Any]:
        graph, day = self.scene.graph, self.scene.day
        shown = graph.stage or graph.core
        return {
            "stack": day.stack,
            "title": shown.title if shown else "",
            "edition": shown.edition if shown else None,
            "stage": graph.stage.stage.model_dump() if graph.stage and graph.stage.stage else None,
            "phase": day.phase.value,
            "phases": [phase.value for phase in Phase],
            "since": _iso(day.since),
            "message": day.message,
        }

    def site(self, site: Site, incidents: list[dict]) -> dict[str, Any]:
        names = {node.name for node in self.scene.graph.nodes.values() if node.site == site.name}
        states = [verdict.state for name, verdict in self.judgement.nodes.items() if name in names]
        states += [
            self.judgement.services[key].state for key, one in self.scene.graph.services.items() if one.node in names
        ]
        states += [
            self.judgement.cables[link.label].state
            for link in self.scene.graph.links.values()
            if link.a.node in names  # a cable between two sites belongs to the one that is plugged in
        ]
        present = [name for name in names if self.scene.fresh(name) is not None]
        return {
            "name": site.name,
            "title": site.title,
            "kind": site.kind,
            "location": site.location,
            "timezone": site.timezone,
            "state": _site_state(states).value,
            "nodes": len(names),
            "reporting": len(present),
            "sentence": self._site_sentence(names, states, incidents),
        }

    def _site_sentence(self, names: set[str], states: list[State], incidents: list[dict]) -> str:
        known = set(states)
        for incident in incidents:
            if names & set(incident["nodes"]) and known & {State.BAD, State.UNKNOWN, State.WATCH}:
                return incident["verdict"]
        if known <= {State.GONE}:
            return "Everything of it is gone."
        if State.GONE in known:
            return "It is being taken away."
        if State.PLANNED in known and self.scene.day.phase is Phase.DRAINING:
            return "Its producers are stopped for the end of the day."
        if State.PLANNED in known:
            return "Not all of it is here yet." if State.GOOD in known else "It is planned and not here yet."
        return "All nodes, cables and services are well." if known <= {State.GOOD} else "Not all of it is known."

    def node(self, node: Node) -> dict[str, Any]:
        facts, report = self.scene.fresh(node.name), self.scene.reports.get(node.name)
        cables = {str(end): link.label for link in self.scene.graph.cables_of[node.name] for end in link.ends}
        return {
            **node.model_dump(exclude={"ports", "forwards"}),
            **self._verdict(Subject("node", node.name), self.judgement.nodes[node.name]),
            "heard": _iso(self.scene.heard(node.name)),
            "ports": [{"name": port, "cable": cables.get(str(End(node=node.name, port=port)))} for port in node.ports],
            "seen": facts.model_dump(mode="json", exclude=_NOT_SHOWN) if facts and report else None,
        }

    def cable(self, link: Link) -> dict[str, Any]:
        return {
            **link.model_dump(),
            **self._verdict(Subject("cable", link.label), self.judgement.cables[link.label]),
        }

    def service(self, service: Service) -> dict[str, Any]:
        return {
            "key": service.key,
            **service.model_dump(),
            **self._verdict(Subject("service", service.key), self.judgement.services[service.key]),
        }

    def incident(self, one: Open) -> dict[str, Any]:
        incident = one.incident
        subjects = (incident.subject, *incident.folded)
        return {
            "subject": _subject(incident.subject),
            "state": incident.state.value,
            "verdict": incident.verdict,
            "since": _iso(one.since),
            "remedy": incident.remedy,
            "ruled_out": list(incident.ruled_out),
            "folded": [_subject(subject) for subject in incident.folded],
            "nodes": sorted({name for subject in subjects for name in self._nodes_of(subject)}),
        }

    def _nodes_of(self, subject: Subject) -> tuple[str, ...]:
        graph = self.scene.graph
        if subject.kind == "cable":
            return tuple(end.node for end in graph.links[subject.key].ends)
        return (graph.services[subject.key].node,) if subject.kind == "service" else (subject.key,)

    def _verdict(self, subject: Subject, verdict: Verdict) -> dict[str, Any]:
        standing = self.history.standings.get(subject)
        return {
            "state": verdict.state.value,
            "sentence": verdict.sentence,
            "since": _iso(standing.since if standing else self.scene.now),
        }


_NOT_SHOWN: Mapping[str, bool] = {"node": True, "stack": True, "events": True, "seq": True}


def _site_state(states: list[State]) -> State:
    """The worst that is true of it; one of which a part is gone or has not come is on its way, not well."""
    return next((state for state in _WORST if state in states), State.PLANNED)


def _subject(subject: Subject) -> dict[str, str]:
    return {"kind": subject.kind, "key": subject.key}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": _iso(entry.at),
        "kind": entry.kind,
        "text": entry.text,
        "subject": _subject(entry.subject) if entry.subject else None,
        "state": entry.state.value if entry.state else None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None
