"""Throwaway keys and the people who have them."""

import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infra.estate.governance import Person, PersonKey, PersonRole


@dataclass(frozen=True)
class Pair:
    """A key pair in a temporary folder."""

    private: Path
    public: str
    """`ssh-ed25519 AAAA...`, without a comment."""


def make_key(folder: Path, name: str) -> Pair:
    """A fresh ed25519 pair without a passphrase."""
    private = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(private)], check=True)
    kind, blob, *_ = private.with_suffix(".pub").read_text().split()
    return Pair(private, f"{kind} {blob}")


def person(name: str, pair: Pair, *roles: PersonRole, first: date | None = None, last: date | None = None) -> Person:
    """Somebody with one key."""
    return Person(name, roles, (PersonKey(pair.public, first, last),))
