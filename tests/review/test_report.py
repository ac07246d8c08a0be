"""Four views of one document: the same hash, nothing that escapes its place, no secret in any of them."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from infra.review.report import words
from infra.review.report.formats import FORMATS, render
from infra.review.report.groups import group
from infra.review.review import content_hash
from tests.review.reviews import EVIL, small, whole

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def document() -> dict:
    return small().document()


@pytest.mark.parametrize("how", FORMATS)
def test_every_format_shows_the_same_content_hash(document, how) -> None:
    """Guards against a printed page of which nobody can say which review it is."""
    assert content_hash(document) in render(document, how)


def test_the_hash_can_be_computed_by_anyone_from_the_json(document) -> None:
    """Guards against a hash that has to be believed."""
    read = json.loads(render(document, "json"))
    told = read.pop("content_hash")
    plain = json.dumps(read, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(plain.encode()).hexdigest() == told


def test_the_hash_changes_with_what_is_said_and_not_with_when(document) -> None:
    """Guards against a hash that holds for two reviews, and one that holds for none."""
    assert content_hash(small().document()) == content_hash(document)
    assert content_hash(small(why="another reason").document()) != content_hash(document)


@pytest.mark.parametrize("how", FORMATS)
def test_every_format_tells_the_classes_the_reasons_and_the_questions(document, how) -> None:
    """Guards against a view that leaves out what another one shows."""
    shown = render(document, how)
    for told in ("after the storm", "exposure-widened", "ports-on-loopback", "no approval was asked for", "as ever"):
        assert told in shown or told in shown.replace("\\", "")
    for risk, number in document["summary"]["risk"].items():
        assert risk in shown, (risk, number)


def test_text_of_the_data_stays_text_in_html(document) -> None:
    """Guards against a title that runs in the auditor's browser."""
    page = render(document, "html")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http" not in re.sub(r"http://www\.w3\.org\S*", "", page)


def test_text_of_the_data_stays_text_in_markdown(document) -> None:
    """Guards against a name that adds a column, a heading or a link."""
    page = render(document, "markdown")
    assert "<script" not in page
    assert "[a](b)" not in page
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in page.splitlines() if line.startswith("|")}
    assert widths <= {4, 5, 3}
    assert not any(line.startswith("# H") for line in page.splitlines())


@pytest.mark.parametrize("how", ["terminal", "markdown", "html"])
def test_no_control_character_reaches_the_reader(document, how) -> None:
    """Guards against a name that clears the screen above it."""
    assert "\x1b" in EVIL
    assert "\x1b" not in render(document, how)


def test_colour_only_repeats_what_shape_and_word_say(document) -> None:
    """Guards against a class that only some people see."""
    plain, coloured = (render(document, "terminal", colour=colour) for colour in (False, True))
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    assert all(f"{words.SHAPES[risk]} {risk}" in plain for risk in words.RISKS)


def test_a_rotated_secret_is_shown_by_its_digests(document) -> None:
    """Guards against a rotation that looks like nothing."""
    shown = render(document, "terminal")
    assert "secret (digest a1b2c3d4) → secret (digest ffffc3d4)" in shown


def test_long_lists_tell_what_differs() -> None:
    """Guards against sixty ports in which the reader looks for the one."""
    before, after = [f"port-{n}" for n in range(1, 9)], [f"port-{n}" for n in range(1, 8)]
    assert words.before_after(before, after) == ("8 members, gone: port-8", "7 members")
    assert words.names(["a-1", "a-2", "a-3", "b", "c-9", "c-11"]) == "a-1 … a-3, b, c-9, c-11"


def test_a_group_loses_no_change() -> None:
    """Guards against changes that vanish where alike ones are told together."""
    document = whole("2017-s09", "2017-s10").document()
    told = [change for each in group(document["changes"]) for change in (*each.changes, *each.belonging)]
    assert sorted(map(id, told)) == sorted(map(id, document["changes"]))


@pytest.mark.parametrize(("a", "b"), [("2017-s09", "2017-s10"), ("2016", "2017")])
def test_a_review_reads_as_it_was_reviewed(a, b, request) -> None:
    """Guards against a fold, a class or a sentence that changes unseen (`--update-golden` writes them anew)."""
    golden, shown = GOLDEN / f"{a}..{b}.md", render(whole(a, b).document(), "markdown")
    # The data change more often than the report; the hash would change with every word of them.
    shown = re.sub(r"[0-9a-f]{64}", "<hash>", shown)
    if request.config.getoption("--update-golden"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_between_two_days_nearly_everything_folds() -> None:
    """Guards against a report of tomorrow that is as long as the estate."""
    document = whole("2017-s09", "2017-s10").document()
    assert document["summary"]["risk"]["R3"] == document["summary"]["risk"]["R4"] == 0
    assert document["summary"]["same"] + len(document["expected"]) > 5 * len(document["changes"])
