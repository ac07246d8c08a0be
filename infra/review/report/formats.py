"""The four formats by name."""

import json
from collections.abc import Mapping
from typing import Any

from infra.review.report import markdown, terminal
from infra.review.review import content_hash

FORMATS = ("terminal", "markdown", "html", "json")


def render(document: Mapping[str, Any], how: str, colour: bool = False) -> str:
    """A view of a review's document; `colour` is for terminals."""
    told = content_hash(document)
    if how == "json":
        return json.dumps({**document, "content_hash": told}, indent=1, ensure_ascii=False) + "\n"
    if how == "markdown":
        return markdown.render(document, told)
    if how == "html":
        # Imported here because no other format needs a template engine.
        from infra.review.report import page

        return page.render(document, told)
    return terminal.render(document, told, colour)
