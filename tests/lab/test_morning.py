"""The morning of the day: up, killed and run again, checked, broken and mended. It leaves 2017-s09 live."""

import os
import subprocess
import sys
import time

import pytest

from infra.day.record import Phase, Records
from infra.workspace import ROOT
from tests.lab.command import kill_while, run, succeed
from tests.lab.conftest import STACK, UPLINK_CUT_S
from tests.lab.seen import race


def test_up_survives_being_killed_with_everything_that_it_started(workspace):
    """Guards against a power cut in the middle of making machines that no second `up` can mend."""
    kill_while("Create 2017-core", 6, "stage", "up", STACK, "--scale", "small", everything=True)
    assert Records(workspace).read(STACK).phase is Phase.RIGGING


def test_up_survives_being_killed_alone_while_it_deploys(workspace):
    """Guards against a playbook that works on beside the one of the second `up`."""
    kill_while("Create 2017-s09", 5, "stage", "up", STACK, "--scale", "small")
    assert Records(workspace).read(STACK).phase is Phase.DEPLOYING


def test_up_ends_with_live_rider_states(workspace, estate):
    """Guards against a race-ready that nobody can watch."""
    outcome = succeed("stage", "up", STACK, "--scale", "small")
    assert outcome.step("Deploy")["hosts"] == len(estate.everything("nodes")) == 26
    first = race()
    time.sleep(2)
    assert race()["clock_ms"] > first["clock_ms"]
    assert first["status"] == "live"


def test_a_second_up_changes_nothing():
    """Guards against resources and files that always show a change."""
    outcome = succeed("stage", "up", STACK)
    for layer in ("2017-core", "2017-s09"):
        changes = outcome.step(f"Create {layer}")["changes"]
        assert {kind: count for kind, count in changes.items() if kind != "same" and count} == {}
    assert outcome.step("Deploy")["changed"] == 0


def test_every_node_is_what_its_roles_promise():
    """Guards against a deploy that reports success and machines that are something else, seen from outside."""
    environment = {**os.environ, "ETAPE_TEST_HOSTS": f"2017-core,{STACK}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/hosts", "-q"],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_both_pages_are_live_in_a_browser_without_a_word_on_the_console(open_page, said):
    """Guards against pages that only work against a scripted feed."""
    race_page = open_page("http://127.0.0.1:8320/")
    race_page.get_by_text("198 riders").first.wait_for(timeout=10_000)
    manage_page = open_page("http://127.0.0.1:8330/")
    manage_page.get_by_text("edge-2").first.wait_for(timeout=10_000)
    assert said == []


def test_the_arrival_sheet_is_all_good(estate):
    """Guards against a check that looks at less than the estate promises."""
    findings = succeed("stage", "check", STACK).result["findings"]
    assert [finding for finding in findings if not finding["good"]] == []
    cables = {finding["subject"] for finding in findings if finding["kind"] == "cable"}
    assert cables == {link.label for link in estate.everything("links")}


def test_a_pulled_cable_is_named_by_the_check(estate):
    """Guards against the fault of 2015: a dislodged cable, and nobody could tell why."""
    link = next(link for link in estate.links if link.a.node == "edge-3")
    succeed("lab", "fault", "cable", link.label)
    try:
        sheet = run("stage", "check", STACK)
        assert sheet.status == 1
        bad = [finding for finding in sheet.result["findings"] if not finding["good"]]
    finally:
        succeed("lab", "heal")
    cable = next(finding for finding in bad if finding["kind"] == "cable")
    assert cable["subject"] == link.label
    assert "no carrier" in cable["sentence"]


def test_a_cut_uplink_loses_nothing_and_live_state_is_back_within_five_seconds():
    """Guards against a minute without uplink that costs readings, or that the live state waits behind."""
    succeed("lab", "fault", "uplink")
    frozen = wait_until_frozen()
    time.sleep(UPLINK_CUT_S)
    assert race()["clock_ms"] == frozen
    succeed("lab", "heal")
    healed = time.monotonic()
    while race()["clock_ms"] < frozen + UPLINK_CUT_S * 1000:
        assert time.monotonic() - healed < 5, "live state is not back"
        time.sleep(0.05)


def wait_until_frozen() -> int:
    """Race clock of the feed once it has stood still for two seconds."""
    for _ in range(10):
        before = race()["clock_ms"]
        time.sleep(2)
        if race()["clock_ms"] == before:
            return before
    pytest.fail("the feed goes on although the uplink is cut")
