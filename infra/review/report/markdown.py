"""A review as Markdown, for a pull request or an archive: tables that read well as text too."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.review.report import words
from infra.review.report.groups import Group, group
from infra.review.report.sections import heading, remarks, sections, sides, sums, told

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")


def render(document: Mapping[str, Any], content_hash: str) -> str:
    """The whole report."""
    return "\n".join([*_page(document, content_hash), *_details(document)]) + "\n"


def escape(text: str) -> str:
    """Text that stays text: no markup, no HTML, no end of a table's cell."""
    plain = words.clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain)


def _page(document: Mapping[str, Any], content_hash: str) -> Iterator[str]:
    sides = ((name.upper(), document[name]) for name in ("a", "b"))
    risks = reversed(document["summary"]["risk"].items())
    yield from (f"# Review {escape(document['a']['title'])} → {escape(document['b']['title'])}", "")
    yield from _table(
        ("", "State", "Is", "When and who"),
        ((name, side["title"], side["source"], words.when(side)) for name, side in sides),
    )
    yield from ("", f"- Why: {escape(document['why']) or '—'}", f"- Approval: {escape(document['approval'])}")
    yield from (f"- Content: `{content_hash}`", "", "## Changes by risk", "")
    yield from _table(
        ("Class", "Changes", "What it can do"),
        ((f"{words.SHAPES[risk]} {risk}", str(number), words.RISKS[risk]) for risk, number in risks),
    )
    yield from ("", f"{sums(document)}.")
    for title, lines in sections(document).items():
        yield from ("", f"## {title}", "")
        yield from (f"- {escape(line)}" for line in lines or ["none"])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    yield from ("| " + " | ".join(map(escape, row)) + " |" for row in rows)


def _details(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Every change" if document["changes"] else "No change has to be looked at.")
    for each in group(document["changes"]):
        yield from _group(each)


def _group(each: Group) -> Iterator[str]:
    change = each.first
    yield from ("", f"### {words.SHAPES[change['risk']]} {change['risk']} {escape(heading(each))}", "")
    yield f"- rules: {', '.join(change['rules']) or 'none'}"
    yield from (f"- {escape(remark)}" for remark in remarks(each))
    if each.rows:
        yield ""
        yield from _table(
            ("Property", *sides(each)),
            ((row["path"], *told(each, row)) for row in each.rows),
        )
