"""Finds the hashed files of a page application in what Vite built."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

URL = "/static/"


class AssetsMissing(Exception):
    """The application was not built, or only in part; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses that the first HTML names."""

    script: str
    modules: tuple[str, ...]
    """What the script imports, so that a browser need not read it first to know."""
    styles: tuple[str, ...]
    fonts: tuple[str, ...]


def read_assets(static: Path) -> dict[str, Assets]:
    """Of each page by the name of its script, from `manifest.json` in an application's `static` folder.

    Raise AssetsMissing where it is of no use.
    """
    file = static / "manifest.json"
    try:
        chunks = json.loads(file.read_text())
        pages = {Path(key).stem: _assets(chunks, key) for key, chunk in chunks.items() if chunk.get("isEntry")}
    except (OSError, ValueError, KeyError, AttributeError):
        pages = {}
    if not pages:
        remedy = "run `npm install --no-save && npm run build` in services/pages/web"
        raise AssetsMissing(f"{file}: names no built page application; {remedy}.")
    return pages


def _assets(chunks: Mapping[str, Any], entry: str) -> Assets:
    reached = list(dict.fromkeys(_reached(chunks, entry)))
    found = [chunks[key] for key in reached]
    return Assets(
        script=URL + chunks[entry]["file"],
        modules=tuple(URL + chunk["file"] for chunk in found[1:]),
        styles=tuple(dict.fromkeys(URL + style for chunk in found for style in chunk.get("css", []))),
        fonts=tuple(
            dict.fromkeys(URL + file for chunk in found for file in chunk.get("assets", []) if file.endswith(".woff2"))
        ),
    )


def _reached(chunks: Mapping[str, Any], key: str) -> Iterator[str]:
    """A chunk and all that it imports at once; what it imports later is not for the first HTML."""
    yield key
    for imported in chunks[key].get("imports", []):
        yield from _reached(chunks, imported)
