"""A stored checkpoint, of this morning or of a stage long past, as policies read resources."""

import json
from collections.abc import Mapping
from json import JSONDecodeError
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

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


class _Resource(BaseModel):
    urn: Annotated[str, Field(pattern=r"^urn:pulumi:.+::.+")]
    type: str
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    protect: bool = False
    delete: bool = False
    """Whether it waits for its deletion, replaced by another one of the same URN."""
    secret_outputs: Annotated[frozenset[str], Field(alias="additionalSecretOutputs")] = frozenset()


class _Deployment(BaseModel):
    resources: list[_Resource] | None = None


class _Checkpoint(BaseModel):
    latest: _Deployment | None = None


class _Stored(BaseModel):
    """Either what `pulumi stack export` gives, or what the backend keeps."""

    deployment: _Deployment | None = None
    checkpoint: _Checkpoint | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "_Stored":
        if self.deployment is None and self.checkpoint is None:
            raise ValueError("it has neither a `deployment` nor a `checkpoint`")
        return self


def audit_checkpoint(deployment: Mapping[str, Any], facts: Facts) -> tuple[Finding, ...]:
    """Hold a stored checkpoint to the policies. Raises CheckpointError."""
    return check(items_of(deployment), facts)


def items_of(deployment: Mapping[str, Any]) -> tuple[PolicyItem, ...]:
    """The resources of a checkpoint; none for a stack that was destroyed. Raises CheckpointError."""
    try:
        stored = _Stored.model_validate(deployment)
        inner = stored.deployment or (stored.checkpoint.latest if stored.checkpoint else None)
        return tuple(_item(each) for each in (inner.resources if inner else None) or () if not each.delete)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _corrupt(f"{where}: {first['msg']}" if where else first["msg"]) from None
    except JSONDecodeError as error:
        raise _corrupt(f"a secret in it is cut off ({error})") from None


def _corrupt(reason: str) -> CheckpointError:
    remedy = "take the one before it from the stack's history or from the evidence"
    return CheckpointError(f"the checkpoint is corrupt: {reason}; {remedy}")


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


def _item(resource: _Resource) -> PolicyItem:
    return PolicyItem(
        type=resource.type,
        name=resource.urn.rpartition("::")[2],
        urn=resource.urn,
        properties=read_properties({**(resource.inputs or {}), **(resource.outputs or {})}),
        protect=resource.protect,
        secret_outputs=resource.secret_outputs,
    )


def _plaintext(secret: Mapping[str, Any]) -> Any:
    """The value of a secret on the wire, or in a checkpoint that shows it; None for one that is encrypted."""
    if "value" in secret:
        return read_properties(secret["value"])
    return read_properties(json.loads(secret["plaintext"])) if "plaintext" in secret else None


def _is_unknown(value: Any) -> bool:
    return isinstance(value, str) and value in _UNKNOWN
