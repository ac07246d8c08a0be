"""Edits behind the tool's back on a live stage: each is named, `up` puts back what is the tool's, the rest is left."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from infra.day.context import Day
from infra.day.progress import Progress
from tests.lab.command import run, succeed
from tests.lab.conftest import STACK

ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::archive/*"}
PACKAGE = "Package: stranger\nVersion: 1.0\nArchitecture: all\nMaintainer: operations\nDescription: by hand\n"


@pytest.fixture(scope="module")
def client() -> docker.DockerClient:
    return docker.from_env()


@pytest.fixture(scope="module")
def found(client, workspace, estate, tmp_path_factory) -> Iterator[dict[tuple[str, str, str], dict]]:
    """What `stage drift` says after every edit was made at once, by place, kind and thing."""
    succeed("stage", "up", STACK, "--scale", "small")
    assert succeed("stage", "drift", STACK).result["differences"] == []
    edit_machines(client, tmp_path_factory.mktemp("package"))
    store = Day(workspace, Progress(as_json=True)).object_store(estate).client()
    store.put_bucket_policy(Bucket="archive", Policy=json.dumps({"Version": "2012-10-17", "Statement": [ANYBODY]}))
    store.create_bucket(Bucket="mine")
    succeed("lab", "fault", "service", "forwarder")
    image = node(client, "edge-1").image.id
    client.containers.run(image, "600", entrypoint="sleep", name="stranger", network=f"{STACK}-management", detach=True)
    try:
        outcome = run("stage", "drift", STACK, "--thorough")
        assert outcome.status == 1
        yield {(each["where"], each["kind"], each["what"]): each for each in outcome.result["differences"]}
    finally:
        client.containers.get("stranger").remove(force=True)


def node(client: docker.DockerClient, name: str) -> Container:
    return client.containers.get(f"{STACK}-{name}")


def edit_machines(client: docker.DockerClient, folder: Path) -> None:
    relay, edge, broker = (node(client, name) for name in ("edge-2", "edge-3", "broker-1"))
    execute(relay, "sed -i s/8400/8401/ /etc/etape/relay.json && systemctl disable --quiet lldpd.service")
    execute(edge, "ip link add added type veth peer name other && echo x > /etc/systemd/network/99-mine.network")
    add_package(broker, folder)
    node(client, "web-1").stop(timeout=2)


def execute(container: Container, command: str) -> None:
    done = container.exec_run(["sh", "-c", command])
    assert done.exit_code == 0, done.output.decode()


def add_package(container: Container, folder: Path) -> None:
    """A package of our own making, so that no mirror is asked."""
    (folder / "root/DEBIAN").mkdir(parents=True)
    (folder / "root/DEBIAN/control").write_text(PACKAGE)
    (folder / "root/usr/bin").mkdir(parents=True)
    (folder / "root/usr/bin/stranger").write_text("#!/bin/sh\n")
    subprocess.run(["dpkg-deb", "--build", folder / "root", folder / "stranger.deb"], check=True, capture_output=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder / "stranger.deb", "stranger.deb")
    container.put_archive("/var/tmp", packed.getvalue())
    execute(container, "dpkg --install /var/tmp/stranger.deb && rm /var/tmp/stranger.deb")


@pytest.mark.parametrize(
    ("where", "kind", "what"),
    [
        ("web-1", "container", "web-1"),
        ("edge-2", "file", "/etc/etape/relay.json"),
        ("edge-2", "unit", "lldpd.service"),
        ("edge-2", "unit", "etape-forwarder.service"),
        ("edge-3", "port", "added"),
        ("edge-3", "file", "/etc/systemd/network/99-mine.network"),
        ("broker-1", "package", "stranger"),
        ("broker-1", "programs", "1 path(s)"),
        ("object store", "bucket", "archive"),
        ("object store", "bucket", "mine"),
        (STACK, "container", "stranger"),
    ],
)
def test_every_edit_is_named(found, where: str, kind: str, what: str):
    """Guards against an edit that the next stage inherits because nobody saw it."""
    assert (where, kind, what) in found


def test_a_fault_that_was_brought_in_is_told_as_such(found):
    """Guards against a rehearsal that somebody takes for an intruder."""
    assert "brought in on purpose" in found["edge-2", "unit", "etape-forwarder.service"]["cause"]


def test_a_machine_that_stands_still_is_told_once(found):
    """Guards against one stopped machine that looks like ten faults: its cables lie because it does."""
    assert [key for key in found if "web-1" in key[2] and key[1] == "cable"] == []


def test_an_opened_bucket_says_to_whom(found):
    """Guards against a changed policy that nobody can judge from the report."""
    assert "Allow * s3:GetObject, which nobody declared" in found["object store", "bucket", "archive"]["found"]


def test_up_puts_back_what_is_the_tools_and_leaves_the_rest(found, client):
    """Guards against a mended stage that still differs, and against a tool that takes away what it does not own."""
    succeed("stage", "up", STACK)
    client.containers.get("stranger").stop(timeout=1)
    left = {(each["where"], each["kind"]) for each in run("stage", "drift", STACK).result["differences"]}
    assert left == {
        ("edge-3", "port"),
        ("edge-3", "file"),
        ("broker-1", "package"),
        ("object store", "bucket"),
        (STACK, "container"),
    }


def test_what_was_found_is_in_the_evidence(found, workspace):
    """Guards against drift that is mended before an auditor could ask who, what and since when."""
    log = Day(workspace, Progress(as_json=True)).evidence.log(STACK)
    told = [entry.facts for entry in log.entries() if entry.kind == "drift"]
    assert any(facts["found"] >= len(found) for facts in told)
