"""A configuration and answers of the daemons, as a node of the truck gives them."""

import json
from pathlib import Path
from typing import Any

from edge_agent.config import Config, HubAddress, WatchedUnit

CONFIG: dict[str, Any] = {
    "stack": "2017-s09",
    "node": "edge-2",
    "hub": {"url": "nats://10.17.0.91:4222", "user": "etape", "password": "secret"},
    "ports": ["eno1", "eno2"],
    "units": [
        {"name": "etape-relay", "health_url": "http://127.0.0.1:8302/healthz"},
        {"name": "chrony", "health_url": None},
    ],
    "uplink_target": None,
    "interval_s": 5,
}


def config(**changes: Any) -> Config:
    """The same, parsed."""
    fields = {**CONFIG, **changes}
    return Config(
        **{
            **fields,
            "hub": HubAddress(**fields["hub"]),
            "ports": tuple(fields["ports"]),
            "units": tuple(WatchedUnit(**unit) for unit in fields["units"]),
        }
    )


def write(folder: Path, document: Any) -> Path:
    """A configuration file."""
    file = folder / "edge_agent.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def neighbour(port: str, node: str, far_port: str, rid: int = 1, kind: str = "ifname") -> dict[str, Any]:
    """One neighbour as `lldpcli -f json0` says it."""
    return {
        "name": port,
        "via": "LLDP",
        "rid": str(rid),
        "chassis": [{"id": [{"type": "mac", "value": "02:42:ac:11:00:03"}], "name": [{"value": node}]}],
        "port": [
            {
                "id": [{"type": kind, "value": far_port if kind == "ifname" else "46:69:a4:fd:03:36"}],
                "descr": [{"value": far_port}],
            }
        ],
    }


def neighbours(*interfaces: dict[str, Any]) -> str:
    """The whole answer."""
    return json.dumps({"lldp": [{"interface": list(interfaces)}] if interfaces else [{}]})


UNITS = """\
MainPID=61
Result=success
NRestarts=2
LoadState=loaded
ActiveState=active
SubState=running

MainPID=0
Result=exit-code
NRestarts=7
LoadState=loaded
ActiveState=failed
SubState=failed

MainPID=0
Result=success
NRestarts=0
LoadState=not-found
ActiveState=inactive
SubState=dead
"""
TRACKING = "0A110047,10.17.0.71,11,1499590800.123,0.000123400,0.0001,0.0002,-1.5,0.1,0.5,0.001,0.002,64.2,Normal\n"
