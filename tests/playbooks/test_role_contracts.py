"""What a role says of its variables, its tasks and its playbooks."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.workspace import ROOT

ROLES = sorted((ROOT / "playbooks/roles").iterdir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
VERBS = {"precheck", "pull", "deploy", "check", "drain", "wipe", "drift"}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_argument_specs_equal_the_defaults(role: Path) -> None:
    """Guards: a variable that is documented and not there, or there and not documented."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    file = role / "defaults/main.yml"
    defaults = yaml.safe_load(file.read_text())

    assert set(specs["options"]) == set(defaults)
    assert all(option["description"] and option["type"] for option in specs["options"].values())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_keeps_to_its_own_names(role: Path) -> None:
    """Guards: two roles that fight over one variable."""
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text())
    shared = {"race_speed", "drain_patience_s"}

    assert {name for name in defaults if not name.startswith(f"{role.name}_")} <= shared


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_template_is_used(role: Path) -> None:
    """Guards: a template that people edit and nobody renders."""
    used = set(re.findall(r"template: (\S+)", (role / "desired.yml").read_text()))
    own = {path.name for path in (role / "templates").glob("*")}
    shared = {path.name for path in (ROOT / "playbooks/templates").iterdir()}

    assert own <= used <= own | shared


def test_there_is_a_playbook_a_verb() -> None:
    """Guards: a verb that the day cycle calls and that is gone."""
    assert {playbook.stem for playbook in PLAYBOOKS} == VERBS


def test_ansible_accepts_every_playbook() -> None:
    """Guards: a playbook that is not YAML, or calls an action that does not exist."""
    command = [Path(sys.executable).parent / "ansible-playbook", "--syntax-check", "-i", "localhost,", *PLAYBOOKS]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
