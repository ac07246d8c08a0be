"""The first page in words, the same in every format: headings, each with its lines."""

from collections.abc import Iterable, Mapping
from typing import Any

from infra.estate.order import natural
from infra.review.report import words
from infra.review.report.groups import Group


def sections(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """By title; a section without lines has nothing to tell."""
    return {
        "Why these classes": [_rule(each) for each in document["rules"]],
        "Policies": _findings(document["policies"]),
        "Expected, and folded": [_folded(each) for each in document["folded"]],
        "Open questions": list(document["questions"]),
    }


def sums(document: Mapping[str, Any]) -> str:
    """What does not have to be looked at."""
    same, expected = document["summary"]["same"], len(document["expected"])
    return f"{words.count(same, 'thing')} equal, {words.count(expected, 'thing')} different only as expected"


def heading(group: Group) -> str:
    """`taken away: 12 × node processor-13 … processor-24`."""
    number = f"{len(group.changes)} × " if len(group.changes) > 1 else ""
    what = f"{words.kind(group.first['kind'])} {words.names(group.names)}"
    return f"{words.ACTIONS[group.first['action']]}: {number}{what}"


def told(group: Group, row: Mapping[str, Any]) -> tuple[str, ...]:
    """What a row says: before and after, or the one side that there is."""
    action = group.first["action"]
    if action == "add":
        return (words.value(row["after"]),)
    if action == "remove":
        return (words.value(row["before"]),)
    return words.before_after(row["before"], row["after"])


def sides(group: Group) -> tuple[str, ...]:
    """What the values of `told` are."""
    return {"add": ("Is",), "remove": ("Was",)}.get(group.first["action"], ("Before", "After"))


def remarks(group: Group) -> list[str]:
    """What is said of a group beside its properties."""
    said = [group.first["note"], group.first["reason"]]
    if group.along:
        said.append("with " + ", ".join(words.count(number, kind) for kind, number in group.along.items()))
    if group.explained:
        said.append(f"and {words.count(group.explained, 'property')} that a cause above explains")
    if len(group.changes) > 1 and group.rows:
        said.append(f"as for {group.first['name']}:")
    return [words.clean(each) for each in said if each]


def _rule(each: Mapping[str, Any]) -> str:
    return f"{each['risk']} {each['name']} ({each['changes']}): {each['text']}"


def _findings(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for what a policy says alike of several resources; what is refused first."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for each in findings:
        alike.setdefault((each["level"], each["policy"], each["sentence"]), []).append(each["resource"])
    ordered = sorted(alike.items(), key=lambda found: found[0][0] != "mandatory")
    return [
        f"{level}: {policy}: {words.names(sorted(resources, key=natural))}: {sentence}"
        for (level, policy, sentence), resources in ordered
    ]


def _folded(each: Mapping[str, Any]) -> str:
    return f"{each['cause']} ({words.count(each['properties'], 'property')} of {words.count(each['things'], 'thing')})"
