"""people.yaml as it is written: who may act on the estate and approve changes of it, known by SSH keys."""

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from infra.estate.fields import Document, Name
from infra.estate.governance import PersonRole


def _public_key(line: object) -> object:
    """Reduce a public key to algorithm and key; say what else it is without repeating it: it may be a secret."""
    if not isinstance(line, str):
        return line
    if "PRIVATE KEY" in line:
        raise ValueError("it is a private key, which is no secret any more: make a new pair and write its .pub here")
    # Imported here because it is slow, and an estate without people needs none of it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    bare = " ".join(line.split()[:2])
    try:
        load_ssh_public_key(bare.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not a public SSH key such as `ssh-ed25519 AAAA...`") from None
    return bare


class PersonKeyDoc(Document):
    """A public key; its days are counted in UTC, both included."""

    public: Annotated[str, BeforeValidator(_public_key)]
    valid_from: date | None = None
    valid_until: date | None = None

    @model_validator(mode="after")
    def _days_in_order(self) -> "PersonKeyDoc":
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError(f"valid_until {self.valid_until} is before valid_from {self.valid_from}")
        return self


class PersonDoc(Document):
    """Who acts on the estate, by function."""

    name: Name
    roles: Annotated[list[PersonRole], Field(min_length=1)]
    keys: Annotated[list[PersonKeyDoc], Field(min_length=1)]
    """At least one: somebody without a key can sign nothing, and nobody could tell."""


class PeopleDoc(Document):
    """people.yaml."""

    people: list[PersonDoc] = []
