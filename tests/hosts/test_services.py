"""Every service of every machine runs within its limits and as nobody special."""

from tests.hosts.conftest import Deployed

ROOT_NEEDED = {"etape-edge-agent"}
"""Reads netlink, lldpd and every unit."""


def test_every_service_runs(node: Deployed) -> None:
    """Guards: a service that started and ended."""
    for service in node.etape["services"]:
        assert node.host.service(service["unit"]).is_running, service["unit"]


def test_every_service_has_its_limits(node: Deployed) -> None:
    """Guards: limits that are written and not in force."""
    for service in node.etape["services"]:
        shown = node.host.check_output(
            f"systemctl show {service['unit']} --property=CPUQuotaPerSecUSec --property=MemoryMax --value"
        )
        quota, memory = sorted(shown.split(), key=len)
        assert int(memory) == service["limits"]["memory_mb"] * 2**20, service["unit"]
        assert quota in _seconds(service["limits"]["cpu_percent"]), service["unit"]


def _seconds(percent: int) -> tuple[str, ...]:
    """How systemd may write a share of a second."""
    return f"{percent * 10}ms", f"{percent / 100:g}s", f"{percent / 100:.6f}s"


def test_our_services_are_not_root(node: Deployed) -> None:
    """Guards: a page on the internet that owns its machine."""
    ours = [service["unit"] for service in node.etape["services"] if service["unit"].startswith("etape-")]
    for unit in set(ours) - ROOT_NEEDED:
        assert node.host.check_output(f"systemctl show {unit} --property=User --value") == "etape", unit


def test_every_health_endpoint_answers(node: Deployed) -> None:
    """Guards: a process that is there and does not do its work."""
    for service in node.etape["services"]:
        if service["health_port"]:
            url = f"http://127.0.0.1:{service['health_port']}/healthz"
            asked = f"import urllib.request as r; print(r.urlopen('{url}', timeout=5).status)"
            assert node.host.check_output(f'python3 -c "{asked}"') == "200", service["unit"]


def test_the_clock_follows_the_estate(node: Deployed) -> None:
    """Guards: a machine that lives in a time of its own."""
    assert "Leap status     : Normal" in node.host.check_output("chronyc -n tracking")
