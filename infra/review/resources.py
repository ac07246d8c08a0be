"""Pulumi resources from a checkpoint, with one form of each property wherever the checkpoint came from."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.plan import SECRET, UNKNOWN
from infra.review.snapshot import PROMISED, Default, Item, Reference, Secret, Unknown, Value

Seal = Callable[[Mapping[str, Any]], Secret]
"""From a checkpoint's secret object (`ciphertext`, or `value` where nothing encrypted it) to its digest."""
ReasonOf = Callable[[str, str], str]
"""Why a resource is there, by its type and name."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_IS_SECRET = "1b47061264138c4ac30d75fd1eb44270"
# Pulumi's Python package has these names, the plugin that is built from the same upstream has others.
_SPELLINGS = {"commands": "command", "networksAdvanceds": "networksAdvanced"}
# What the provider reports of reality; everything else that it adds to the inputs changes with every machine.
_REPORTED = ("condition", "host_key")
_BOOKKEEPING = frozenset({"__defaults", "__internal", "version", *_REPORTED})


def read_resources(stack: str, deployment: Mapping[str, Any], seal: Seal, reasons: ReasonOf) -> tuple[Item, ...]:
    """Everything that a provider makes; components only group it. Ordered by type and name."""
    listed = [each for each in deployment.get("resources") or () if each.get("custom") and not each.get("delete")]
    names = _references(listed)

    def read(resource: Mapping[str, Any]) -> Item:
        kind, name = resource["type"], resource["urn"].rpartition("::")[2]
        return Item(kind, name, stack, _properties(resource, names, seal), reasons(kind, name))

    return tuple(sorted(map(read, listed), key=lambda item: (item.kind, item.name)))


def read_inputs(inputs: Mapping[str, Any], names: Mapping[str, Reference], seal: Seal) -> dict[str, Value]:
    """A resource's inputs; what the engine observed of reality stands under `outputs`."""
    values = _mapping(inputs, names, seal)
    return {**values, **_outputs({name: inputs[name] for name in _REPORTED if name in inputs}, seal)}


def references(deployment: Mapping[str, Any]) -> dict[str, Reference]:
    """Which resource has an id, by the id."""
    return _references([each for each in deployment.get("resources") or () if each.get("custom")])


def _references(resources: Iterable[Mapping[str, Any]]) -> dict[str, Reference]:
    """Only ids that an engine invented: one that is a name is that name wherever it stands."""
    found = {}
    for each in resources:
        name = each["urn"].rpartition("::")[2]
        if each.get("id") and each["id"] not in {name, each.get("inputs", {}).get("name")}:
            found[each["id"]] = Reference(each["type"], name)
    return found


def _properties(resource: Mapping[str, Any], names: Mapping[str, Reference], seal: Seal) -> dict[str, Value]:
    guarded = {option: True for option in ("protect", "retainOnDelete") if resource.get(option)}
    values = read_inputs(resource.get("inputs") or {}, names, seal)
    told = {**values.pop("outputs", {}), **_outputs(resource.get("outputs") or {}, seal).get("outputs", {})}
    return {**values, **guarded, **({"outputs": told} if told else {})}


def _outputs(outputs: Mapping[str, Any], seal: Seal) -> dict[str, dict[str, Value]]:
    told = {name: _value(value, {}, seal) for name, value in outputs.items() if name in _REPORTED or _secret(value)}
    return {"outputs": told} if told else {}


def _mapping(values: Mapping[str, Any], names: Mapping[str, Reference], seal: Seal) -> dict[str, Value]:
    filled_in = set(values.get("__defaults") or ())
    read = {}
    for name, value in values.items():
        if name not in _BOOKKEEPING:
            told = _value(value, names, seal)
            read[_SPELLINGS.get(name, name)] = Default(told) if name in filled_in else told
    return read


def _value(value: Any, names: Mapping[str, Reference], seal: Seal) -> Value:
    if isinstance(value, Mapping):
        if _secret(value):
            return seal(value)
        return Unknown() if value == UNKNOWN else _mapping(value, names, seal)
    if isinstance(value, list):
        return [_value(each, names, seal) for each in value]
    if value == PROMISED:
        return Unknown()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return names.get(value, value) if isinstance(value, str) else value


def _secret(value: Any) -> bool:
    return isinstance(value, Mapping) and (value.get(_SIGNATURE) == _IS_SECRET or value == SECRET)
