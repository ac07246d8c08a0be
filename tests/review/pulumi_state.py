"""A stored deployment as Pulumi writes it, with real encryption; and an engine that knows nothing else."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from infra.checkpoint import PastDeployment
from infra.plan import Plan

PASSPHRASE = "a passphrase of tests"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_IS_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_SALT = b"salt-for"
_CIPHER = AESGCM(PBKDF2HMAC(SHA256(), 32, _SALT, 1_000_000).derive(PASSPHRASE.encode()))


def encrypted(value: Any, nonce: int = 1) -> dict[str, str]:
    """A secret as a checkpoint holds it; another nonce gives another text for the same value."""
    return {_SIGNATURE: _IS_SECRET, "ciphertext": _text(json.dumps(value), nonce)}


def _text(plain: str, nonce: int) -> str:
    number = nonce.to_bytes(12, "big")
    coded = (base64.b64encode(each).decode() for each in (number, _CIPHER.encrypt(number, plain.encode(), None)))
    return "v1:" + ":".join(coded)


def resource(stack: str, kind: str, name: str, inputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """One resource of a checkpoint."""
    urn = f"urn:pulumi:{stack}::etape::etape:lab:Node${kind}::{name}"
    return {"urn": urn, "type": kind, "custom": True, "id": f"{len(name):02x}{name}", "inputs": inputs, **more}


def deployment(*resources: Mapping[str, Any], salt: bytes = _SALT) -> dict[str, Any]:
    """A checkpoint in the form of `pulumi stack export`."""
    state = {"salt": f"v1:{base64.b64encode(salt).decode()}:{_text('pulumi', 7)}"}
    return {
        "version": 3,
        "deployment": {
            "secrets_providers": {"type": "passphrase", "state": state},
            "resources": list(resources),
        },
    }


class FakeEngine:
    """What was done to stacks, and what is there; previews as they were given."""

    def __init__(self, **plans: Plan) -> None:
        self.done: dict[str, list[tuple[datetime, dict]]] = {}
        self.really: dict[str, dict] = {}
        self.plans = plans

    def did(self, stack: str, at: str, found: dict) -> None:
        """An up of the stack that ended at a time (UTC)."""
        self.done.setdefault(stack, []).append((datetime.fromisoformat(at).replace(tzinfo=UTC), found))

    def export(self, stack: str) -> dict:
        return self.done[stack][-1][1]

    def actual(self, stack: str) -> dict:
        return self.really[stack]

    def preview(self, stack: str, config: Mapping[str, str]) -> Plan:
        return self.plans[stack]

    def history(self, stack: str) -> tuple[PastDeployment, ...]:
        return tuple(
            PastDeployment(at, "update", "succeeded", "", {}, lambda found=found: found)
            for at, found in self.done.get(stack, ())
        )
