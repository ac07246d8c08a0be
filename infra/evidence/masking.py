"""Secrets of an ETAPE_HOME, taken out of what is written for others to read."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from infra.workspace import Workspace

MASKED = b"[secret]"
_SHORTEST = 8
"""A shorter value would be found by chance in what has nothing to do with it."""


class Mask:
    """Replaces every secret that it has ever seen in the home, so also those of a stack that is gone by now."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: set[str] = set()

    def __call__(self, content: bytes) -> bytes:
        """The content with `[secret]` for each secret, also where it is base64, in a URL or escaped in JSON."""
        self._known |= set(_secrets(self._workspace))
        for written in sorted({form for secret in self._known for form in _forms(secret)}, key=len, reverse=True):
            content = content.replace(written, MASKED)
        return content


def _secrets(workspace: Workspace) -> Iterable[str]:
    for path in (workspace.home / "passphrase", workspace.private_key):
        if path.exists():
            yield path.read_text().strip()
    for path in (workspace.home / "outputs").glob("*.json"):
        yield from _credentials(path)


def _credentials(outputs: Path) -> Iterable[str]:
    for value in json.loads(outputs.read_text()).get("credentials", {}).values():
        if isinstance(value, str) and len(value) >= _SHORTEST:
            yield value


def _forms(secret: str) -> Iterable[bytes]:
    yield secret.encode()
    yield json.dumps(secret)[1:-1].encode()
    yield quote(secret, safe="").encode()
    yield base64.b64encode(secret.encode())
