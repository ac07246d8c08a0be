"""What a bucket is against what it is to be: versions, retention, policy; in words where they differ."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

AS_DECLARED = "as declared"
AWAITS_STORE = "awaits its store"
"""The store does not answer: it is not deployed yet, or it is down. The next `up` looks again."""
MISSING = "is not there"

Properties = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """What a bucket is, or is to be."""

    versioning: bool
    retention: tuple[str, int] | None
    """Mode and days."""
    policy: str
    """Canonical JSON of its statements; empty where there is no policy."""

    @classmethod
    def wanted(cls, inputs: Properties) -> "Setting":
        """From checked inputs."""
        retention = inputs.get("retention")
        kept = (retention["mode"], int(retention["days"])) if retention else None
        return cls(inputs["versioning"], kept, canonical(inputs["name"], inputs["policy"]))


def differences(wanted: Setting, found: Setting) -> tuple[str, ...]:
    """How a bucket differs from what is declared, in words."""
    told = []
    if wanted.versioning != found.versioning:
        told.append(f"versioning is {'on' if found.versioning else 'off'}")
    if wanted.retention != found.retention:
        told.append(f"retention is {_retention_words(found.retention)}, not {_retention_words(wanted.retention)}")
    if wanted.policy != found.policy:
        told.append(_policy_words(wanted.policy, found.policy))
    return tuple(told)


def look(client: Any, name: str) -> Setting | None:
    """What a bucket is now; None where there is none. Raises what boto3 raises."""
    try:
        versioning = client.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
    except ClientError as error:
        if error_code(error) in ("NoSuchBucket", "404"):
            return None
        raise
    return Setting(versioning, _retention(client, name), _policy(client, name))


def _retention(client: Any, name: str) -> tuple[str, int] | None:
    try:
        lock = client.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    except ClientError as error:
        if error_code(error) == "ObjectLockConfigurationNotFoundError":
            return None
        raise
    rule = lock.get("Rule", {}).get("DefaultRetention")
    return (rule["Mode"].lower(), rule.get("Days") or 365 * rule["Years"]) if rule else None


def _policy(client: Any, name: str) -> str:
    try:
        text = client.get_bucket_policy(Bucket=name)["Policy"]
    except ClientError as error:
        if error_code(error) == "NoSuchBucketPolicy":
            return ""
        raise
    statements = json.loads(text)["Statement"]
    return _plain(statements if isinstance(statements, list) else [statements])


def canonical(bucket: str, statements: list[Properties]) -> str:
    """Declared statements as the store holds them: about the bucket and everything in it."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    written = [
        {
            "Sid": each["name"],
            "Effect": each["effect"],
            "Principal": {"AWS": each["principals"]},
            "Action": each["actions"],
            "Resource": resources,
        }
        for each in statements
    ]
    return _plain(written)


def _plain(statements: list[dict]) -> str:
    """One spelling for every policy that means the same; empty where it has no statement."""
    plain = sorted((_plain_statement(each) for each in statements), key=lambda each: json.dumps(each, sort_keys=True))
    return json.dumps(plain, sort_keys=True) if plain else ""


def _plain_statement(statement: dict) -> dict:
    """Lists, sorted, and everybody as `{"AWS": ["*"]}`."""
    principal = statement.get("Principal", "*")
    accounts = principal.get("AWS", []) if isinstance(principal, dict) else principal
    plain = {**statement, "Principal": {"AWS": _sorted(accounts)}}
    return plain | {name: _sorted(statement[name]) for name in ("Action", "Resource") if name in statement}


def _sorted(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else sorted(value)


def _retention_words(retention: tuple[str, int] | None) -> str:
    return f"{retention[1]} days in {retention[0]} mode" if retention else "off"


def _policy_words(wanted: str, found: str) -> str:
    declared, there = (json.loads(text or "[]") for text in (wanted, found))
    added = [f"{_statement_words(each)}, which nobody declared" for each in there if each not in declared]
    lost = [f"{_statement_words(each)} is missing" for each in declared if each not in there]
    return f"policy: {', '.join([*added, *lost])}"


def _statement_words(statement: dict) -> str:
    who, what = ", ".join(statement["Principal"]["AWS"]), ", ".join(statement.get("Action", ()))
    return f"{statement['Effect']} {who} {what}"


def error_code(error: ClientError) -> str:
    """The S3 API's word for what went wrong."""
    return str(error.response["Error"].get("Code", ""))
