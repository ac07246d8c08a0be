"""Finds the hashed files of a page application in what Vite built."""

import json
from dataclasses import dataclass
from pathlib import Path

URL = "/static/"


class AssetsMissing(Exception):
    """The application was not built, or only in part; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses that the first HTML names."""

    script: str
    styles: tuple[str, ...]
    fonts: tuple[str, ...]


def read_assets(static: Path) -> Assets:
    """Read `manifest.json` in an application's `static` folder; raise AssetsMissing where it is of no use."""
    file = static / "manifest.json"
    try:
        chunks = json.loads(file.read_text())
        entry = next(chunk for chunk in chunks.values() if chunk.get("isEntry"))
        script, styles, files = (
            entry["file"],
            entry.get("css", []),
            entry.get("assets", []),
        )
    except (OSError, ValueError, KeyError, StopIteration):
        remedy = "run `npm install --no-save && npm run build` in services/pages/web"
        raise AssetsMissing(f"{file}: names no built page application; {remedy}.") from None
    return Assets(
        script=URL + script,
        styles=tuple(URL + style for style in styles),
        fonts=tuple(URL + font for font in files if font.endswith(".woff2")),
    )
