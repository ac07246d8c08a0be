"""Gathers what an approval covers: the files of the checkout, the estates, the engine's plans."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.approval.digest import Covered, Entries, digest, finding_entries, merged, model_entries, step_entries
from infra.estate.model import Estate
from infra.plan import Plan
from infra.render.model import render_model

# Everything that decides what an `up` makes of the estate's data, inside the machines too.
_PROGRAM = (
    "Pulumi.yaml",
    "ansible.cfg",
    "requirements.lock",
    "infra",
    "playbooks",
    "services",
    "stacks/courses",
    "tools",
)
_POLICY = "infra/policy"
# Made from what is covered: caches, libraries that a lock pins, pages that are built from their sources.
_MADE = frozenset({"__pycache__", "node_modules", "static", "stamp.json"})


@dataclass(frozen=True)
class Sources:
    """What a checkout decides: whoever has the same files gets the same, without an engine."""

    program: Entries
    model: Entries
    policy: Entries


def read_sources(root: Path, layers: Sequence[Estate]) -> Sources:
    """Digests of the checkout in `root` and of the layers that a plan is about."""
    files = dict(_files(root))
    models = [dict(render_model(layer)) for layer in layers]
    waivers = merged(_waivers(model) for model in models)
    return Sources(
        program={name: content for name, content in files.items() if not _is_policy(name)},
        model=merged(model_entries(model) for model in models),
        policy={**{name: content for name, content in files.items() if _is_policy(name)}, **waivers},
    )


def covered_by(sources: Sources, plans: Sequence[Plan], asked: Mapping[str, object]) -> Covered:
    """Everything that the plans of all layers come from and hold; `asked` is what the operator chose beside them."""
    return Covered(
        program=sources.program,
        model=sources.model,
        policy=sources.policy,
        config=merged(
            (
                {name: str(value) for name, value in asked.items()},
                *({f"{plan.stack} {name}": value for name, value in plan.config.items()} for plan in plans),
            )
        ),
        engine={f"{plan.stack} pulumi": plan.engine for plan in plans},
        steps=merged(entries for plan in plans for entries in (step_entries(plan), finding_entries(plan))),
    )


def _waivers(model: dict) -> dict[str, str]:
    """The waivers of a model as entries of their own; they are taken out of it: one change is told once."""
    return {
        f"{model['stack']} waiver {each['policy']} for {each['resource']}": digest(each)
        for each in model.pop("waivers", ())
    }


def _files(root: Path) -> Iterator[tuple[str, str]]:
    for place in _PROGRAM:
        for path in _below(root / place):
            yield str(path.relative_to(root)), hashlib.sha256(path.read_bytes()).hexdigest()


def _below(place: Path) -> Iterable[Path]:
    if place.is_file():
        return (place,)
    found = (path for path in place.rglob("*") if not _MADE.intersection(path.parts) and path.is_file())
    return sorted(found)


def _is_policy(name: str) -> bool:
    return name.startswith(f"{_POLICY}/")
