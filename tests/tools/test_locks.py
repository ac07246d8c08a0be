"""The two locks."""

import re
from pathlib import Path

from tools.setup.engines import DOCKER_PLUGIN

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


def test_the_engine_that_we_build_has_the_version_of_its_python_packages() -> None:
    """Pulumi refuses, or quietly misreads, a plugin of another version than the package asks for."""
    python = dict(_pins("requirements.lock"))
    module = (CHECKOUT / "tools/engines/pulumi/go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{python['pulumi']} " in module
    assert f"github.com/pulumi/pulumi/sdk/v3 v{python['pulumi']} " in module
    assert python["pulumi-docker"] == DOCKER_PLUGIN[1]
    bridge = (CHECKOUT / "tools/engines/pulumi-resource-docker/info.go").read_text()
    assert f'const Version = "{DOCKER_PLUGIN[1]}"' in bridge
