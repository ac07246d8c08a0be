"""What a machine is against what is declared of it."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from ansible_collections.etape.node.plugins.module_utils.desired import State, parse_state
from ansible_collections.etape.node.plugins.plugin_utils import facts as program
from ansible_collections.etape.node.plugins.plugin_utils.drift import Expected, Finding, asked, judge

KEY = "ssh-ed25519 AAAA-the-operators etape"
CONFIG = "/etc/etape/relay.json"
RELEASE = {"/opt/etape/releases/abc/tracking/relay.py": "1" * 64}
NODE = {
    "interfaces": [{"name": "eno1", "address": "10.17.16.12/24", "members": [], "mtu": 1500}],
    "ports": [{"name": "eno1"}, {"name": "eno2"}],
    "routes": [{"destination": "10.17.0.0/16", "gateway": "10.17.16.1"}],
    "services": [{"name": "relay", "port": 8400, "health_port": 8302}],
}


def state(**more: list) -> State:
    role = {
        "role": "tracking",
        "accounts": [{"name": "etape", "uid": 500, "home": "/var/lib/etape"}],
        "directories": [{"path": "/etc/etape", "group": "etape", "mode": "0750"}, {"path": "/var/lib/etape"}],
        "files": [
            {"path": CONFIG, "content": "{}", "mode": "0640", "secret": True},
            {"path": "/etc/sysctl.d/60-etape.conf", "content": "net.ipv4.ip_forward = 0\n"},
        ],
        "links": [{"path": "/opt/etape/current", "target": "releases/abc"}],
        "units": [{"name": "etape-relay.service"}, {"name": "chrony.service"}],
    }
    return parse_state([{**role, **more}])


def file(content: str = "", rights: str = "root:root 0644") -> dict:
    return {"kind": "file", "holds": sha256(content.encode()).hexdigest(), "rights": rights, "since": 1_500_000_000.0}


def folder(rights: str = "root:root 0755") -> dict:
    return {"kind": "folder", "holds": "", "rights": rights, "since": 0.0}


def link(target: str) -> dict:
    return {"kind": "link", "holds": target, "rights": "", "since": 0.0}


def account(uid: int, shell: str, *keys: str) -> dict:
    return {"uid": uid, "shell": shell, "password": "none", "groups": [], "keys": list(keys)}


def unit(**changed: str) -> dict:
    return {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "Transient": "no", **changed}


IMAGE = {
    "files": {"/etc": folder(), "/etc/hosts": file("image"), "/etc/ssh/sshd_config": file("ssh")},
    "packages": {"chrony": {"version": "4.3", "since": 0.0}},
    "accounts": {"root": account(0, "/bin/bash")},
}
SOUND = {
    "files": {
        "/etc": folder(),
        "/etc/hosts": file("another machine's"),
        "/etc/machine-id": file("its own"),
        "/etc/ssh/sshd_config": file("ssh"),
        "/etc/ssh/ssh_host_ed25519_key": file("its own"),
        "/etc/etape": folder("root:etape 0750"),
        CONFIG: file("{}", "root:root 0640"),
        "/etc/sysctl.d": folder(),
        "/etc/sysctl.d/60-etape.conf": file("net.ipv4.ip_forward = 0\n"),
        "/etc/systemd/system/multi-user.target.wants/chrony.service": link("/lib/systemd/system/chrony.service"),
        "/opt/etape/current": link("releases/abc"),
        "/opt/etape/releases/abc/tracking/relay.py": {**file(), "holds": "1" * 64},
        "/var/lib/etape": folder(),
        "/etc/ssh/authorized_keys.d/root": file(KEY, "root:root 0600"),
    },
    "packages": {"chrony": {"version": "4.3", "since": 0.0}},
    "accounts": {"root": account(0, "/bin/bash", KEY), "etape": account(500, "/usr/sbin/nologin")},
    "units": {"etape-relay.service": unit(), "chrony.service": unit(), "ssh.service": unit()},
    "interfaces": {
        "lo": {"kind": "loopback", "addresses": ["127.0.0.1/8", "::1/128"]},
        "eth0": {"kind": "veth", "addresses": ["172.30.20.12/22"]},
        "eno1": {"kind": "veth", "addresses": ["10.17.16.12/24"]},
        "sit0": {"kind": "sit", "addresses": []},
    },
    "routes": [
        {"to": "default", "via": "172.30.20.1", "dev": "eth0"},
        {"to": "10.17.0.0/16", "via": "10.17.16.1", "dev": "eno1"},
    ],
    "listeners": [
        {"protocol": "tcp", "address": "0.0.0.0", "port": 22, "program": "sshd", "unit": "ssh.service"},
        {"protocol": "udp", "address": "0.0.0.0", "port": 8400, "program": "", "unit": ""},
        {"protocol": "tcp", "address": "0.0.0.0", "port": 8302, "program": "", "unit": ""},
        {"protocol": "udp", "address": "0.0.0.0", "port": 51000, "program": "", "unit": ""},
        {"protocol": "tcp", "address": "127.0.0.11", "port": 37871, "program": "", "unit": ""},
    ],
    "sysctls": {"net.ipv4.ip_forward": "0"},
}


@pytest.fixture
def found() -> dict:
    """What a sound machine says of itself, to be edited behind its back."""
    return copy.deepcopy(SOUND)


def look(facts: dict, image: dict = IMAGE, wanted: State | None = None) -> tuple[Finding, ...]:
    return judge(Expected(wanted or state(), NODE, "172.30.20.12", (KEY,), image, RELEASE), facts)


def only(facts: dict) -> Finding:
    (finding,) = look(facts)
    return finding


def test_a_machine_as_declared_has_no_drift(found: dict) -> None:
    """Guards: a list of false alarms that nobody reads to its end."""
    assert look(found) == ()


def edit_config(found: dict) -> None:
    found["files"][CONFIG] = file('{"port": 1}', "root:root 0640")


def open_config(found: dict) -> None:
    found["files"][CONFIG]["rights"] = "root:root 0666"


def remove_config(found: dict) -> None:
    del found["files"][CONFIG]


def stop(found: dict) -> None:
    found["units"]["etape-relay.service"] |= {"ActiveState": "inactive", "InactiveEnterTimestamp": "@1500000000"}


def disable(found: dict) -> None:
    found["units"]["chrony.service"]["UnitFileState"] = "disabled"


def mask(found: dict) -> None:
    found["units"]["chrony.service"]["UnitFileState"] = "masked"
    found["files"]["/etc/systemd/system/chrony.service"] = link("/dev/null")


@pytest.mark.parametrize(
    ("edit", "kind", "what", "found_words"),
    [
        (edit_config, "file", CONFIG, "edited: SHA-256"),
        (open_config, "file", CONFIG, "root:root 0666"),
        (remove_config, "file", CONFIG, "not there"),
        (stop, "unit", "etape-relay.service", "inactive"),
        (disable, "unit", "chrony.service", "disabled"),
        (mask, "unit", "chrony.service", "masked"),
    ],
)
def test_what_a_deploy_owns_is_named_and_will_be_mended(
    found: dict, edit: Callable, kind: str, what: str, found_words: str
) -> None:
    """Guards: an edit that the next deploy silently overwrites, and one that it does not."""
    edit(found)
    finding = only(found)

    assert (finding.kind, finding.what, finding.mended) == (kind, what, True)
    assert finding.found.startswith(found_words)


def test_a_finding_says_since_when(found: dict) -> None:
    """Guards: an audit that cannot tell who was on shift."""
    edit_config(found)
    assert only(found).since == 1_500_000_000.0
    found = copy.deepcopy(SOUND)
    stop(found)
    assert only(found).since == 1_500_000_000.0


def add_file(found: dict) -> None:
    found["files"]["/etc/cron.d/mine"] = file("* * * * * root true")


def edit_image_file(found: dict) -> None:
    found["files"]["/etc/ssh/sshd_config"] = file("PermitRootLogin yes")


def edit_program(found: dict) -> None:
    found["files"]["/opt/etape/releases/abc/tracking/relay.py"]["holds"] = "2" * 64


def add_package(found: dict) -> None:
    found["packages"]["netcat"] = {"version": "1.0", "since": 1.0}


def update_package(found: dict) -> None:
    found["packages"]["chrony"]["version"] = "4.4"


def add_account(found: dict) -> None:
    found["accounts"]["eve"] = account(1000, "/bin/bash")


def set_password(found: dict) -> None:
    found["accounts"]["root"]["password"] = "abcdef"


def add_key(found: dict) -> None:
    found["accounts"]["root"]["keys"].append("ssh-ed25519 AAAA-of-a-stranger eve")


def prefix_key(found: dict) -> None:
    found["accounts"]["root"]["keys"].append(f'environment="PATH=/tmp" {KEY}')


def forward(found: dict) -> None:
    found["sysctls"]["net.ipv4.ip_forward"] = "1"


def plug(found: dict) -> None:
    found["interfaces"]["veth7"] = {"kind": "veth", "addresses": []}


def add_address(found: dict) -> None:
    found["interfaces"]["eno1"]["addresses"].append("10.17.16.13/24")


def add_route(found: dict) -> None:
    found["routes"].append({"to": "10.99.0.0/16", "via": "10.17.16.7", "dev": "eno1"})


def listen(found: dict) -> None:
    found["listeners"].append({"protocol": "tcp", "address": "0.0.0.0", "port": 9999, "program": "nc", "unit": ""})


def run_by_hand(found: dict) -> None:
    found["units"]["run-r1.service"] = unit(Transient="yes", ActiveEnterTimestamp="@5")


@pytest.mark.parametrize(
    ("edit", "kind", "what"),
    [
        (add_file, "file", "/etc/cron.d/mine"),
        (edit_image_file, "file", "/etc/ssh/sshd_config"),
        (edit_program, "file", "/opt/etape/releases/abc/tracking/relay.py"),
        (add_package, "package", "netcat"),
        (update_package, "package", "chrony"),
        (add_account, "account", "eve"),
        (set_password, "account", "root"),
        (add_key, "key", "root: f-a-stranger"),
        (prefix_key, "key", "root: he-operators"),
        (forward, "sysctl", "net.ipv4.ip_forward"),
        (plug, "port", "veth7"),
        (add_address, "address", "eno1 10.17.16.13/24"),
        (add_route, "route", "10.99.0.0/16"),
        (listen, "listener", "tcp 9999"),
        (run_by_hand, "unit", "run-r1.service"),
    ],
)
def test_what_was_never_declared_is_named_and_left_to_people(found: dict, edit: Callable, kind: str, what: str) -> None:
    """Guards: a stranger on a machine that looks like part of it, and a tool that removes what it does not own."""
    edit(found)
    finding = only(found)

    assert (finding.kind, finding.what, finding.mended) == (kind, what, False)


def test_without_an_image_what_is_ours_is_judged_all_the_same(found: dict) -> None:
    """Guards: hardware, which no image was made for, being called drifted from top to bottom."""
    add_file(found)
    add_package(found)
    assert look(found, image={}) == ()
    edit_config(found)
    assert [finding.what for finding in look(found, image={})] == [CONFIG]


def test_no_secret_is_in_a_finding(found: dict) -> None:
    """Guards: a report of drift that hands out what was edited."""
    wanted = state(files=[{"path": CONFIG, "content": "hunter2", "mode": "0640", "secret": True}])
    assert "hunter2" not in str(look(found, wanted=wanted))


def test_data_are_not_read_only_their_folder() -> None:
    """Guards: a look at a machine that reads gigabytes of readings."""
    question = asked(state(), RELEASE)
    assert {"/var/lib/etape", "/opt/etape/current"} <= set(question["paths"])
    assert "/opt/etape/releases/abc" in question["roots"]
    assert question["units"] == ["etape-relay.service", "chrony.service"]
    assert question["sysctls"] == ["net.ipv4.ip_forward"]


def test_the_program_tells_of_files_what_the_judge_compares(tmp_path: Path) -> None:
    """Guards: a program and a judge that do not speak of the same thing; it runs alone, as on a machine."""
    (tmp_path / "kept").write_text("text")
    (tmp_path / "kept").chmod(0o640)
    (tmp_path / "link").symlink_to("kept")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/kept.pyc").write_text("compiled")
    (tmp_path.parent / "elsewhere").symlink_to(tmp_path)
    roots = [str(tmp_path), str(tmp_path.parent / "elsewhere")]
    question = json.dumps({"roots": roots, "paths": ["/nowhere"], "units": [], "sysctls": []})
    command = [sys.executable, "-I", "-", question]
    done = subprocess.run(command, input=Path(program.__file__).read_text(), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert set(told) == set(SOUND)
    assert {Path(path).name for path in told["files"]} == {tmp_path.name, "kept", "link", "elsewhere"}
    assert told["files"][roots[1]]["kind"] == "link", "a link is told, not followed"
    kept = told["files"][str(tmp_path / "kept")]
    assert (kept["kind"], kept["holds"]) == ("file", sha256(b"text").hexdigest())
    assert kept["rights"].endswith(" 0640")
    assert told["files"][str(tmp_path / "link")]["holds"] == "kept"
