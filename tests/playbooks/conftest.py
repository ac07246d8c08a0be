"""The small estate's nodes as the playbooks see them, without a machine."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

from infra.estate.load import load_estate
from infra.render.inventory import render_inventory
from infra.workspace import ROOT

init_plugin_loader([str(ROOT / "playbooks")])

from ansible_collections.etape.node.plugins.module_utils.desired import State, parse_state  # noqa: E402
from ansible_collections.etape.node.plugins.plugin_utils.render import Renderer  # noqa: E402

SECRETS = {
    "hub_password": "the-hub's",
    "broker_password": 'the "broker\'s"',
    "object_store_access_key": "an-access-key",
    "object_store_secret_key": "a-secret-key",
    "radio_key": "a-radio-key",
    "security_seed": "the-seed",
}


def hosts_of(stack: str) -> dict[str, dict]:
    """Variables of every node of a stage and its core, as the rendered inventory gives them."""
    stage = load_estate(stack, "small")
    estates = (stage.core, stage)
    outputs = {
        estate.stack: {
            "nodes": {node.name: {"address": f"{node.management}", "host_key": "a key"} for node in estate.nodes},
            "credentials": SECRETS,
        }
        for estate in estates
    }
    rendered = [render_inventory(estate, outputs, Path("key"), Path("known_hosts"), stage) for estate in estates]
    text = json.dumps({name: host for inventory in rendered for name, host in inventory["all"]["hosts"].items()})
    return json.loads(text)


def renderer_of(host: dict, **extra: object) -> Renderer:
    """A renderer for a node's variables, with the extra ones that an operator gives."""
    given = {"release": "/somewhere/abc123.tar.gz", "race_speed": 4.0, "controller_clock": 0.0, **extra}
    variables = {**host, "playbook_dir": str(ROOT / "playbooks"), **given}
    return Renderer(Templar(loader=DataLoader(), variables=variables), variables)


@pytest.fixture(scope="session")
def hosts() -> dict[str, dict]:
    """Variables of every node of 2017-s09 and its core."""
    return hosts_of("2017-s09")


@pytest.fixture(scope="session")
def renderer(hosts: dict[str, dict]) -> Callable[..., Renderer]:
    """A renderer for a node of 2017-s09, by its name."""
    return lambda node, **extra: renderer_of(hosts[node], **extra)


@pytest.fixture(scope="session")
def state_of(hosts: dict[str, dict], renderer: Callable[..., Renderer]) -> Callable[..., State]:
    """The desired state of a node; rendered once, because rendering is what these tests spend their time on."""

    @functools.cache
    def make(node: str, **extra: object) -> State:
        return parse_state(renderer(node, **extra).state(hosts[node]["etape"]["roles"]))

    return make
