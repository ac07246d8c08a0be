"""The config files that the roles write are the ones that the services read."""

import importlib.util
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from ansible_collections.etape.node.plugins.module_utils.desired import State
from edge_agent.config import read_config
from tracking.service import ServiceConfig, StageConfig

from infra.workspace import ROOT

SERVICES = yaml.safe_load((ROOT / "playbooks/roles/tracking/defaults/main.yml").read_text())["tracking_services"]


def config_model(module: str) -> type[ServiceConfig]:
    """The model of the config file of what `python -m MODULE` runs."""
    is_package = importlib.util.find_spec(module).submodule_search_locations
    found = importlib.import_module(f"{module}.__main__" if is_package else module)
    (model,) = (
        member
        for _, member in inspect.getmembers(found, inspect.isclass)
        if issubclass(member, ServiceConfig) and member is not ServiceConfig
    )
    return model


def config_text(hosts: dict, state_of: Callable[..., State], service: str) -> str:
    """The config file of a service on the first node that runs it."""
    node = next(
        name for name, host in hosts.items() if service in {entry["name"] for entry in host["etape"]["services"]}
    )
    path = f"/etc/etape/{service}.json"
    return next(file.content for file in state_of(node).every("files") if file.path == path)


@pytest.mark.parametrize("service", SERVICES)
def test_a_tracking_service_accepts_its_config(hosts: dict, state_of: Callable[..., State], service: str) -> None:
    """Guards: a key that the role writes and the service refuses, found only when the race does not start."""
    model = config_model(SERVICES[service]["module"])
    config = model.model_validate_json(config_text(hosts, state_of, service))

    assert config.stack == "2017-s09"
    stage = getattr(config, "stage", None)
    assert stage is None or (isinstance(stage, StageConfig) and stage.course.parent == Path("/etc/etape/courses"))


def test_the_manage_centre_accepts_its_config(hosts: dict, state_of: Callable[..., State]) -> None:
    """Guards: a core whose one window does not open."""
    text = config_text(hosts, state_of, "manage_centre")

    assert config_model("manage_centre").model_validate_json(text).stack == "2017-core"


def test_every_agent_accepts_its_config(hosts: dict, state_of: Callable[..., State], tmp_path: Path) -> None:
    """Guards: nodes that say nothing of themselves; a watched unit or port that is not the node's."""
    for name, host in hosts.items():
        text = next(f.content for f in state_of(name).every("files") if f.path == "/etc/etape/edge_agent.json")
        (tmp_path / name).write_text(text)
        config = read_config(tmp_path / name)
        assert config.node == name
        assert set(config.ports) == {port["name"] for port in host["etape"]["ports"]}
        assert (config.uplink_target is None) == (not host["etape"]["forwards"])
        assert "etape-edge-agent" in {unit.name for unit in config.units}


def test_the_course_of_the_day_is_delivered_whole(state_of: Callable[..., State], hosts: dict) -> None:
    """Guards: a config that names a course which is not on the node."""
    config = json.loads(config_text(hosts, state_of, "processor"))
    delivered = {file.path: file.content for file in state_of("processor-1").every("files")}

    course = Path(config["stage"]["course"])
    assert delivered[str(course)] == (ROOT / "stacks/courses" / course.name).read_text()
