"""A random secret, generated once and kept in the encrypted state."""

import secrets

from infra.provider.plugin import Kind, Made, Mistake, Properties

SHORTEST = 16


class CredentialKind(Kind):
    """Input `length` in characters; output `secret`, of letters, digits, - and _."""

    token = "etape:index:Credential"
    outputs = ("secret",)
    hidden = frozenset({"secret"})
    identity = frozenset({"length"})

    def check(self, inputs: Properties) -> list[Mistake]:
        length = inputs.get("length")
        if isinstance(length, float) and length >= SHORTEST and length.is_integer():
            return []
        return [Mistake("length", f"{length} is not a whole number of at least {SHORTEST} characters")]

    def create(self, name: str, inputs: Properties) -> Made:
        length = int(inputs["length"])
        return Made(name, {"secret": secrets.token_urlsafe(length)[:length]})

    def delete(self, state: Properties) -> None:
        """It is forgotten with the state."""
