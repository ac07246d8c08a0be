"""The secrets that a season's services share."""

from collections.abc import Iterable

import pulumi

from infra.components.lab import Lab
from infra.estate.model import Secret
from infra.provider.resources import Credential, CredentialArgs


class Credentials(pulumi.ComponentResource):
    """Generated once, kept in the core's encrypted state; `secrets` holds them by name."""

    secrets: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, wanted: Iterable[Secret], lab: Lab) -> None:
        super().__init__("etape:lab:Credentials", name)
        options = lab.etape_options(self, protect=True)
        made = {each.name: Credential(each.name, CredentialArgs(each.length), options) for each in wanted}
        self.secrets = {each: credential.secret for each, credential in made.items()}
        self.register_outputs({})
