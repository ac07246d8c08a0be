"""What an incident is, and which elements one cause has already explained."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from manage_centre.state import Judgement, State, Verdict


@dataclass(frozen=True, slots=True)
class Subject:
    """An element by kind (node, cable, service) and key."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.key}"


@dataclass(frozen=True)
class Incident:
    """A located cause with its symptoms."""

    subject: Subject
    state: State
    """bad or watch."""
    verdict: str
    remedy: str
    ruled_out: tuple[str, ...] = ()
    folded: tuple[Subject, ...] = ()


class Explained:
    """Elements that are under a cause already: one incident a cause."""

    def __init__(self, judgement: Judgement) -> None:
        self._tables: dict[str, Mapping[str, Verdict]] = {
            "node": judgement.nodes,
            "cable": judgement.cables,
            "service": judgement.services,
        }
        self._under: set[Subject] = set()

    def __contains__(self, subject: Subject) -> bool:
        return subject in self._under

    def fold(self, cause: Subject, symptoms: Iterable[Subject] = ()) -> tuple[Subject, ...]:
        """Put symptoms under a cause; returns those that are not well and not yet under another one."""
        folded = tuple(dict.fromkeys(each for each in symptoms if each != cause and self._is_open(each)))
        self._under.update(folded, [cause])
        return folded

    def _is_open(self, subject: Subject) -> bool:
        state = self._tables[subject.kind][subject.key].state
        return subject not in self._under and state in (State.BAD, State.WATCH, State.UNKNOWN)
