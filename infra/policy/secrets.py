"""What has to be unreadable to whoever finds the state, a disk or a backup of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.policy.docker import VOLUME
from infra.policy.model import Breach, Facts, PolicyItem, Secret, breach, policy

CREDENTIAL = "etape:index:Credential"

_TELLING = re.compile(r"passw(?:or)?d|passphrase|secret|token|private_?key|credential|api_?key|access_?key", re.I)
_LOOKS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("an access key of AWS", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@")),
)
_SETTING = re.compile(r"^(?P<name>[A-Za-z_][\w-]*)=(?P<value>.+)$", re.S)
_SHORTEST_SECRET = 8
_ENCRYPTING = frozenset({"encrypted", "encryption", "luks"})


@policy(
    "secrets-encrypted",
    remedy="name `secret` among the resource's additional secret outputs",
    controls=("CCM CEK-03", "CCM CEK-10", "ISO 27001 A.8.24", "CIS 3.11"),
)
def secrets_encrypted(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A password that lies readable in the state is known to everyone who holds a copy of the state."""
    for item in items:
        if item.type == CREDENTIAL:
            value = item.properties.get("secret")
            if value is not None and not isinstance(value, Secret):
                yield breach(item, "its secret lies readable in the state")
            elif value is None and "secret" not in item.secret_outputs:
                yield breach(item, "nothing says that its secret has to be encrypted")


@policy(
    "no-plain-secret",
    remedy="name the property among the resource's secret outputs, or leave the secret to the playbooks",
    controls=("CCM CEK-03", "CCM IAM-15", "ISO 27001 A.5.17", "ISO 27001 A.8.24", "CIS 3.11"),
)
def no_plain_secret(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A secret in a plain property is shown by every preview, log, report and checkpoint."""
    for item in items:
        for path, value in _plain_texts(item.properties):
            if reason := _betrays(path, value):
                yield breach(item, f"{path} {reason}, and is not encrypted")


@policy(
    "no-leaked-secret",
    remedy="give the value as a secret there too, and make a new secret: this one may have been read",
    controls=("CCM CEK-03", "CCM IAM-15", "ISO 27001 A.5.17", "ISO 27001 A.8.12", "CIS 3.11"),
    whole_stack=True,
)
def no_leaked_secret(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A secret that is encrypted in one resource and readable in another is no secret, whatever it is called there."""
    secrets = {value for item in items for value in _secret_values(item.properties)}
    for item in items:
        for path, value in _plain_texts(item.properties):
            if any(secret in value for secret in secrets):
                yield breach(item, f"{path} shows a secret of the stack")


@policy(
    "data-encrypted",
    remedy="keep the volume on an encrypted disk, or have the risk waived for a time",
    controls=("CCM CEK-03", "CCM DSP-17", "ISO 27001 A.8.24", "CIS 3.11"),
)
def data_encrypted(items: Sequence[PolicyItem], facts: Facts) -> Iterator[Breach]:
    """A disk that is taken out of a truck or a rack can be read by whoever has it."""
    for item in items:
        options = item.properties.get("driverOpts") or {}
        if item.type == VOLUME and not _ENCRYPTING.intersection(re.split(r"\W+", ",".join(map(str, options.values())))):
            yield breach(item, "is a volume on a disk of which nothing says that it is encrypted")


def _secret_values(value: Any) -> Iterator[str]:
    """Every known text that is secret somewhere; short ones would be found everywhere."""
    if isinstance(value, Secret):
        yield from (text for _, text in _plain_texts(value.value) if len(text) >= _SHORTEST_SECRET)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _secret_values(each)
    elif _is_list(value):
        for each in value:
            yield from _secret_values(each)


def _plain_texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text that is not secret, with its path: `envs[0]`, `labels[1].value`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name in value:
            yield from _plain_texts(value[name], f"{path}.{name}" if path else name)
    elif _is_list(value):
        for index, each in enumerate(value):
            yield from _plain_texts(each, f"{path}[{index}]")


def _betrays(path: str, value: str) -> str:
    """Why a plain text is taken for a secret; empty where it is not."""
    for look, pattern in _LOOKS:
        if pattern.search(value):
            return f"holds {look}"
    setting = _SETTING.match(value)
    if setting and _TELLING.search(setting["name"]):
        return f"sets {setting['name']}"
    return "is a secret by its name" if value and _TELLING.search(path.rpartition(".")[2]) else ""


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
