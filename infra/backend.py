"""Where the state of the stacks is kept, and by what its secrets are encrypted.

An operator alone needs to say nothing: the state is in ETAPE_HOME/state, its secrets are encrypted by the passphrase
in ETAPE_HOME/passphrase. A team says it once for each home, in ETAPE_HOME/state.yaml, or in the environment:

    url: s3://state?endpoint=store:7070&disableSSL=true&s3ForcePathStyle=true     # ETAPE_STATE
    secrets_provider: awskms://alias/etape?region=eu-west-1                       # ETAPE_SECRETS_PROVIDER
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from infra.durable import write_once
from infra.engine_error import StateError
from infra.state_objects import BucketObjects, FolderObjects, StateObjects

PASSPHRASE = "passphrase"
_SCHEMES = ("file", "s3")
_PROVIDERS = ("awskms", "azurekeyvault", "gcpkms", "hashivault")
_QUERY = {"endpoint", "disableSSL", "s3ForcePathStyle", "region", "profile", "awssdk"}
_PLACES_OF_A_REGION = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE")


class _Settings(BaseModel):
    """The file state.yaml; each field can also come from the environment."""

    model_config = ConfigDict(extra="forbid")

    url: str
    secrets_provider: str = PASSPHRASE

    @field_validator("url")
    @classmethod
    def _is_readable(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError(f"{url!r} is no state that can be read here: write file:///FOLDER or s3://BUCKET")
        if parts.scheme == "s3" and not parts.netloc:
            raise ValueError(f"{url!r} names no bucket: write s3://BUCKET")
        if parts.scheme == "file" and not parts.path.startswith("/"):
            raise ValueError(f"{url!r} names no folder: write file:///FOLDER, from the root")
        if strange := sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} - _QUERY):
            raise ValueError(f"{url!r} asks for {', '.join(strange)}: known are {', '.join(sorted(_QUERY))}")
        return url

    @field_validator("secrets_provider")
    @classmethod
    def _is_known(cls, provider: str) -> str:
        if provider != PASSPHRASE and urlsplit(provider).scheme not in _PROVIDERS:
            known = ", ".join([PASSPHRASE, *(f"{each}://KEY" for each in _PROVIDERS)])
            raise ValueError(f"{provider!r} encrypts nothing: write one of {known}")
        return provider


@dataclass(frozen=True)
class Backend:
    """`url` as Pulumi takes it; `secrets_provider` encrypts the secrets of stacks that are made from now on."""

    url: str
    secrets_provider: str
    home: Path

    @classmethod
    def of(cls, home: Path, environment: Mapping[str, str] = os.environ) -> "Backend":
        """As the environment says, else ETAPE_HOME/state.yaml, else on this machine. StateError names each mistake."""
        path = home / "state.yaml"
        written = _read(path)
        origins = {name: str(path) for name in written}
        for name, variable in {"url": "ETAPE_STATE", "secrets_provider": "ETAPE_SECRETS_PROVIDER"}.items():
            if value := environment.get(variable):
                written[name], origins[name] = value, variable
        written.setdefault("url", _own(home))
        try:
            settings = _Settings.model_validate(written)
        except ValidationError as error:
            raise StateError(_sentence(error, origins), f"correct {path} or the environment") from None
        return cls(settings.url, settings.secrets_provider, home)

    @property
    def is_shared(self) -> bool:
        """Whether others may work on the same stacks from other machines."""
        return urlsplit(self.url).scheme == "s3"

    @property
    def owner(self) -> str:
        """Whose the machines are that the stacks make: a team's that shares a state, else this home's."""
        return str(self.home.resolve()) if self.url == _own(self.home) else self.url

    @property
    def objects(self) -> StateObjects:
        """The backend's files."""
        parts = urlsplit(self.url)
        if not self.is_shared:
            return FolderObjects(Path(parts.path))
        prefix = parts.path.strip("/")
        return BucketObjects(parts.netloc, f"{prefix}/" if prefix else "", dict(parse_qsl(parts.query)))

    def environment(self) -> dict[str, str]:
        """What Pulumi needs to work on this backend. Makes the folder and the passphrase where they are only ours."""
        if not self.is_shared:
            Path(urlsplit(self.url).path).mkdir(parents=True, exist_ok=True)
        return {
            "PULUMI_BACKEND_URL": self.url,
            # One checkout may serve several homes; each home's own state knows how its secrets are encrypted.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            **self._passphrase(),
            **self._region(),
        }

    def _passphrase(self) -> dict[str, str]:
        path = self.home / "passphrase"
        given = {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(os.environ)
        if given or (self.secrets_provider != PASSPHRASE and not path.exists()):
            return {}
        if not path.exists():
            if self.is_shared:
                raise StateError(
                    f"the team's state in {self.url} is encrypted by a passphrase, and there is none in {path}",
                    f"put the team's passphrase there (the first of a team makes it: `(umask 077; openssl rand"
                    f" -base64 24 > {path})`), or name a key service as `secrets_provider` in {self.home}/state.yaml",
                )
            write_once(path, secrets.token_urlsafe(32))
        return {"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)}

    def _region(self) -> dict[str, str]:
        """Pulumi signs requests for no region where none is named, and an object store of one's own has none."""
        named = "region=" in self.url or any(name in os.environ for name in _PLACES_OF_A_REGION)
        return {"AWS_REGION": "us-east-1"} if self.is_shared and not named else {}


def _own(home: Path) -> str:
    return f"file://{home / 'state'}"


def _read(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    remedy = "write `url:` and `secrets_provider:` there, or remove the file for a state on this machine"
    try:
        written = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise StateError(f"{path} is no YAML: {' '.join(str(error).split())}", remedy) from None
    if not isinstance(written, dict):
        raise StateError(f"{path} holds no settings", remedy)
    return {str(name): value for name, value in written.items()}


def _sentence(error: ValidationError, origins: Mapping[str, str]) -> str:
    """Every mistake at once, each with the file or variable and the field."""
    found = ((str(each["loc"][0]), each["msg"].removeprefix("Value error, ")) for each in error.errors())
    return "; ".join(f"{origins.get(field, 'state.yaml')}: {field}: {reason}" for field, reason in found)
