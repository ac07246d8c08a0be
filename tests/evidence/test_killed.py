"""A log survives a kill at any moment."""

import signal
import subprocess
import sys
import time

import pytest

from infra.evidence.chain import read_chain
from infra.workspace import ROOT
from tests.evidence.examples import allowed_signers, operator, season, verify

WRITER = """
import sys
from pathlib import Path
from tests.evidence.examples import operator
from infra.evidence.log import EvidenceLog

log = EvidenceLog(Path(sys.argv[1]) / "2017", operator(Path(sys.argv[1])))
for number in range(100_000):
    log.append("up", "2017-s09", {"number": number}, {"file": b"%d" % number})
    print(number, flush=True)
    if number % 4 == 3:
        log.seal()
"""


@pytest.mark.parametrize("after_ms", [0, 7, 23, 61, 130])
def test_what_a_killed_command_was_told_is_there_and_the_next_one_goes_on(tmp_path, after_ms):
    """Guards against a power cut that takes a finished entry with it, or that nothing can be written after."""
    operator(tmp_path).fingerprint  # noqa: B018 (the key is made before the clock starts)
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        process.stdout.readline()
        time.sleep(after_ms / 1000)
        process.send_signal(signal.SIGKILL)
        told = 1 + len(process.stdout.read().split("\n")) - 1
    log = season(tmp_path, operator(tmp_path))
    log.append("down", "2017-s09", {})
    log.seal()
    (folder,) = (tmp_path / "2017").iterdir()
    chain = read_chain(folder)
    numbers = [entry.facts["number"] for entry in chain.entries if entry.kind == "up"]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= told
    assert verify(tmp_path / "2017", "--keys", allowed_signers(tmp_path, operator(tmp_path))).proven


def test_two_commands_at_once_write_one_chain(tmp_path):
    """Guards against two processes that give the same number to two entries."""
    operator(tmp_path).fingerprint  # noqa: B018 (one of them would make the key while the other reads it)
    short = WRITER.replace("100_000", "20")
    command = [sys.executable, "-c", short, str(tmp_path)]
    writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    (folder,) = (tmp_path / "2017").iterdir()
    assert read_chain(folder).last == 40
    assert verify(tmp_path / "2017", "--keys", allowed_signers(tmp_path, operator(tmp_path))).proven
