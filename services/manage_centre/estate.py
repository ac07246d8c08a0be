"""What the Manage Centre has heard so far, in whatever order it came."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from manage_centre.day import Day, DayEvent, follow
from manage_centre.graph import Graph, StackGraph
from manage_centre.history import Entry
from manage_centre.incident import Subject
from manage_centre.report import EventFacts, Facts, Report
from manage_centre.state import Scene


@dataclass
class Estate:
    """Graphs, days and reports by stack; messages of the hub's stream may come again and count once."""

    core: str
    """Stack of the season."""
    watching_since: datetime
    graphs: dict[str, StackGraph] = field(default_factory=dict)
    days: dict[str, Day] = field(default_factory=dict)
    day_log: dict[int, Entry] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    _newest: tuple[int, str] = (0, "")
    _told: set[tuple[str, EventFacts]] = field(default_factory=set)

    def hear_graph(self, sequence: int, graph: StackGraph) -> None:
        """A stack was deployed."""
        self.graphs[graph.stack] = graph
        self._note(sequence, graph.stack)

    def hear_day(self, sequence: int, stack: str, event: DayEvent) -> None:
        """The day went on."""
        if sequence in self.day_log:
            return
        self.days[stack] = follow(self.days.get(stack, Day()), stack, event)
        self.day_log[sequence] = Entry(event.at, "day", f"{stack} {event.phase}: {event.message}".rstrip(": "))
        self._note(sequence, stack)

    def hear_facts(self, facts: Facts, heard: datetime) -> tuple[Entry, ...]:
        """A node reported; returns what its agent saw change and had not told before."""
        self.reports[facts.node] = Report(facts, heard)
        fresh = [event for event in facts.events if (facts.node, event) not in self._told]
        kept = {known for known in self._told if known[0] != facts.node}
        self._told = kept | {(facts.node, event) for event in facts.events}
        return tuple(
            Entry(event.at, "event", f"{facts.node}: {event.subject} {event.sentence}", Subject("node", facts.node))
            for event in fresh
        )

    @property
    def stage(self) -> str:
        """The stack that the page is about: the stage of which the day cycle spoke last."""
        return self._newest[1]

    def scene(self, now: datetime) -> Scene:
        """All that is needed to judge the core and the stage that is plugged into it."""
        graph = Graph(self.graphs.get(self.core), self.graphs.get(self.stage))
        stacks = {self.core, self.stage}
        reports = {
            name: report
            for name, report in self.reports.items()
            if name in graph.nodes and report.facts.stack in stacks
        }
        shown = self.stage or self.core
        day = self.days.get(shown, Day(shown))
        return Scene(graph, reports, day, now, self.watching_since)

    def log(self, seen: Iterable[Entry], most: int) -> list[Entry]:
        """Steps of the day and what was seen, newest first."""
        return sorted([*self.day_log.values(), *seen], key=lambda entry: entry.at)[: -most - 1 : -1]

    def _note(self, sequence: int, stack: str) -> None:
        if stack != self.core and sequence >= self._newest[0]:
            self._newest = sequence, stack
