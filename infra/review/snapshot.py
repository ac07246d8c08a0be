"""One state of the estate, whatever it was read from: what the model declares, what is applied, what is there."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.trouble import Trouble

Value = Any
"""JSON, with Secret, Reference, Unknown and Default as further leaves."""

PROMISED = "etape: known only once it is made"
"""Stands in a declaration for a value that only an engine gives."""

Identity = tuple[str, str, str]
"""Layer, kind, name."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Stands for a secret value: equal digests are equal values, and nothing else can be learned from it."""

    digest: str
    """First 16 hexadecimal digits of an HMAC-SHA-256 with the key of an ETAPE_HOME; empty where the value cannot be
    told, or is not made yet: such a one differs from no other secret."""

    @classmethod
    def of(cls, value: Any, key: bytes) -> "Secret":
        """From the value, any JSON; the key keeps short values from being guessed from their digests."""
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        return cls(hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for another resource's id: the same wherever the resource is, though each engine gives other ids."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands for a value that is known only once its resource is made; differs from nothing."""


@dataclass(frozen=True, slots=True)
class Default:
    """A value that a provider filled in: where nobody asked for one, it is no difference."""

    value: Value


@dataclass(frozen=True, slots=True)
class Item:
    """One thing: a Pulumi resource (`kind` is its type, docker:index/container:Container) or a thing of the model."""

    kind: str
    """For things of the model one of `infra.review.model_items.KINDS`."""
    name: str
    stack: str
    properties: Mapping[str, Value]
    reason: str
    """Why it is there and as it is, from the model."""

    @property
    def is_resource(self) -> bool:
        """Whether Pulumi makes it."""
        return ":" in self.kind

    @property
    def identity(self) -> Identity:
        """What stays the same from day to day and from year to year."""
        return self.layer, self.kind, self.name

    @property
    def layer(self) -> str:
        """`core` or `stage`."""
        return "core" if self.stack.endswith("-core") else "stage"


@dataclass(frozen=True)
class Snapshot:
    """Everything of one or more stacks at one moment."""

    title: str
    """As it was asked for: `2017-s09@applied`."""
    source: str
    """In words: what the model declares, what was applied."""
    stacks: tuple[str, ...]
    at: str
    """When that state was made: ISO 8601 with its zone; empty where nobody knows."""
    who: str
    """Who made it; empty where nobody knows."""
    items: tuple[Item, ...]
    questions: tuple[str, ...] = ()
    """What could not be found out, each as a sentence."""
    replaced: frozenset[Identity] | None = None
    """What the engine says that it makes anew; None where it was not asked."""

    def find(self, kind: str, name: str) -> Item | None:
        """The thing of that kind and name, of whatever stack."""
        return next((item for item in self.of_kind(kind) if item.name == name), None)

    def of_kind(self, kind: str) -> tuple[Item, ...]:
        """All things of a kind."""
        return self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> dict[str, tuple[Item, ...]]:
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.kind, []).append(item)
        return {kind: tuple(items) for kind, items in found.items()}


def together(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Several layers at one moment as one state; the last one's time and author stand for all."""
    anew = [each.replaced for each in snapshots if each.replaced is not None]
    return Snapshot(
        " and ".join(each.title for each in snapshots),
        ", ".join(dict.fromkeys(each.source for each in snapshots)),
        tuple(stack for each in snapshots for stack in each.stacks),
        snapshots[-1].at,
        snapshots[-1].who,
        tuple(item for each in snapshots for item in each.items),
        tuple(question for each in snapshots for question in each.questions),
        frozenset[Identity]().union(*anew) if anew else None,
    )


class ReviewError(Trouble):
    """Something cannot be reviewed."""
