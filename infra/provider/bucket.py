"""A bucket of the season's object store: versions, retention, and who may do what."""

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from infra.provider.bucket_setting import AS_DECLARED, AWAITS_STORE, MISSING, Setting, differences, error_code, look
from infra.provider.plugin import UNKNOWN, Kind, Made, Mistake, Properties, ProviderError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_MODES = ("governance", "compliance")
_STORE = ("endpoint", "access_key", "secret_key")


def s3_client(store: Properties) -> Any:
    """A client of an object store that gives up soon: the day goes on without a store that does not answer."""
    # Half a second to import, which only stacks with buckets pay: a stage's preview starts this provider too.
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=store["endpoint"],
        aws_access_key_id=store["access_key"],
        aws_secret_access_key=store["secret_key"],
        region_name="us-east-1",
        config=Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 1}),
    )


class BucketKind(Kind):
    """Inputs `name`, `versioning`, `retention` (None or mode and days), `policy` (statements, each name, effect,
    principals, actions) and `store` (endpoint, access_key, secret_key; secret). Output `condition`.

    The condition is looked at by every preview and up. A store that does not answer is no error: on a season's first
    `up` it is deployed only afterwards, and the `up` that mends a dead one must not fail on its buckets.
    """

    token = "etape:index:Bucket"
    outputs = ("condition",)
    hidden = frozenset({"store"})
    identity = frozenset({"name"})

    def __init__(self, connect: Callable[[Properties], Any] = s3_client) -> None:
        self._connect = connect

    def check(self, inputs: Properties) -> list[Mistake]:
        mistakes = []
        if not _NAME.fullmatch(inputs["name"]):
            reason = f"{inputs['name']!r} is no bucket name: 3 to 63 small letters, digits or dashes"
            mistakes.append(Mistake("name", reason))
        retention = inputs.get("retention")
        if retention and retention["mode"] not in _MODES:
            mistakes.append(Mistake("retention.mode", f"{retention['mode']!r} is not one of {', '.join(_MODES)}"))
        if retention and not (retention["days"] >= 1 and float(retention["days"]).is_integer()):
            mistakes.append(Mistake("retention.days", f"{retention['days']} is not a whole number of at least 1"))
        if retention and not inputs["versioning"]:
            mistakes.append(Mistake("versioning", "a bucket with retention keeps versions: set it to true"))
        return mistakes

    def observe(self, inputs: Properties) -> Properties:
        if _is_unknown(inputs["store"]):
            return {"condition": AWAITS_STORE}
        return {"condition": self._condition(inputs)}

    def create(self, name: str, inputs: Properties) -> Made:
        return Made(inputs["name"], self._bring_about(inputs))

    def update(self, state: Properties, inputs: Properties) -> Properties:
        return self._bring_about(inputs)

    def read(self, state: Properties) -> Properties | None:
        return None if self._condition(state) == MISSING else state

    def delete(self, state: Properties) -> None:
        """Only an empty bucket goes; with the store itself all of them go, and this is not called.

        Unless the store died first: the season has to end all the same. What a store that is only away goes on to
        hold, drift names when it is back.
        """
        name = state["name"]
        try:
            self._connect(state["store"]).delete_bucket(Bucket=name)
        except ClientError as error:
            if error_code(error) == "BucketNotEmpty":
                raise ProviderError(
                    f"bucket {name} holds objects: declare it again, or copy and empty it first"
                ) from None
            if error_code(error) not in ("NoSuchBucket", "404"):
                raise ProviderError(f"bucket {name} was not removed: {error}") from None
        except (ConnectionError, HTTPClientError):
            return
        except BotoCoreError as error:
            raise ProviderError(f"bucket {name} was not removed: {error}") from None

    def _condition(self, inputs: Properties) -> str:
        try:
            found = look(self._connect(inputs["store"]), inputs["name"])
        except (ConnectionError, HTTPClientError):
            return AWAITS_STORE
        except (BotoCoreError, ClientError) as error:
            return f"cannot be looked at: {error}"
        return MISSING if found is None else "; ".join(differences(Setting.wanted(inputs), found)) or AS_DECLARED

    def _bring_about(self, inputs: Properties) -> Properties:
        """Make the bucket what it is to be, whatever is there, and return the outputs."""
        client, name, wanted = self._connect(inputs["store"]), inputs["name"], Setting.wanted(inputs)
        try:
            found = look(client, name)
            if found is None:
                found = _make(client, name, wanted)
            _correct(client, name, wanted, found)
        except (ConnectionError, HTTPClientError):
            return {"condition": AWAITS_STORE}
        except (BotoCoreError, ClientError) as error:
            raise ProviderError(f"bucket {name}: its store at {inputs['store']['endpoint']} refuses: {error}") from None
        return {"condition": AS_DECLARED}


def _make(client: Any, name: str, wanted: Setting) -> Setting:
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=wanted.retention is not None)
    return Setting(wanted.retention is not None, None, "")


def _correct(client: Any, name: str, wanted: Setting, found: Setting) -> None:
    """Change only what differs; versions first, because retention needs them."""
    if wanted.versioning != found.versioning:
        status = "Enabled" if wanted.versioning else "Suspended"
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    if wanted.retention != found.retention:
        lock: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
        if wanted.retention:
            mode, days = wanted.retention
            lock["Rule"] = {"DefaultRetention": {"Mode": mode.upper(), "Days": days}}
        client.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
    if wanted.policy and wanted.policy != found.policy:
        document = {"Version": "2012-10-17", "Statement": json.loads(wanted.policy)}
        client.put_bucket_policy(Bucket=name, Policy=json.dumps(document))
    elif wanted.policy != found.policy:
        client.delete_bucket_policy(Bucket=name)


def _is_unknown(store: Any) -> bool:
    return store == UNKNOWN or UNKNOWN in (store.get(field) for field in _STORE)
