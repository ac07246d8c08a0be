"""What several of these tests need."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def living_pulumi(tmp_path: Path) -> Iterator[int]:
    """Number of a process that the kernel knows as `pulumi`."""
    program = tmp_path / "pulumi"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as process:
        # The kernel says that a program has begun a moment before it gives it its name.
        while Path(f"/proc/{process.pid}/comm").read_text() != "pulumi\n":
            time.sleep(0.001)
        yield process.pid
        process.kill()
