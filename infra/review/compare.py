"""What differs between two snapshots. Pure: the same two give the same comparison."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain

from infra.estate.order import natural
from infra.review.change import Action, Change, Comparison, Folded, PropertyChange
from infra.review.expected import Expectations
from infra.review.model_items import KINDS
from infra.review.renames import Rename, find_renames, moves
from infra.review.snapshot import Item, Snapshot, Value
from infra.review.values import differ, leaves

# What the providers change in place; any other property of these makes the resource anew.
_IN_PLACE = {
    "docker:index/container:Container": {
        "cpuSet",
        "cpuShares",
        "cpus",
        "maxRetryCount",
        "memory",
        "memorySwap",
        "restart",
        "outputs",
    },
    "docker:index/network:Network": {"outputs"},
    "docker:index/volume:Volume": {"labels", "outputs"},
}
# Kept by the engine itself, which changes no resource for them.
_GUARDS = {"protect", "retainOnDelete"}
# Of our own provider's resources only these make another one.
_IDENTITY = {
    "etape:index:Bucket": {"name"},
    "etape:index:Cable": {"label"},
    "etape:index:Credential": {"length", "outputs.secret"},
    "etape:index:Machine": {"node", "outputs.host_key"},
}


def compare(a: Snapshot, b: Snapshot) -> Comparison:
    """Every difference on the way from `a` to `b`, unjudged; things in the order of layers and kinds."""
    left, right = ({item.identity: item for item in _comparable(*sides)} for sides in ((a, b), (b, a)))
    removed = [item for identity, item in left.items() if identity not in right]
    added = [item for identity, item in right.items() if identity not in left]
    renames, questions = find_renames(removed, added, a, b)
    names = {each.before.name: each.after.name for each in renames if each.before.kind != "service"}
    comparing = _Comparing(a, b, Expectations(a, b, names))
    kept = [comparing.pair(item, right[identity]) for identity, item in left.items() if identity in right]
    renamed = [comparing.renamed(each) for each in renames]
    before, after = ({id(getattr(each, side)) for each in renames} for side in ("before", "after"))
    lone = [_lone(item, Action.REMOVE) for item in removed if id(item) not in before]
    lone += [_lone(item, Action.ADD) for item in added if id(item) not in after]
    differing = [change for change in kept if change is not None]
    told = [change for change in differing if _to_tell(change)]
    return Comparison(
        a,
        b,
        tuple(sorted(chain(told, renamed, lone), key=_place)),
        tuple(sorted((change for change in differing if not _to_tell(change)), key=_place)),
        comparing.folded(),
        len(kept) - len(differing),
        questions,
    )


def _comparable(side: Snapshot, other: Snapshot) -> Iterable[Item]:
    """Of a layer whose model the other side has lost only the resources: the rest would look new, or gone."""
    lost = {item.layer for item in other.items} - {item.layer for item in other.of_kind("stack")}
    return (item for item in side.items if item.is_resource or item.layer not in lost)


class _Comparing:
    """Compares things and counts what explains their differences."""

    def __init__(self, a: Snapshot, b: Snapshot, expectations: Expectations) -> None:
        self._a, self._b, self._expectations = a, b, expectations
        self._causes: Counter[str] = Counter()
        self._things: dict[str, set[int]] = {}

    def pair(self, before: Item, after: Item) -> Change | None:
        """The change of one thing; None where it is equal."""
        found = tuple(self._properties(before, after))
        if not found:
            return None
        action = Action.REPLACE if self._replaces(before, after, found) else Action.CHANGE
        return Change(
            after.kind, after.name, action, found, before, after, moves(before, after), _reason(before, after)
        )

    def renamed(self, rename: Rename) -> Change:
        before, after = rename.before, rename.after
        note = f"renamed from {before.name}: {rename.why}"
        found = tuple(self._properties(before, after))
        return Change(after.kind, after.name, Action.RENAME, found, before, after, note, _reason(before, after))

    def folded(self) -> tuple[Folded, ...]:
        """The causes, the one that explains most first."""
        return tuple(Folded(cause, count, len(self._things[cause])) for cause, count in self._causes.most_common())

    def _properties(self, before: Item, after: Item) -> Iterable[PropertyChange]:
        x = {self._expectations.a.path(path): (path, value) for path, value in leaves(before.properties).items()}
        y = {self._expectations.b.path(path): (path, value) for path, value in leaves(after.properties).items()}
        for general in dict.fromkeys((*x, *y)):
            path, old = x.get(general, ("", None))
            path, new = y.get(general, (path, None))
            # What only one source can know is no difference: a declaration has no outputs.
            reported = general.startswith("outputs.") and None in (old, new)
            if not reported and differ(old, new):
                yield self._property(before, after, path, old, new)

    def _property(self, before: Item, after: Item, path: str, old: Value, new: Value) -> PropertyChange:
        cause = self._expectations.cause(before, after, path, old, new)
        if cause:
            self._causes[cause] += 1
            self._things.setdefault(cause, set()).add(id(after))
        return PropertyChange(path, old, new, bool(cause))

    def _replaces(self, before: Item, after: Item, found: tuple[PropertyChange, ...]) -> bool:
        """As the engine says where it was asked; else as the providers do it."""
        if before.stack != after.stack:
            return False
        if self._b.replaced is not None:
            return after.identity in self._b.replaced
        heads = {re.split(r"[.\[]", each.path)[0] for each in found} - _GUARDS
        if after.kind in _IN_PLACE:
            return not heads <= _IN_PLACE[after.kind]
        return bool(heads.union(each.path for each in found) & _IDENTITY.get(after.kind, set()))


def _to_tell(change: Change) -> bool:
    """A machine made anew is looked at even where what asks for it is told elsewhere."""
    return bool(change.unexpected) or change.action is Action.REPLACE


def _lone(item: Item, action: Action) -> Change:
    gone = action is Action.REMOVE
    found = tuple(
        PropertyChange(path, value if gone else None, None if gone else value, False)
        for path, value in leaves(item.properties).items()
    )
    before, after = (item, None) if gone else (None, item)
    return Change(item.kind, item.name, action, found, before, after, reason=item.reason)


def _reason(before: Item, after: Item) -> str:
    if before.reason == after.reason or not before.reason:
        return after.reason
    return f"{after.reason or 'no reason now'}; before: {before.reason}"


def _place(change: Change) -> tuple:
    kind = (0, KINDS.index(change.kind)) if change.kind in KINDS else (1, 0)
    return (not change.stack.endswith("-core"), kind, change.kind, natural(change.name))
