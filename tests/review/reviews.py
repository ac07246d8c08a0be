"""Reviews for tests of the report: small ones with everything in them, and whole estates without an engine."""

from functools import cache
from pathlib import Path
from typing import Any

from infra.review.compare import compare
from infra.review.declaring import declare
from infra.review.model_items import Reasons, read_model
from infra.review.resources import read_resources
from infra.review.review import Finding, Review
from infra.review.risk import Scene, judge
from infra.review.rules import RULES
from infra.review.sealing import Sealer
from infra.review.snapshot import Secret, Snapshot
from infra.workspace import ROOT, Workspace
from tests.review.states import STAGE, changed, container, item, node, segment, service, state, volume

EVIL = "<script>alert(1)</script> | `x` \x1b[31m & [a](b) \n# H"
"""Text that is markup or steering in one format or another."""


def small(why: str = "after the storm") -> Review:
    """Every class, a rotated secret, a widened exposure, a rename, and names that someone made up to do harm."""
    web = container("web-1", ports=[{"internal": 80, "external": 80, "ip": "127.0.0.1"}])
    key = item("etape:index:Credential", "hub", {"outputs": {"secret": Secret("a1b2c3d4e5f60718")}})
    race = segment("race", "10.17.10.0/24")
    agent = service("edge_agent", "edge-2")
    before = state(web, key, race, agent, node("edge-2"), volume("edge-9"), title=STAGE)
    after = state(
        changed(web, ports=[{"internal": 80, "external": 80, "ip": "0.0.0.0"}]),
        changed(key, outputs={"secret": Secret("ffffc3d4e5f60718")}),
        changed(race, title=EVIL),
        changed(service("edge_agent", "edge-4"), limits={"cpu_percent": 200, "memory_mb": 256}),
        node("edge-4", title=EVIL),
        item("endpoint", EVIL, {"purpose": EVIL}),
        title=f"{STAGE}@plan",
    )
    finding = Finding("ports-on-loopback", "mandatory", "web-1", f"is open to everyone: {EVIL}")
    judged = judge(compare(before, after), Scene(before, after), RULES)
    return Review(judged, (finding,), why, "no approval was asked for")


def whole(a: str, b: str) -> Review:
    """Two stacks, or two editions, as the model and the program declare them now, at the small scale."""
    before, after = _declared(a), _declared(b)
    judged = judge(compare(before, after), Scene(before, after), RULES)
    return Review(judged, (), "the golden file", "none is needed for what is only declared")


@cache
def _declared(name: str) -> Snapshot:
    stacks = (name,) if "-" in name else (f"{name}-core", f"{name}-s09")
    items: list[Any] = []
    for stack in stacks:
        # Nothing of this machine: no home (of which resources carry a digest), no key, no image.
        nowhere = Workspace(ROOT, Path("/nowhere"), Path("/nowhere"))
        declared = declare(nowhere, stack, "small", "race", ROOT / "stacks")
        reasons = Reasons(declared.model)
        items += read_model(declared.model)
        items += read_resources(stack, declared.deployment, Sealer(b"key", declared.deployment, ""), reasons)
    return Snapshot(name, "what the model declares now", stacks, "", "", tuple(items))
