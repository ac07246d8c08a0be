"""Pulumi's events, as a person hears them."""

import json

import pytest

from infra.events import Changes, Event, read_event

URN = "urn:pulumi:2017-s09::etape::etape:lab:Cabling$etape:index:Cable::T1-07"
STACK = "urn:pulumi:2017-s09::etape::pulumi:pulumi:Stack::etape-2017-s09"


def test_a_step_is_its_operation_and_its_resource():
    """Guards against progress in resource names of a hundred characters."""
    line = json.dumps({"resourcePreEvent": {"metadata": {"op": "create", "urn": URN}}})
    assert read_event(line) == Event(step="create T1-07")


def test_a_step_that_is_only_planned_says_so():
    """Guards against progress that tells of machines which nobody has begun to make."""
    line = json.dumps({"resourcePreEvent": {"metadata": {"op": "create", "urn": URN}, "planning": True}})
    assert read_event(line) == Event(step="plan: create T1-07")


def test_a_policys_finding_names_its_resource():
    """Guards against a refusal of which nobody knows what it is about."""
    policy = {
        "policyName": "pinned",
        "enforcementLevel": "mandatory",
        "resourceUrn": URN,
        "message": "Why.\nIt moves.\n",
    }
    event = read_event(json.dumps({"policyEvent": policy}))
    assert str(event.finding) == "T1-07: It moves. (pinned)"


def test_an_error_names_its_resource():
    """Guards against an error of which nobody knows where it belongs."""
    event = {"diagnosticEvent": {"severity": "error", "message": "error: edge-1 does not run\n", "urn": URN}}
    assert read_event(json.dumps(event)) == Event(error="T1-07: edge-1 does not run")


def test_the_sum_tells_what_was_done():
    """Guards against a second `up` that cannot show that it changed nothing."""
    event = read_event(json.dumps({"summaryEvent": {"resourceChanges": {"create": 2, "same": 80}}}))
    assert str(event.changes) == "2 create"
    assert event.changes.as_dict() == {"create": 2, "same": 80}
    assert str(Changes({"same": 82})) == "no change to 82 resources"


@pytest.mark.parametrize(
    "event",
    [
        {"resourcePreEvent": {"metadata": {"op": "same", "urn": URN}}},
        {"diagnosticEvent": {"severity": "warning", "message": "using pulumi-resource-docker from $PATH"}},
        {"diagnosticEvent": {"severity": "error", "message": "update failed", "urn": STACK}},
        {"preludeEvent": {"config": {}}},
        ["not", "an", "event"],
    ],
)
def test_what_says_nothing_new_is_left_out(event):
    """Guards against 'update failed' hiding the error that it follows from."""
    assert read_event(json.dumps(event)) is None


def test_a_line_that_is_no_json_is_left_out():
    """Guards against a traceback over a plugin that prints to standard output."""
    assert read_event("panic: something\n") is None
