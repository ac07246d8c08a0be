"""The pack between Pulumi's resources and the policies' own."""

import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from infra.policy import pack as pack_module
from infra.policy.docker import CONTAINER
from infra.policy.model import STACK
from infra.policy.rules import POLICIES
from infra.policy.secrets import CREDENTIAL
from tests.policy.examples import MACHINE

STAGE = "urn:pulumi:2017-s09::etape::"


@pytest.fixture(scope="module")
def pack():
    """The pack as the engine starts it: an executable that prints its port."""
    path = [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(path)}
    process = subprocess.Popen([pack_module.__file__, "127.0.0.1:0"], stdout=subprocess.PIPE, env=environment)
    assert process.stdout
    with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
        yield analyzer_pb2_grpc.AnalyzerStub(channel)
    process.terminate()
    process.wait(10)
    process.stdout.close()


def told(pack, kind: str, name: str, properties: dict, **options) -> list[tuple[str, str]]:
    given = struct_pb2.Struct()
    given.update(properties)
    request = analyzer_pb2.AnalyzeRequest(
        type=kind,
        name=name,
        urn=f"{STAGE}{kind}::{name}",
        properties=given,
        options=analyzer_pb2.AnalyzerResourceOptions(**options),
    )
    return [(each.policyName, each.message) for each in pack.Analyze(request).diagnostics]


def told_together(pack, *resources: tuple[str, str, dict, dict]) -> list[str]:
    """The policies that object to resources as they are at the end of an operation."""
    request = analyzer_pb2.AnalyzeStackRequest()
    for kind, name, properties, options in resources:
        given = request.resources.add(type=kind, name=name, urn=f"{STAGE}{kind}::{name}")
        given.properties.update(properties)
        given.options.CopyFrom(analyzer_pb2.AnalyzerResourceOptions(**options))
    answered = pack.AnalyzeStack(request).diagnostics
    return [each.policyName for each in answered if each.enforcementLevel == analyzer_pb2.MANDATORY]


def machine(**properties) -> dict:
    labels = [{"label": f"etape.{name}", "value": value} for name, value in _OWNED.items()]
    return {**MACHINE.properties, "labels": labels, "ports": [], **properties}


_OWNED = {"home": "0123456789ab", "stack": "2017-s09", "node": "edge-1"}


def test_every_policy_is_there_and_forbids(pack):
    """Guards against a policy that is written and never asked."""
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    mandatory = {each.name for each in info.policies if each.enforcementLevel == analyzer_pb2.MANDATORY}
    assert mandatory == {policy.name for policy in POLICIES}


def test_a_sound_machine_passes(pack):
    """Guards against a form on Pulumi's wire that the policies do not read."""
    assert told(pack, CONTAINER, "edge-1", machine()) == []


def test_a_public_port_is_refused_with_its_remedy(pack):
    """Guards against a breach that is lost between the two vocabularies."""
    port = {"internal": 22, "external": 2222, "ip": "0.0.0.0"}
    found = dict(told(pack, CONTAINER, "edge-1", machine(ports=[port])))
    assert set(found) == {"ports-on-loopback", "no-management-port", "ports-as-declared"}
    assert (
        "publishes port 2222 on 0.0.0.0/0, beyond the loopback. Publish it on 127.0.0.1" in found["ports-on-loopback"]
    )


def test_a_waived_breach_does_not_forbid(pack):
    """Guards against a lab that its own waivers do not let through."""
    assert told(pack, CONTAINER, "edge-1", machine(securityOpts=["seccomp=unconfined"])) == []


def test_what_only_the_engine_will_know_stops_no_policy(pack):
    """Guards against a policy that gives up, and lets the rest pass, because one value is not known yet."""
    unknown = {"image": UNKNOWN_STRING_VALUE, "envs": [UNKNOWN_STRING_VALUE], "privileged": True}
    assert [policy for policy, _ in told(pack, CONTAINER, "edge-1", machine(**unknown))] == ["no-host-access"]


def test_a_declared_secret_output_is_no_plain_secret(pack):
    """Guards against an alarm about each password, whose mark the library takes away."""
    given = {"length": 32, "secret": "correct-horse-battery"}
    assert told(pack, CREDENTIAL, "hub_password", given, additionalSecretOutputs=["secret"], protect=True) == []
    found = told(pack, CREDENTIAL, "hub_password", given, protect=True)
    assert [policy for policy, _ in found] == ["secrets-encrypted", "no-plain-secret"]


def test_a_secret_that_the_stack_exports_as_one_is_no_leak(pack):
    """Guards against a season that cannot come up, because its own secret outputs are taken for a leak."""
    secret = {"secret": "correct-horse-battery"}
    password = (CREDENTIAL, "hub_password", secret, {"additionalSecretOutputs": ["secret"], "protect": True})
    exported = (STACK, "etape-2017-s09", {"credentials": {"hub_password": "correct-horse-battery"}}, {})
    assert told_together(pack, exported, password) == []
    leaky = (CONTAINER, "edge-1", machine(command=["-p", "correct-horse-battery"]), {})
    assert told_together(pack, exported, password, leaky) == ["no-leaked-secret"]
