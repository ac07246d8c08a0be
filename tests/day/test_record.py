"""What the day remembers, and how it keeps two commands apart."""

import os
import subprocess
import sys
import time

import pytest
import yaml

from infra.day.only_one import only_one
from infra.day.outcome import Refusal
from infra.day.record import Phase, Record, Records
from infra.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(root=tmp_path, home=tmp_path / "home", cache=tmp_path / "cache")


def test_a_stack_that_was_never_up_is_down(workspace):
    """Guards against a first `down` that fails for want of a file."""
    assert Records(workspace).read("2017-s09") == Record(stack="2017-s09", phase=Phase.DOWN)


def test_a_record_survives_the_process_that_wrote_it(workspace):
    """Guards against a drain that is proven twice, or forgotten, after a kill."""
    Records(workspace).write(Record(stack="2017-s09", phase=Phase.DRAINED, scale="small", speed=20, evidence="x/"))
    assert Records(workspace).read("2017-s09").reached(Phase.DRAINED)
    assert [record.stack for record in Records(workspace).up()] == ["2017-s09"]


def test_the_configuration_of_a_stack_is_plain_text():
    """Guards against a stack file that YAML refuses to write."""
    config = Record(stack="2017-s09", scale="small").config
    assert yaml.safe_load(yaml.safe_dump(config)) == {"placement": "lab", "scale": "small", "demand": "race"}


def test_only_what_exists_counts_as_up(workspace):
    """Guards against a stage of yesterday that keeps today's from coming up."""
    records = Records(workspace)
    records.write(Record(stack="2017-core", phase=Phase.LIVE))
    records.write(Record(stack="2017-s08", phase=Phase.DOWN))
    assert [record.stack for record in records.up()] == ["2017-core"]


def test_a_second_command_is_refused_and_told_who_is_at_work(workspace):
    """Guards against two engines on one checkpoint."""
    with only_one(workspace), pytest.raises(Refusal, match=f"process {os.getpid()}"), only_one(workspace):
        pass


def test_children_of_a_killed_command_are_ended_before_the_next_one_works(workspace):
    """Guards against an engine that outlives its command and works on beside the next."""
    environment = {**os.environ, "ETAPE_DAY": str(workspace.home)}
    orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=environment)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(0.2)
    try:
        with only_one(workspace):
            assert orphan.wait(timeout=5) == -9
            assert other.poll() is None
    finally:
        other.kill()
        other.wait()
