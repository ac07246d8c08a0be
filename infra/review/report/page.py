"""A review as one HTML file: no script, no request, printable; readable by keyboard and by screen reader."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from infra.review.report import words
from infra.review.report.groups import group
from infra.review.report.sections import heading, remarks, sections, sides, sums, told
from infra.workspace import ROOT

_HERE = Path(__file__).parent
_STYLES = (ROOT / "services/pages/web/src/parts/palette.css", _HERE / "page.css")


def render(document: Mapping[str, Any], content_hash: str) -> str:
    """The whole page."""
    return _template().render(
        document=document,
        content_hash=content_hash,
        groups=group(document["changes"]),
        sections=sections(document),
        sums=sums(document),
        style="".join(sheet.read_text() for sheet in _STYLES),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(words=words, heading=heading, remarks=remarks, sides=sides, told=told)
    environment.filters["clean"] = words.clean
    return environment.get_template("page.html.j2")
