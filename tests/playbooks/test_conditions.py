"""What the module `etape.node.conditions` says of a node."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ansible_collections.etape.node.plugins.filter.findings import check_table, troubles
from ansible_collections.etape.node.plugins.module_utils.conditions import inspect

from tests.playbooks.fake_machine import FakeMachine


class Service:
    """Answers /healthz with the next of `answers`; the last one stays."""

    def __init__(self, *answers: tuple[int, dict]) -> None:
        left = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *said: object) -> None:
                """Keep the test's output clean."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/healthz"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        holder.listen()
        yield holder.getsockname()[1]


def trouble(machine: FakeMachine, wait_s: float = 0, **condition: object) -> str:
    """What is wrong with one condition."""
    (finding,) = inspect([{"role": "r", **condition}], machine, wait_s)
    return finding.trouble


def test_a_healthy_service_is_no_trouble(machine: FakeMachine) -> None:
    """Guards: a check that cries wolf."""
    service = Service((200, {"status": "ok", "pending": 0}))

    assert trouble(machine, kind="http", name="forwarder", url=service.url, expect={"pending": 0}) == ""


def test_an_unhealthy_service_says_why(machine: FakeMachine) -> None:
    """Guards: '503' as the whole answer."""
    service = Service((503, {"status": "failing", "detail": "the cloud's broker is out of reach"}))

    assert trouble(machine, kind="http", name="forwarder", url=service.url) == (
        "forwarder is not healthy: the cloud's broker is out of reach"
    )


def test_a_drain_waits_until_the_backlog_is_gone(machine: FakeMachine) -> None:
    """Guards: a drain that gives up at once, or goes on before the last reading has crossed."""
    service = Service((200, {"pending": 41}), (200, {"pending": 7}), (200, {"pending": 0}))

    assert trouble(machine, 5, kind="http", name="forwarder", url=service.url, expect={"pending": 0}) == ""


def test_a_drain_that_does_not_end_says_what_is_left(machine: FakeMachine) -> None:
    """Guards: a teardown that waits for ever."""
    service = Service((200, {"pending": 7}))

    found = trouble(machine, 0.3, kind="http", name="forwarder", url=service.url, expect={"pending": 0})
    assert found == 'forwarder: pending is 7, wanted {"pending": 0}'


def test_a_taken_port_is_trouble_unless_its_own_unit_has_it(machine: FakeMachine, taken_port: int) -> None:
    """Guards: a broker that cannot start because of a stranger; a second deploy that stumbles over the first."""
    condition = {"kind": "listener", "port": taken_port, "unit": "etape-broker"}

    assert f"tcp port {taken_port}, which etape-broker needs, is taken" in trouble(machine, **condition)
    machine.active.add("etape-broker")
    assert trouble(machine, **condition) == ""


def test_a_machine_that_is_another_one_is_refused(machine: FakeMachine) -> None:
    """Guards: a truck's storage that is deployed onto its broker because two addresses were swapped."""
    machine.at("/proc/sys/kernel").mkdir(parents=True)
    machine.at("/proc/sys/kernel/hostname").write_text("edge-1\n")

    assert trouble(machine, kind="hostname", name="edge-1") == ""
    assert "this machine is edge-1, not storage-1" in trouble(machine, kind="hostname", name="storage-1")


def test_a_missing_port_names_its_cable(machine: FakeMachine) -> None:
    """Guards: a port that is missing and nobody knows which cable to look at."""
    assert "cable T1-07 is not laid" in trouble(machine, kind="port", name="eno1", label="T1-07")


def test_a_clock_that_is_far_off_is_trouble(machine: FakeMachine) -> None:
    """Guards: readings that are stamped in another hour."""
    assert "s off the controller's" in trouble(machine, kind="clock", tolerance_s=30, now=0)


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [({"kind": "moon"}, "no condition of kind 'moon'"), ({"kind": "path"}, "condition path: .*'path' and 'remedy'")],
)
def test_a_condition_that_cannot_be_read_is_refused(machine: FakeMachine, condition: dict, sentence: str) -> None:
    """Guards: a condition with a typo that always holds."""
    with pytest.raises(ValueError, match=sentence):
        trouble(machine, **condition)


def test_the_table_shows_drift_and_broken_promises_of_each_node() -> None:
    """Guards: a check that fails without saying what and where."""
    good = {"drift": {"changes": []}, "promises": {"looked_at": 3, "troubles": []}}
    bad = {
        "drift": {"changes": ["broker: writes /etc/etape/broker.conf"]},
        "promises": {"looked_at": 3, "troubles": ["node_base: lldpd does not run"]},
    }
    table = check_table([{"inventory_hostname": "edge-1", **good}, {"inventory_hostname": "edge-2", **bad}])

    assert table[0].split() == ["✓", "edge-1", "as", "deployed", "3/3", "promises", "hold"]
    assert table[1].split() == ["✗", "edge-2", "drifted", "2/3", "promises", "hold"]
    assert troubles([bad["drift"], bad["promises"]]) == [line.strip() for line in table[2:]]


def test_a_node_that_could_not_be_asked_is_not_good() -> None:
    """Guards: a module that failed and counts as no trouble."""
    broken = {"drift": {"msg": "no space"}, "promises": {"msg": "out of memory"}}

    assert check_table([{"inventory_hostname": "edge-1", **broken}])[1:] == [
        "    drift is not known: no space",
        "    out of memory",
    ]
