"""The tools that read all of the code have nothing to say about it."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("reader", ["ruff check", "ruff format --check", "mypy"])
def test_a_reader_of_the_code_finds_nothing(reader: str) -> None:
    """Guards against slips that a machine sees before a reviewer has to: dead names, other layouts, wrong types."""
    done = subprocess.run([sys.executable, "-m", *reader.split()], cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
