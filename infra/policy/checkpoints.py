"""A stored checkpoint, of this morning or of a stage long past, as policies read resources."""

import json
from collections.abc import Mapping
from typing import Any

from infra.policy.model import Facts, Finding, PolicyItem, Secret
from infra.policy.rules import check

# How Pulumi marks a secret, in a checkpoint and on the wire.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_IS_SECRET = "1b47061264138c4ac30d75fd1eb44270"
# How it says that only the engine will know a value.
_UNKNOWN = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class CheckpointError(Exception):
    """A checkpoint that is none; says what is wrong with it and what to do."""


def audit_checkpoint(deployment: Mapping[str, Any], facts: Facts) -> tuple[Finding, ...]:
    """Hold a stored checkpoint to today's policies. Raises CheckpointError."""
    return check(items_of(deployment), facts)


def items_of(deployment: Mapping[str, Any]) -> tuple[PolicyItem, ...]:
    """The resources of a checkpoint, as `pulumi stack export` gives it or as the backend stores it."""
    try:
        resources = _resources(deployment)
        return tuple(_item(resource) for resource in resources if not resource.get("delete"))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint is corrupt: {type(error).__name__} {error}. "
            "Take the one before it from the stack's history or from the evidence"
        ) from None


def read_properties(value: Any) -> Any:
    """A value of Pulumi's wire or checkpoint with secrets marked, and without what is not known yet."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _IS_SECRET:
            return Secret(_plaintext(value))
        known = {name: each for name, each in value.items() if not _is_unknown(each)}
        return {name: read_properties(each) for name, each in known.items() if name != "__defaults"}
    if isinstance(value, list):
        return [read_properties(each) for each in value if not _is_unknown(each)]
    return value


def _resources(deployment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    inner = deployment["checkpoint"]["latest"] if "checkpoint" in deployment else deployment["deployment"]
    return inner.get("resources") or []


def _item(resource: Mapping[str, Any]) -> PolicyItem:
    urn, kind = resource["urn"], resource["type"]
    if not (isinstance(urn, str) and isinstance(kind, str) and urn.startswith("urn:pulumi:")):
        raise ValueError(f"{urn!r} is no URN of Pulumi's")
    return PolicyItem(
        type=kind,
        name=urn.rpartition("::")[2],
        urn=urn,
        properties=read_properties({**(resource.get("inputs") or {}), **(resource.get("outputs") or {})}),
        protect=bool(resource.get("protect")),
        secret_outputs=frozenset(resource.get("additionalSecretOutputs") or ()),
    )


def _plaintext(secret: Mapping[str, Any]) -> Any:
    """The value of a secret on the wire, or in a checkpoint that shows it; None for one that is encrypted."""
    if "value" in secret:
        return read_properties(secret["value"])
    return read_properties(json.loads(secret["plaintext"])) if "plaintext" in secret else None


def _is_unknown(value: Any) -> bool:
    return isinstance(value, str) and value in _UNKNOWN
