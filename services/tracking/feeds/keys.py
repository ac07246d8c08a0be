"""Keys of partners: a file that holds what each may do and a hash of its key, and the command that adds to it.

Examples:
  python -m tracking.feeds.keys new broadcaster --file keys.json --streams 50
  python -m tracking.feeds.keys new newspaper --file keys.json --expires 2017-07-24
"""

import argparse
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

LOOK_S = 1.0
"""How often the file is looked at."""
KEY_BYTES = 24
MAX_KEY = 200
"""Characters of a key that are looked at."""


class Partner(BaseModel):
    """What the holder of one key may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    key_blake2b: str = Field(pattern=r"^[0-9a-f]{64}$")
    requests_per_minute: int = Field(default=6000, ge=1)
    streams: int = Field(default=20, ge=1)
    """At once."""
    expires: AwareDatetime | None = None


class KeyFile(BaseModel):
    """keys.json"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partners: tuple[Partner, ...] = ()


class KeyRing:
    """The keys of a file, read again when it changes; a file that cannot be read leaves the keys that were."""

    def __init__(self, file: Path) -> None:
        self.trouble = ""
        """What is wrong with the file; empty where nothing is."""
        self._file = file
        self._partners: tuple[Partner, ...] = ()
        self._version: object = None
        self._look_at_s = 0.0

    def find(self, key: str) -> Partner | None:
        """Whose key it is; None for one that is unknown or expired. Takes as long for the first as for the last."""
        self._look()
        hashed = hash_of(key[:MAX_KEY])
        found = None
        for partner in self._partners:
            if hmac.compare_digest(partner.key_blake2b, hashed):
                found = partner
        if found and found.expires and found.expires <= datetime.now(UTC):
            return None
        return found

    def _look(self) -> None:
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_S
        try:
            status = self._file.stat()
            version = (status.st_mtime_ns, status.st_size, status.st_ino)
            if version != self._version:
                self._partners = read_keys(self._file).partners
                self._version, self.trouble = version, ""
        except (OSError, ValueError) as error:
            self.trouble = f"{self._file}: cannot be read ({type(error).__name__}); the keys before it still hold"


def hash_of(key: str) -> str:
    """What is kept of a key. Keys are random and long, so that one hash is enough."""
    return hashlib.blake2b(key.encode(), digest_size=32, person=b"etape-feed").hexdigest()


def read_keys(file: Path) -> KeyFile:
    """The keys of a file; OSError or ValueError where it is none."""
    return KeyFile.model_validate_json(file.read_bytes())


def add_key(file: Path, name: str, requests_per_minute: int, streams: int, expires: datetime | None) -> str:
    """Write a new partner, or a known one's new key, to the file; returns the key, which is kept nowhere."""
    before = read_keys(file).partners if file.exists() else ()
    key = f"etape-{secrets.token_urlsafe(KEY_BYTES)}"
    partner = Partner(
        name=name,
        key_blake2b=hash_of(key),
        requests_per_minute=requests_per_minute,
        streams=streams,
        expires=expires,
    )
    kept = [known for known in before if known.name != name]
    document = KeyFile(partners=(*kept, partner)).model_dump(mode="json")
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w") as stream:
        json.dump(document, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(file)
    return key


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the new key, once; 2 with a sentence where it cannot be made."""
    options = _parser().parse_args(arguments)
    try:
        key = add_key(options.file, options.name, options.requests_per_minute, options.streams, options.expires)
    except ValidationError as error:
        mistake = error.errors()[0]
        print(f"{mistake['loc'][0]}: {mistake['msg'].lower()}; correct it.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.file}: cannot be written ({error.strerror}); choose another with --file.", file=sys.stderr)
        return 2
    print(key)
    print(f"This is the only time that the key of {options.name} is shown.", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    head, examples = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "tracking.feeds.keys", description=head, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    new = parser.add_subparsers(required=True).add_parser("new", help="make a key, and print it once")
    new.add_argument("name", help="of the partner: small letters, digits and hyphens")
    new.add_argument("--file", type=Path, required=True, help="keys.json; it is made where there is none")
    new.add_argument("--requests-per-minute", type=int, default=6000)
    new.add_argument("--streams", type=int, default=20, help="at once")
    new.add_argument("--expires", type=_day, help="date from which the key is refused, YYYY-MM-DD")
    return parser


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
