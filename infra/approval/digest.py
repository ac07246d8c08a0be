"""What an approval covers, as digests: one for every file, thing, value and step, and one hash over all of them. Pure.

Digests by entry cost some kilobytes and let a refusal name the file, the machine or the step that differs, without
the approval holding any of their contents.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import chain, count
from typing import Any

from infra.plan import Plan, Step


class Part(StrEnum):
    """One side of what will happen; each is compared and named on its own."""

    PROGRAM = "program"
    """Files that decide what an `up` makes: the estate's code, playbooks, services, versions of libraries."""
    MODEL = "model"
    """Everything that the estate declares, by kind and name."""
    CONFIG = "config"
    """What each stack is configured with, and what the operator asked for."""
    POLICY = "policy"
    """Files of the policy pack and the waivers from it, and what the pack objects to."""
    ENGINE = "engine"
    """Versions of what carries the plan out."""
    STEPS = "steps"
    """What the engine computed that it would do, resource by resource."""


Entries = Mapping[str, str]
"""Digest by the entry's name."""


@dataclass(frozen=True)
class Covered:
    """The digests of everything that an approval covers."""

    program: Entries
    model: Entries
    config: Entries
    policy: Entries
    engine: Entries
    steps: Entries

    def part(self, part: Part) -> Entries:
        """The entries of one part."""
        return getattr(self, part.value)

    def as_dict(self) -> dict[str, dict[str, str]]:
        """As it stands in an approval file."""
        return {field.name: dict(sorted(getattr(self, field.name).items())) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that is not what was covered."""

    part: Part
    entry: str
    what: str
    """`added`, `removed` or `changed` since."""

    def __str__(self) -> str:
        return f"{self.part}: {self.entry} was {self.what}"


def plan_hash(covered: Covered) -> str:
    """SHA-256 in hexadecimal over everything covered; any change of any entry changes it."""
    return digest(covered.as_dict())


def differences(approved: Covered, now: Covered) -> tuple[Difference, ...]:
    """Every entry in which the two differ, part by part in the order of `Part`, then by name."""
    return tuple(
        Difference(part, entry, _what(entry, approved.part(part), now.part(part)))
        for part in Part
        for entry in sorted({*approved.part(part), *now.part(part)})
        if approved.part(part).get(entry) != now.part(part).get(entry)
    )


def _what(entry: str, before: Entries, after: Entries) -> str:
    if entry not in before:
        return "added"
    return "changed" if entry in after else "removed"


def canonical(value: Any) -> bytes:
    """JSON that is the same for the same content: keys sorted, no space, ASCII. ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 in hexadecimal of a value's canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


def model_entries(model: Mapping[str, Any]) -> dict[str, str]:
    """Digests of a stack's model, one for each thing in its lists and one for each field beside them."""
    entries: dict[str, str] = {}
    for field, value in model.items():
        things = [(f"{field} {_name(each)}", each) for each in value] if isinstance(value, list) else [(field, value)]
        for name, thing in things:
            entries[_free(f"{model['stack']} {name}".rstrip(), entries)] = digest(thing)
    return entries


def _name(thing: Any) -> str:
    """What people call a thing: its own name, and the node where it is one of many with that name."""
    if not isinstance(thing, Mapping):
        return str(thing)
    own = next((str(thing[key]) for key in ("name", "label", "policy", "site") if key in thing), "")
    return f"{own} on {thing['node']}" if "node" in thing else own


def _free(name: str, taken: Mapping[str, str]) -> str:
    """The name, numbered where another thing has it: two things never share a digest's place."""
    names = chain([name], (f"{name} #{number}" for number in count(2)))
    return next(each for each in names if each not in taken)


def step_entries(plan: Plan) -> dict[str, str]:
    """Digests of a plan's steps; the plan orders them by URN, since the engine's own order is that of its threads.

    Nothing else is left out: inputs before and after, what forces a replacement, what the provider calls different.
    A secret counts by whether it changes, which the plan says without its value.
    """
    return {f"{plan.stack} {step.op} {step.urn}": digest(_step(step)) for step in plan.steps}


def _step(step: Step) -> dict[str, Any]:
    return {
        "op": step.op,
        "urn": step.urn,
        "type": step.type,
        "before": step.before,
        "after": step.after,
        "replacing": step.replacing,
        "changing": step.changing,
        "protected": step.protected,
    }


def finding_entries(plan: Plan) -> dict[str, str]:
    """Digests of what the policy pack objects to in a plan, so that no objection appears behind an approval."""
    return {f"{plan.stack} {each}": digest(each.level) for each in plan.policies}


def merged(parts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Entries of several layers as one; ValueError where two have the same name, of which one would be lost."""
    found: dict[str, str] = {}
    for entries in parts:
        if twice := found.keys() & entries.keys():
            raise ValueError(f"{sorted(twice)[0]} is there twice")
        found.update(entries)
    return found
