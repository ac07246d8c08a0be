"""Who acts and who signs: SSH keys, through the `ssh-keygen -Y` that an auditor has too.

A signature is in OpenSSH's own armoured form and bound to a namespace, so that one made for an approval is worth
nothing under a log's head. Keys may live in an agent or on a hardware token: ssh-keygen finds them.
"""

import base64
import binascii
import getpass
import hashlib
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.estate.governance import Person, PersonKey
from infra.operator_key import public_key
from infra.trouble import Trouble
from infra.workspace import Workspace

APPROVAL = "etape-approval"
"""Namespace of signatures under an approval."""
EVIDENCE = "etape-evidence"
"""Namespace of signatures under a head of the evidence log."""

_USABLE_KEY = "name a private SSH key that you may read, or the .pub file of one that your agent holds"
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]+")


class SignatureError(Trouble):
    """Something cannot be signed, or a signature is worth nothing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who runs a command, as far as the estate knows."""

    name: str
    """Of the person in people.yaml who has the key; the account of the machine where nobody has."""
    fingerprint: str
    known: bool
    """Whether people.yaml names the key."""


def operator(workspace: Workspace, people: Iterable[Person]) -> Identity:
    """The owner of the key that this ETAPE_HOME works with; the key is made where there is none."""
    return identity_of(public_key(workspace), people)


def identity_of(public: str, people: Iterable[Person]) -> Identity:
    """The owner of a public key in OpenSSH's one-line form; ValueError where it is none."""
    found = fingerprint(public)
    owner = owner_of(found, people)
    return Identity(owner[0].name if owner else f"{getpass.getuser()}@{socket.gethostname()}", found, owner is not None)


def fingerprint(public: str) -> str:
    """`SHA256:...` of a public key line, as `ssh-keygen -l` prints it; ValueError where the line holds no key."""
    try:
        blob = base64.b64decode(public.split()[1], validate=True)
    except (IndexError, binascii.Error):
        raise ValueError(f"{public[:40]!r} is no public key such as `ssh-ed25519 AAAA...`") from None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def owner_of(wanted: str, people: Iterable[Person]) -> tuple[Person, PersonKey] | None:
    """The person whose key has that fingerprint, and the key."""
    pairs = ((person, key) for person in people for key in person.keys)
    return next(((person, key) for person, key in pairs if fingerprint(key.public) == wanted), None)


def signing_key(workspace: Workspace, chosen: Path | None) -> Path:
    """The key that was chosen, else that of this ETAPE_HOME, which is made where there is none."""
    if chosen is None:
        public_key(workspace)
    return chosen or workspace.private_key


def public_half(key: Path) -> str:
    """The public line of a private key, or of the .pub file itself; SignatureError where it cannot be read."""
    public = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
    if public.exists():
        return public.read_text().strip()
    done = _ssh_keygen(["-y", "-f", str(key)], b"")
    if done.returncode != 0:
        raise SignatureError(f"{key} is no SSH key that can be read: {_last_line(done)}", _USABLE_KEY)
    return done.stdout.decode().strip()


def sign(content: bytes, key: Path, namespace: str) -> bytes:
    """An armoured SSH signature by a private key (or by the agent that holds it, where `key` is its public half).

    Raises SignatureError where the key cannot be used.
    """
    done = _ssh_keygen(["-Y", "sign", "-q", "-f", str(key), "-n", namespace], content)
    if done.returncode != 0:
        raise SignatureError(f"{key} cannot sign: {_last_line(done)}", _USABLE_KEY)
    return done.stdout


def verify(content: bytes, signature: bytes, allowed: Iterable[Person], namespace: str, at: datetime) -> Person:
    """The person who signed `content`, with a key that was valid at `at` (aware).

    Raises SignatureError where the content was changed, the signature was made for something else, nobody has the
    key, or its time had not come or was over.
    """
    with tempfile.TemporaryDirectory(prefix="etape-signature-") as folder:
        signed = Path(folder, "signature")
        signed.write_bytes(signature)
        found = _signing_key(content, signed, namespace)
        owner = owner_of(found, allowed)
        if owner is None:
            raise SignatureError(
                f"it is signed with the key {found}, which nobody in people.yaml has",
                "have it signed by someone whom people.yaml names, or add the key there in a reviewed change",
            )
        person, key = owner
        signers = Path(folder, "allowed_signers")
        signers.write_text(_allowed_signer(person, key))
        moment = at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
        question = ["-Y", "verify", "-f", str(signers), "-I", person.name, "-n", namespace, "-s", str(signed)]
        if _ssh_keygen([*question, f"-Overify-time={moment}"], content).returncode != 0:
            raise SignatureError(
                f"the key of {person.name} ({found}) is not valid at {at:%Y-%m-%d %H:%M %Z}: {_validity(key)}",
                "sign with a key whose time is now, or change its dates in people.yaml in a reviewed change",
            )
        return person


def _signing_key(content: bytes, signature: Path, namespace: str) -> str:
    """The fingerprint of the key that made the signature, whoever owns it."""
    done = _ssh_keygen(["-Y", "check-novalidate", "-n", namespace, "-s", str(signature)], content)
    found = _FINGERPRINT.search(done.stdout.decode(errors="replace"))
    if done.returncode != 0 or found is None:
        raise SignatureError(
            f"the signature does not fit what it stands under: {_last_line(done)}",
            "the content was changed after it was signed, or it was signed for something else: have it signed again",
        )
    return found[0]


def allowed_signers(people: Iterable[Person]) -> str:
    """OpenSSH's allowed_signers file of everybody's keys: what scripts/verify-evidence takes as `--keys`."""
    return "".join(_allowed_signer(person, key) for person in people for key in person.keys)


def _allowed_signer(person: Person, key: PersonKey) -> str:
    """A line of OpenSSH's allowed_signers file; both days of the validity count whole, in UTC."""
    options = []
    if key.valid_from:
        options.append(f'valid-after="{key.valid_from:%Y%m%d}000000"')
    if key.valid_until:
        options.append(f'valid-before="{key.valid_until + timedelta(days=1):%Y%m%d}000000"')
    kind, blob, *_ = key.public.split()
    return " ".join([person.name, *([",".join(options)] if options else []), kind, blob]) + "\n"


def _validity(key: PersonKey) -> str:
    return f"people.yaml says from {key.valid_from or 'ever'} until {key.valid_until or 'further notice'}"


def _ssh_keygen(arguments: Sequence[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    try:
        return subprocess.run(["ssh-keygen", *arguments], input=given, capture_output=True, env=environment)
    except FileNotFoundError:
        raise SignatureError(
            "this machine has no ssh-keygen", "install it (Debian: apt-get install openssh-client)"
        ) from None


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "ssh-keygen says no more"
