"""The controls beside the policies, in the code and in the documentation."""

from pathlib import Path

from infra.policy.controls import CONTROLS, table
from infra.policy.rules import POLICIES
from infra.workspace import ROOT

DOCUMENT = Path(ROOT / "docs/controls.md")


def test_every_control_is_one_of_a_catalogue_and_carried_out():
    """Guards against a number that no catalogue has, and a control that is claimed and not there."""
    assert {control for policy in POLICIES for control in policy.controls} == set(CONTROLS)


def test_the_documentation_has_the_policies_as_they_are():
    """Guards against an auditor who reads of a policy that is gone. See `python -m infra.policy.controls`."""
    assert table() in DOCUMENT.read_text()


def test_what_the_documentation_points_at_is_there():
    """Guards against a table that leads nowhere."""
    named = DOCUMENT.read_text().split("## Policies")[0].split("`")[1::2]
    places = [name for name in named if name.split("/")[0] in ("infra", "stacks", "tests", "playbooks")]
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []
