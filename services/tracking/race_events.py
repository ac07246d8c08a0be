"""What happens in the race, in words: attacks, splits, merges, catches and finishes, from one frame after the other.

A change is told when it has lasted for some frames, with the time at which it began: what comes and goes within them,
as riders drift apart in a bend or out of the radio's reach, is no event.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tracking.groups import PELOTON, Group, groups_of
from tracking.records import FINISHED, FRESH

LASTING = 10
"""Frames, which are seconds in a live race, that a change has to last."""
NAMED_AT_MOST = 8
"""Riders whose numbers a text lists; of more it says how many."""
PLACES_TOLD = 3
SETTLED_MS = 10_000
"""After this long, no reading changes the order at the line any more."""
_PLURAL = {"attacks": "attack", "joins": "join", "leaves": "leave", "loses": "lose"}
_IN_TEXT = {PELOTON: "the peloton", "Breakaway": "the breakaway"}


@dataclass(frozen=True, slots=True)
class RaceEvent:
    """Something that a commentator would say."""

    time_ms: int
    """When it began, race clock, Unix milliseconds."""
    kind: str
    """split, merge, attack, catch, finish, withdrawal, jersey or bike_change; in a time trial time_check, best_time or
    caught."""
    group_id: int
    """The group that it is about; 0 where it is about none."""
    other_group_id: int | None
    """The group that was left, joined or caught by."""
    riders: tuple[int, ...]
    km_to_go: float
    text: str
    km: float | None = None
    """Of a time that was taken: where ..."""
    elapsed_s: float | None = None
    """... and how long after the own start."""

    @property
    def identity(self) -> str:
        """The same for the same event, whoever tells it and however often."""
        riders = "" if self.group_id else f"-{'.'.join(map(str, self.riders))}"
        return f"{self.kind}-{self.group_id}-{self.other_group_id or 0}-{self.time_ms // 1000}{riders}"

    def as_json(self) -> bytes:
        """As it is published."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "RaceEvent":
        """What `as_json` wrote; ValueError for anything else."""
        try:
            fields = json.loads(text)
            return cls(**{**fields, "riders": tuple(fields["riders"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a race event ({error}); take it from the stream EVENTS") from None


@dataclass(slots=True)
class _Followed:
    """A group as it was last seen."""

    riders: tuple[int, ...]
    name: str
    in_front: bool
    """Of the peloton."""
    km_to_go: float
    since_ms: int
    came_from: int = 0
    """The group that most of its riders were in before; 0 where nobody knows."""
    came_from_name: str = ""
    fell_behind: bool = False
    """Behind the group that it came from."""
    seen: int = 0
    """Frames in which most of its riders were heard."""
    known: bool = False
    """It has lasted, and its beginning has been told."""
    gone: int = 0
    """Frames since it was last seen ..."""
    gone_ms: int = 0
    """... from this time on."""


class RaceEvents:
    """Follows one race. What it tells depends on the frames only."""

    def __init__(self, name_of: Callable[[int], str] = str) -> None:
        """`name_of`: how texts call the rider of a number."""
        self._name_of = name_of
        self._groups: dict[int, _Followed] = {}
        self._home: dict[int, int] = {}
        """The group of each rider in the frame before."""
        self._began = False
        self._places_told = 0

    def memory(self) -> dict[str, Any]:
        """All that is remembered, ready for JSON; `remembering` goes on from it."""
        groups = {str(group_id): asdict(group) for group_id, group in self._groups.items()}
        home = {str(rider): group_id for rider, group_id in self._home.items()}
        return {"groups": groups, "home": home, "began": self._began, "places_told": self._places_told}

    @classmethod
    def remembering(cls, memory: Mapping[str, Any]) -> "RaceEvents":
        """Goes on where another one gave this `memory`; TypeError, KeyError or ValueError where it is none."""
        events = cls()
        for group_id, group in memory["groups"].items():
            events._groups[int(group_id)] = _Followed(**{**group, "riders": tuple(group["riders"])})
        events._home = {int(rider): int(group_id) for rider, group_id in memory["home"].items()}
        events._began, events._places_told = bool(memory["began"]), int(memory["places_told"])
        return events

    def follow(self, states: np.ndarray) -> tuple[RaceEvent, ...]:
        """What RIDER_STATE (n,) of the next second makes certain, in the order in which it began."""
        clock_ms = int(states["time_ms"].max(initial=0))
        groups = groups_of(states)
        fresh = set(states["rider"][states["quality"] == FRESH].tolist())
        for group in groups:
            self._see(group, groups, fresh, clock_ms)
        present = {group.group_id for group in groups}
        for group_id, followed in self._groups.items():
            if group_id not in present:
                followed.gone_ms = followed.gone_ms or clock_ms
                followed.gone += 1
        self._home |= {rider: group.group_id for group in groups for rider in group.riders}
        self._began = self._began or bool(groups)
        told = [*self._beginnings(), *self._ends(groups), *self._finishes(states, clock_ms)]
        return tuple(sorted(told, key=lambda event: event.time_ms))

    def _see(self, group: Group, groups: tuple[Group, ...], fresh: set[int], clock_ms: int) -> None:
        followed = self._groups.get(group.group_id) or self._new(group, groups, clock_ms)
        self._groups[group.group_id] = followed
        peloton = next(other for other in groups if other.is_peloton)
        followed.riders, followed.name, followed.km_to_go = group.riders, group.name, round(group.to_go_m / 1000, 1)
        followed.in_front = group.ordinal < peloton.ordinal
        followed.seen += sum(rider in fresh for rider in group.riders) * 2 > len(group.riders)

    def _new(self, group: Group, groups: tuple[Group, ...], clock_ms: int) -> _Followed:
        """A group that was not there before; one that was there just now, where most of its riders are of that."""
        for group_id, followed in list(self._groups.items()):
            if (
                followed.known
                and followed.gone
                and len(set(followed.riders) & set(group.riders)) * 2 > len(group.riders)
            ):
                followed.gone = followed.gone_ms = 0
                return self._groups.pop(group_id)
        new = _Followed(group.riders, group.name, False, 0.0, clock_ms, known=not self._began)
        homes = Counter(self._home[rider] for rider in group.riders if rider in self._home)
        if homes:
            origin = homes.most_common(1)[0][0]
            before = self._groups.get(origin)
            if before and not before.known:
                origin, before = before.came_from, self._groups.get(before.came_from)
            ahead = {other.group_id for other in groups if other.ordinal < group.ordinal}
            new.came_from, new.fell_behind = origin, origin in ahead
            new.came_from_name = before.name if before else ""
        return new

    def _beginnings(self) -> Iterable[RaceEvent]:
        for group_id, group in self._groups.items():
            if group.known or group.gone or group.seen < LASTING:
                continue
            group.known = True
            if not group.came_from_name:
                continue
            kind = "attack" if group.in_front and group.came_from_name == PELOTON else "split"
            done = "loses contact with" if group.fell_behind else "attacks and leaves" if kind == "attack" else "leaves"
            text = f"{self._they(group.riders, done)} {_in_text(group.came_from_name)}"
            yield _event(group.since_ms, kind, group_id, group.came_from, group, text)

    def _ends(self, groups: tuple[Group, ...]) -> Iterable[RaceEvent]:
        now = {rider: group for group in groups for rider in group.riders}
        for group_id, group in list(self._groups.items()):
            if group.gone < LASTING:
                continue
            del self._groups[group_id]
            heirs = Counter(now[rider].group_id for rider in group.riders if rider in now)
            if not heirs or not group.known:
                continue
            heir = next(other for other in groups if other.group_id == heirs.most_common(1)[0][0])
            if heir.is_peloton and group.in_front:
                kind, text = "catch", f"the peloton catches {self._called(group.riders)}"
            else:
                kind, text = "merge", f"{self._they(group.riders, 'joins')} {_in_text(heir.name)}"
            yield _event(group.gone_ms, kind, group_id, heir.group_id, group, text)

    def _finishes(self, states: np.ndarray, clock_ms: int) -> Iterable[RaceEvent]:
        done = np.sort(states[states["quality"] == FINISHED], order="position")[:PLACES_TOLD]
        for place in range(self._places_told, len(done)):
            if clock_ms - int(done[place]["seen_ms"]) < SETTLED_MS:
                return
            self._places_told += 1
            rider, gap_s = int(done[place]["rider"]), float(done[place]["gap_s"])
            result = "wins the stage" if place == 0 else f"is {('second', 'third')[place - 1]}, {gap_s:.0f} s behind"
            text = f"Rider {self._name_of(rider)} {result}."
            yield RaceEvent(int(done[place]["seen_ms"]), "finish", 0, None, (rider,), 0.0, text)

    def _called(self, riders: tuple[int, ...]) -> str:
        if len(riders) > NAMED_AT_MOST:
            return f"{len(riders)} riders"
        names = [self._name_of(rider) for rider in riders]
        return f"rider {names[0]}" if len(names) == 1 else f"riders {', '.join(names[:-1])} and {names[-1]}"

    def _they(self, riders: tuple[int, ...], done: str) -> str:
        """A sentence's subject and verbs, given as of one rider."""
        words = done.split() if len(riders) == 1 else [_PLURAL.get(word, word) for word in done.split()]
        return f"{self._called(riders)} {' '.join(words)}"


def _event(time_ms: int, kind: str, group_id: int, other: int, group: _Followed, text: str) -> RaceEvent:
    text = f"{text[0].upper()}{text[1:]}, {group.km_to_go:.1f} km from the finish."
    return RaceEvent(time_ms, kind, group_id, other, group.riders, group.km_to_go, text)


def _in_text(name: str) -> str:
    return _IN_TEXT.get(name, f"the group {name}")
