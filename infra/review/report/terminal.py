"""A review on a terminal: one page first, then every change."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.review.report import words
from infra.review.report.groups import Group, group
from infra.review.report.sections import heading, remarks, sections, sums, told

_COLOURS = {"R0": "2", "R1": "32", "R2": "33", "R3": "31", "R4": "1;31"}
_HEAD = "1"


def render(document: Mapping[str, Any], content_hash: str, colour: bool) -> str:
    """The whole report; `colour` only repeats what shape and word say."""
    paint = _Paint(colour)
    lines = [*_page(document, content_hash, paint), "", *_details(document, paint)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def first_page(document: Mapping[str, Any], content_hash: str, colour: bool) -> str:
    """The first page alone."""
    return "\n".join(line.rstrip() for line in _page(document, content_hash, _Paint(colour)))


class _Paint:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def risk(self, risk: str) -> str:
        return self(_COLOURS[risk], f"{words.SHAPES[risk]} {risk}")


def _page(document: Mapping[str, Any], content_hash: str, paint: _Paint) -> Iterator[str]:
    yield paint(_HEAD, f"Review {words.clean(document['a']['title'])} → {words.clean(document['b']['title'])}")
    for name in ("a", "b"):
        side = document[name]
        yield f"  {name.upper()}         {words.clean(side['title'])}: {side['source']}; {words.when(side)}"
    yield f"  Why       {words.clean(document['why']) or '—'}"
    yield f"  Approval  {words.clean(document['approval'])}"
    yield f"  Content   {content_hash}"
    yield from ("", paint(_HEAD, "Changes by risk"))
    for risk, number in reversed(document["summary"]["risk"].items()):
        yield f"  {paint.risk(risk)}  {number:>5}  {words.RISKS[risk]}"
    yield f"  {sums(document)}"
    for title, lines in sections(document).items():
        yield from ("", paint(_HEAD, title))
        yield from (f"  {words.clean(line)}" for line in lines or ["none"])


def _details(document: Mapping[str, Any], paint: _Paint) -> Iterator[str]:
    yield paint(_HEAD, "Every change" if document["changes"] else "No change has to be looked at.")
    for each in group(document["changes"]):
        yield ""
        yield from _group(each, paint)


def _group(each: Group, paint: _Paint) -> Iterator[str]:
    change = each.first
    yield f"{paint.risk(change['risk'])}  {heading(each)}  [{', '.join(change['rules']) or 'no rule'}]"
    yield from (f"      {remark}" for remark in remarks(each))
    for row in each.rows:
        yield f"        {words.clean(row['path'])}: {' → '.join(told(each, row))}"
