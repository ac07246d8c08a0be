"""Golden files: the whole of what is rendered from chosen estates of every year, for a reviewer's eyes.

`pytest tests/golden --update-golden` writes them anew. A changed golden file is a changed estate: its diff is what an
auditor would want explained, so read it before it is committed. A new edition joins REVIEWED when it was reviewed.
"""

import json
from pathlib import Path

import pytest

from infra.estate.load import load_estate
from infra.estate.model import Estate
from infra.render.cable_plan import cable_plan_text
from infra.render.graph import render_graph
from infra.render.inventory import render_inventory
from infra.render.resources import expected_resources
from tests.render.outputs import outputs_of

HERE = Path(__file__).parent
_LINE = 120
REVIEWED = {
    "2015-core": "object store, Manage Centre, clock and router; no place collaborates yet",
    "2015-s09": "a team time trial: servers, storage and a storage network in the truck; the cloud is as large as ever",
    "2016-core": "as in 2015: the season's services do not depend on what the truck is",
    "2016-s12": "a mountain stage: readings pass through two boxes; the second truck has its own handoff and prefixes",
    "2017-core": "the season's services and four places on other continents",
    "2017-s09": "a mountain stage: three edge servers, storage, displays in truck and experience centre",
    "2018-core": "as in 2017, and the security centre on the season's network",
    "2018-s11": "a short mountain stage: 2017's truck, watched and defended",
}
"""Stack → what its golden files are to show; whoever reads a diff of them holds it against this."""


def inventory(estate: Estate) -> str:
    """What Ansible is told: a changed address, route, limit or group of any machine shows here."""
    return _text(render_inventory(estate, outputs_of(estate), Path("KEY"), Path("KNOWN_HOSTS"))) + "\n"


def cables(estate: Estate) -> str:
    """What an engineer plugs in: a moved plug or a changed label shows here."""
    return cable_plan_text(estate)


def graph(estate: Estate) -> str:
    """What the Manage Centre draws and reasons over: a changed dependency shows here."""
    return _text(render_graph(estate)) + "\n"


def resources(estate: Estate) -> str:
    """What exists after `pulumi up`: a machine or cable that would be made, renamed or lost shows here."""
    return "\n".join(map(str, expected_resources(estate))) + "\n"


def _text(value: object, indent: str = "") -> str:
    """JSON with whatever fits into a line in one line, so that a diff is as long as the change."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= _LINE or not isinstance(value, dict | list):
        return flat
    inner = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _text(item, inner) for item in value) + f"\n{indent}]"
    fields = (f"{inner}{json.dumps(key)}: {_text(item, inner)}" for key, item in value.items())
    return "{\n" + ",\n".join(fields) + f"\n{indent}}}"


@pytest.mark.parametrize(
    ("render", "suffix"), [(inventory, "json"), (cables, "txt"), (graph, "json"), (resources, "txt")]
)
@pytest.mark.parametrize("stack", REVIEWED)
def test_rendered_estate_is_as_reviewed(stack, render, suffix, request):
    """An edit that was meant for one machine and changes another goes unseen."""
    golden = HERE / f"{stack}.{render.__name__}.{suffix}"
    text = render(load_estate(stack, "small"))
    if request.config.getoption("--update-golden"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
