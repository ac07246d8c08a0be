"""What an operator, and a program, reads while the day goes on."""

import io
import json

import pytest

from infra.day.progress import Progress


def test_a_step_is_a_line_with_its_time():
    """Guards against long work that says nothing."""
    out = io.StringIO()
    with Progress(out=out).step("Create 2017-core") as step:
        step.detail = "26 created"
    assert out.getvalue().startswith("✓ Create 2017-core — 26 created  0.0 s (total 0 s)")


def test_a_failed_step_says_so_and_the_failure_goes_on():
    """Guards against a step that swallows what went wrong."""
    out = io.StringIO()
    with pytest.raises(KeyError, match="relay"), Progress(out=out).step("Deploy"):
        raise KeyError("relay")
    assert out.getvalue().startswith("✗ Deploy")


def test_programs_get_one_json_object_a_step_and_nothing_else():
    """Guards against text for people in the middle of JSON."""
    out = io.StringIO()
    progress = Progress(as_json=True, out=out)
    with progress.step("Deploy") as step:
        step.facts = {"hosts": 26}
    progress.say("for people")
    progress.result(stack="2017-s09")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first == {"step": "Deploy", "state": "done", "seconds": first["seconds"], "hosts": 26}
    assert second == {"result": {"stack": "2017-s09"}}
