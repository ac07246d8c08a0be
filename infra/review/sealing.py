"""Secrets of a checkpoint as keyed digests: whether one was rotated is told, the value never leaves this module."""

import base64
import json
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from infra.durable import write_once
from infra.review.snapshot import PROMISED, Secret

_ROUNDS = 1_000_000
_KNOWN_TEXT = '"pulumi"', "pulumi"


def digest_key(home: Path) -> bytes:
    """The key of all digests of one ETAPE_HOME, made at its first use: digests of two homes are not comparable."""
    path = home / "review.key"
    write_once(path, secrets.token_hex(32))
    return bytes.fromhex(path.read_text())


class Sealer:
    """Digests the secrets of one deployment."""

    def __init__(self, key: bytes, deployment: Mapping[str, Any], passphrase: str) -> None:
        """A deployment whose secrets this passphrase does not open is no error: see `question`."""
        self._key = key
        self._cipher = _cipher(deployment.get("secrets_providers") or {}, passphrase)
        self.question = ""
        """What could not be found out, once a secret was met that cannot be opened."""

    def __call__(self, secret: Mapping[str, Any]) -> Secret:
        """From a secret object: `ciphertext`, or `value` where nothing encrypted it."""
        if "ciphertext" in secret:
            return self._opened(secret["ciphertext"])
        value = secret.get("value", PROMISED)
        return Secret("") if PROMISED in json.dumps(value) else Secret.of(value, self._key)

    def _opened(self, ciphertext: str) -> Secret:
        try:
            if self._cipher is not None:
                return Secret.of(json.loads(_decrypt(self._cipher, ciphertext)), self._key)
        except (InvalidTag, ValueError):
            pass
        self.question = "secrets could not be opened with this machine's passphrase: whether they changed is not known"
        return Secret("")


def _cipher(provider: Mapping[str, Any], passphrase: str) -> AESGCM | None:
    """Pulumi's own scheme for passphrases: PBKDF2 over a salt that stands beside a known text."""
    salt = (provider.get("state") or {}).get("salt", "")
    if provider.get("type") != "passphrase" or salt.count(":") < 4 or not passphrase:
        return None
    _, encoded, proof = salt.split(":", 2)
    cipher = AESGCM(_derived(passphrase, encoded))
    try:
        return cipher if _decrypt(cipher, proof) in _KNOWN_TEXT else None
    except InvalidTag:
        return None


@cache
def _derived(passphrase: str, salt: str) -> bytes:
    """Half a second; both sides of a comparison mostly have the same."""
    return PBKDF2HMAC(SHA256(), 32, base64.b64decode(salt), _ROUNDS).derive(passphrase.encode())


def _decrypt(cipher: AESGCM, text: str) -> str:
    version, nonce, ciphertext = text.split(":")
    if version != "v1":
        raise ValueError(f"a secret of the unknown form {version!r}")
    return cipher.decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), None).decode()
