"""Finds the hashed files of a page application in what Vite built."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

URL = "/static/"
FIRST = "src/parts/first.css"
"""What `vite.config.ts` calls the styles of the first HTML."""


class AssetsMissing(Exception):
    """The application was not built, or only in part; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses that the first HTML names."""

    script: str
    modules: tuple[str, ...]
    """What the script imports, so that a browser need not read it first to know."""
    styles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class First:
    """What a page needs to be seen, before its own styles and scripts: it stands in the first HTML."""

    styles: str
    """CSS."""
    fonts: tuple[str, ...]
    """Addresses."""

    @property
    def source(self) -> str:
        """As a content security policy names these styles."""
        return f"'sha256-{base64.b64encode(hashlib.sha256(self.styles.encode()).digest()).decode()}'"


def read_assets(static: Path) -> dict[str, Assets]:
    """Of each page by the name of its script, from `manifest.json` in an application's `static` folder.

    Raise AssetsMissing where it is of no use.
    """
    try:
        chunks = _chunks(static)
        scripts = [key for key, chunk in chunks.items() if chunk.get("isEntry") and key != FIRST]
        pages = {Path(key).stem: _assets(chunks, key) for key in scripts}
    except (OSError, ValueError, KeyError, AttributeError):
        pages = {}
    if not pages:
        raise _missing(static)
    return pages


def read_first(static: Path) -> First:
    """What all pages of an application have in their first HTML.

    Raise AssetsMissing where it was not built.
    """
    try:
        chunks = _chunks(static)
        styles = (static / chunks[FIRST]["file"]).read_text()
    except (OSError, ValueError, KeyError):
        raise _missing(static) from None
    files = (chunk["file"] for chunk in chunks.values())
    return First(styles.strip(), tuple(URL + file for file in files if file.endswith(".woff2")))


def _chunks(static: Path) -> Any:
    return json.loads((static / "manifest.json").read_text())


def _missing(static: Path) -> AssetsMissing:
    remedy = "run `npm install --no-save && npm run build` in services/pages/web"
    return AssetsMissing(f"{static / 'manifest.json'}: names no built page application; {remedy}.")


def _assets(chunks: Mapping[str, Any], entry: str) -> Assets:
    reached = list(dict.fromkeys(_reached(chunks, entry)))
    found = [chunks[key] for key in reached]
    return Assets(
        script=URL + chunks[entry]["file"],
        modules=tuple(URL + chunk["file"] for chunk in found[1:]),
        styles=tuple(dict.fromkeys(URL + style for chunk in found for style in chunk.get("css", []))),
    )


def _reached(chunks: Mapping[str, Any], key: str) -> Iterator[str]:
    """A chunk and all that it imports at once; what it imports later is not for the first HTML."""
    yield key
    for imported in chunks[key].get("imports", []):
        yield from _reached(chunks, imported)
