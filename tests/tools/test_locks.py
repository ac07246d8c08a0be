"""The two locks."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([a-z0-9.-]+)==([^ ;\\]+)", re.MULTILINE)


def _pins(name: str) -> set[tuple[str, str]]:
    return set(PIN.findall((CHECKOUT / name).read_text()))


def test_nodes_run_the_versions_that_were_tested_here() -> None:
    """Locks that are written apart drift apart."""
    assert _pins("services/requirements.lock")
    assert _pins("services/requirements.lock") <= _pins("requirements.lock")


def test_every_pin_has_hashes() -> None:
    """One line without a hash and pip checks none."""
    for name in ("requirements.lock", "services/requirements.lock", *map(str, CHECKOUT.glob("tools/pins/*.txt"))):
        for entry in re.split(r"\n(?=\S)", (CHECKOUT / name).read_text().strip()):
            assert "--hash=sha256:" in entry or entry.startswith("#"), entry.splitlines()[0]
