"""How much a change can do, decided by what it does.

    | class | it can...                              | such as                                                       |
    |-------|----------------------------------------|---------------------------------------------------------------|
    | R0    | do nothing that matters                | a title, a label, a purpose                                   |
    | R1    | be taken back at any time              | something new, a limit, an hour of the day, one waiver less   |
    | R2    | disturb a service while it is made     | configuration, a cable moved, machines fewer as capacity says |
    | R3    | stop a service, open a door, or blind  | made anew, taken away, wider exposure, unwatched, who decides |
    | R4    | lose data, the season or their guard   | core or data gone, protection or backup off                   |

A change has the highest class of all rules that find something. Whatever is not nothing is one class higher while
the stage is live. The rules are in `infra.review.rules`, a function each.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network

from infra.review.change import Change, Comparison, Risk
from infra.review.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Scene:
    """What a change is judged in."""

    a: Snapshot
    b: Snapshot
    live: frozenset[str] = frozenset()
    """Stacks that carry a race now: a live stage and its core."""
    elsewhere: Mapping[str, IPv4Network] = field(default_factory=dict)
    """Prefixes of other trucks that are up, by edition and segment."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Finds one thing that a change can do; its name is in the report."""

    name: str
    risk: Risk
    text: str
    """What it finds, in a line."""
    finds: Callable[[Change, Scene], bool]
    about_result: bool = False
    """Whether it looks at what is there afterwards: then no expectation excuses a change from it."""


def rule(risk: Risk, about_result: bool = False) -> Callable[[Callable[[Change, Scene], bool]], Rule]:
    """Make a rule of a function whose docstring says what it finds."""

    def make(finds: Callable[[Change, Scene], bool]) -> Rule:
        name, text = finds.__name__.replace("_", "-"), " ".join((finds.__doc__ or "").split())
        return Rule(name, risk, text, finds, about_result)

    return make


WHILE_LIVE = "while-live"
"""Name of the rule that raises the class of a change to a stage that is being raced."""


def judge(comparison: Comparison, scene: Scene, rules: Iterable[Rule]) -> Comparison:
    """The comparison with the class of each change, the gravest first; an expected one that is grave is told too."""
    listed = tuple(rules)
    results = tuple(each for each in listed if each.about_result)
    grave = [found for change in comparison.daily if (found := _judged(change, scene, results)).rules]
    moved = {id(change.after) for change in grave}
    changes = [*(_judged(change, scene, listed) for change in comparison.changes), *grave]
    return replace(
        comparison,
        changes=tuple(sorted(changes, key=lambda change: -change.risk)),
        daily=tuple(change for change in comparison.daily if id(change.after) not in moved),
    )


def _judged(change: Change, scene: Scene, rules: tuple[Rule, ...]) -> Change:
    found = [each for each in rules if each.finds(change, scene)]
    risk = max((each.risk for each in found), default=Risk.R0)
    names = tuple(each.name for each in found if each.risk == risk or each.risk >= Risk.R3)
    if risk > Risk.R0 and _is_live(change, scene):
        return change.judged(Risk(min(risk + 1, Risk.R4)), (*names, WHILE_LIVE))
    return change.judged(risk, names)


def _is_live(change: Change, scene: Scene) -> bool:
    """Whether it is done to a race: a comparison with another stage does nothing to this one."""
    return change.stack in scene.live and change.stack in scene.a.stacks and change.stack in scene.b.stacks
