"""The secrets that a season's services share."""

import pulumi

from infra.components.lab import Lab
from infra.provider.resources import Credential, CredentialArgs

# By name their length in characters; S3 clients expect an access key of 20.
_LENGTHS = {
    "broker_password": 32,
    "hub_password": 32,
    "object_store_access_key": 20,
    "object_store_secret_key": 40,
}


class Credentials(pulumi.ComponentResource):
    """Generated once, kept in the core's encrypted state; `secrets` holds them by name."""

    secrets: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, lab: Lab) -> None:
        super().__init__("etape:lab:Credentials", name)
        options = lab.etape_options(self)
        made = {each: Credential(each, CredentialArgs(length), options) for each, length in _LENGTHS.items()}
        self.secrets = {each: credential.secret for each, credential in made.items()}
        self.register_outputs({})
