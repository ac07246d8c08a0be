"""What an up would leave: what is applied, with the steps of a plan carried out on paper."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from infra.plan import Plan, Step
from infra.review.resources import ReasonOf, Seal, read_inputs
from infra.review.snapshot import Identity, Item, Reference, Secret, Unknown, Value

_MADE_BY_PROVIDERS = ("docker:", "etape:index:", "pulumi:providers:")
_GUARDS = ("protect", "retainOnDelete")


def carry_out(
    applied: Sequence[Item],
    declared: Sequence[Item],
    plan: Plan,
    names: Mapping[str, Reference],
    seal: Seal,
    reason: ReasonOf,
) -> tuple[tuple[Item, ...], frozenset[Identity]]:
    """The resources afterwards, and which of them are made anew. `declared` tells what a plan does not: guards."""
    there = {(item.kind, item.name): item for item in applied}
    guards = {(item.kind, item.name): _guards(item) for item in declared}
    anew = set()
    for step in plan.steps:
        key = step.type, step.name
        if not step.type.startswith(_MADE_BY_PROVIDERS):
            continue
        if step.after is None:
            there.pop(key, None)
            continue
        item = _after(step, plan.stack, there.get(key), read_inputs(step.after, names, seal), reason)
        there[key] = item
        if "replace" in step.op:
            anew.add(item.identity)
    items = (replace(item, properties={**_unguarded(item), **guards.get(key, {})}) for key, item in there.items())
    return tuple(sorted(items, key=lambda item: (item.kind, item.name))), frozenset(anew)


def _guards(item: Item) -> dict[str, Value]:
    return {name: item.properties[name] for name in _GUARDS if name in item.properties}


def _unguarded(item: Item) -> dict[str, Value]:
    return {name: value for name, value in item.properties.items() if name not in _GUARDS}


def _after(step: Step, stack: str, before: Item | None, inputs: dict[str, Value], reason: ReasonOf) -> Item:
    old = before.properties if before else {}
    told = {name: Unknown() for name in old.get("outputs", {})} if "replace" in step.op else old.get("outputs", {})
    kept = _with_secrets(inputs, old, step.changing, "")
    outputs = {**told, **inputs.get("outputs", {})}
    return Item(
        step.type, step.name, stack, {**kept, **({"outputs": outputs} if outputs else {})}, reason(step.type, step.name)
    )


def _with_secrets(new: Value, old: Value, changing: Sequence[str], path: str) -> Value:
    """A plan hides secrets: one that does not change keeps the digest that it has."""
    if isinstance(new, Secret) and isinstance(old, Secret):
        return new if any(_touches(each, path) for each in changing) else old
    if isinstance(new, Mapping):
        held = old if isinstance(old, Mapping) else {}
        return {
            name: _with_secrets(value, held.get(name), changing, f"{path}.{name}" if path else name)
            for name, value in new.items()
        }
    return new


def _touches(changed: str, path: str) -> bool:
    return (
        changed == path
        or changed.startswith((f"{path}.", f"{path}["))
        or path.startswith((f"{changed}.", f"{changed}["))
    )
