"""The estate's own things, with the reason for each, from its canonical JSON: that of today or one that was kept.

Pulumi knows machines and cables; what a machine is for, its addresses, its services and their limits are here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.review.snapshot import Item

Model = Mapping[str, Any]
"""As `infra.render.model.render_model` makes it."""

KINDS = (
    "stack",
    "stage",
    "calendar",
    "site",
    "segment",
    "node",
    "link",
    "service",
    "endpoint",
    "bucket",
    "capacity",
    "person",
    "waiver",
)
"""In the order in which a person reads them; `calendar` is one stage of an edition's list."""

_HEAD = ("title", "scale", "demand", "management", "supernets", "time_servers", "approval")
# Says where a waiver stands, not what it allows.
_PLACE = ("file", "field")


def read_model(model: Model) -> tuple[Item, ...]:
    """Every thing of a stack's model; fields that are new to this reader come along by themselves."""
    reason = Reasons(model)
    stack = model["stack"]

    def items(kind: str, listed: Iterable[Mapping[str, Any]], name: Callable[[Mapping[str, Any]], str]) -> list[Item]:
        return [
            Item(kind, name(each), stack, {k: v for k, v in each.items() if k not in _PLACE}, reason(kind, name(each)))
            for each in listed
        ]

    head = {name: model[name] for name in _HEAD if name in model}
    return (
        Item("stack", model["layer"], stack, head, "what holds for the whole stack"),
        *items("stage", [model["stage"]] if model["stage"] else [], lambda each: "stage"),
        *items("site", model["sites"], _by("name")),
        *items("segment", model["segments"], _by("name")),
        *items("node", model["nodes"], _by("name")),
        *items("link", model["links"], _by("label")),
        *items("service", model["services"], lambda each: f"{each['name']} on {each['node']}"),
        *items("endpoint", model["endpoints"], _by("site")),
        *items("bucket", model.get("buckets", ()), _by("name")),
        *_capacity(model, reason),
        *items("person", model.get("people", ()), _by("name")),
        *items("waiver", model.get("waivers", ()), lambda each: f"{each['policy']} for {each['resource']}"),
    )


def read_calendar(edition: str, stages: Iterable[Mapping[str, Any]]) -> tuple[Item, ...]:
    """An edition's list of stages."""
    return tuple(
        Item("calendar", f"stage {each['number']:02}", f"{edition}-core", each, "the route of the year")
        for each in stages
    )


def _by(field: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda each: each[field]


def _capacity(model: Model, reason: "Reasons") -> Iterable[Item]:
    """What a stage gets at this part of its day; why is the reason, not a property that differs by itself."""
    for each in model.get("capacity", ()):
        name = capacity_name(each)
        amount = {part: each[part] for part in ("rest", "race")}
        yield Item("capacity", name, model["stack"], amount, reason("capacity", name))


def capacity_name(capacity: Mapping[str, Any]) -> str:
    """What people call it: `processor machines`."""
    return f"{capacity['subject']} {capacity['quantity']}"


class Reasons:
    """Why things of one stack are there and as they are; without a model there are none."""

    def __init__(self, model: Model | None) -> None:
        self._model = model
        listed = model or {}
        self._nodes = {each["name"]: each for each in listed.get("nodes", ())}
        self._links = {each["label"]: each for each in listed.get("links", ())}
        self._segments = {each["name"]: each for each in listed.get("segments", ())}
        part = listed.get("demand") or "race"
        self._capacity = {
            (each["subject"], each["quantity"]): each[f"{part}_reason"] for each in listed.get("capacity", ())
        }

    def __call__(self, kind: str, name: str) -> str:
        """One sentence without a full stop; empty where the model does not tell."""
        if self._model is None:
            return ""
        match kind.rpartition(":")[2].lower():
            case "node" | "container" | "machine":
                return self._of_node(name)
            case "volume":
                return self._of_volume(name)
            case "link" | "cable":
                return self._of_link(name)
            case "service":
                return self._of_service(name)
            case "bucket":
                return self._of("buckets", "name", name, "title")
            case "site":
                return self._of("sites", "name", name, "title")
            case "endpoint":
                return self._of("endpoints", "site", name, "purpose")
            case "waiver":
                return self._of("waivers", "policy", name.partition(" for ")[0], "reason")
            case "person":
                return f"may act as {', '.join(self._of('people', 'name', name, 'roles'))}"
            case "segment":
                return self._of_segment(name)
            case "stage":
                return "a line of stages.csv"
            case "capacity":
                subject, _, quantity = name.rpartition(" ")
                return self._capacity[subject, quantity]
            case "network":
                return f"out-of-band management of the {self._model['layer']}'s machines, {self._model['management']}"
            case "credential":
                return "a secret that the season's services share"
        return ""

    def _of_node(self, name: str) -> str:
        node = self._nodes.get(name)
        if node is None:
            return ""
        grown = self._capacity.get((node["role"], "machines"))
        return f"{node['title']}, at {node['site']}" + (f" ({grown})" if grown else "")

    def _of_volume(self, name: str) -> str:
        node = name.removesuffix("-data")
        keeping = [each["title"] for each in self._services_on(node) if each["keeps_data"]]
        return f"data that outlive {node}: {', '.join(keeping)}" if keeping else ""

    def _services_on(self, node: str) -> list[Mapping[str, Any]]:
        return [each for each in (self._model or {})["services"] if each["node"] == node]

    def _of_link(self, label: str) -> str:
        link = self._links.get(label)
        if link is None:
            return ""
        a, b = (f"{end['node']} {end['port']}" for end in (link["a"], link["b"]))
        return f"carries {link['segment']} between {a} and {b}"

    def _of_segment(self, name: str) -> str:
        segment = self._segments[name]
        return segment["title"] + ("; counted from the stage's number" if segment.get("daily") else "")

    def _of_service(self, name: str) -> str:
        service, _, node = name.partition(" on ")
        title = next((each["title"] for each in self._services_on(node) if each["name"] == service), "")
        grown = [self._capacity.get((service, quantity)) for quantity in ("cpu_percent", "memory_mb")]
        told = "; ".join(dict.fromkeys(each for each in grown if each))
        return f"{title} ({told})" if told else title

    def _of(self, listed: str, key: str, name: str, field: str) -> Any:
        return next((each[field] for each in (self._model or {}).get(listed, ()) if each[key] == name), "")
