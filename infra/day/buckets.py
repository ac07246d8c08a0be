"""The season's buckets, once their store is there: a first `up` deploys it only after the machines are made."""

import time

import httpx

from infra.day.access import read_outputs
from infra.day.context import Day, address
from infra.day.outcome import Failure
from infra.estate.model import Estate
from infra.provider.bucket_setting import AS_DECLARED

_PATIENCE_S = 30.0
_PAUSE_S = 0.2


def settle_buckets(day: Day, core: Estate) -> None:
    """Make what awaited the store, by a second `up` of the core; Failure where a bucket is not as declared then."""
    if not _unsettled(day, core):
        return
    with day.progress.step(f"Make the buckets of {core.stack}") as step:
        _wait_for_store(core)
        changes = day.engine.up(core.stack, day.records.read(core.stack).config, day.progress.note)
        step.detail, step.facts = str(changes), {"changes": changes.as_dict()}
        if left := _unsettled(day, core):
            told = "; ".join(f"{name} {condition}" for name, condition in left.items())
            remedy = f"run `scripts/stage check {core.stack}`: the object store on {_host(core)} is the cause"
            raise Failure(f"buckets of {core.stack} are not as declared: {told}", remedy)


def _unsettled(day: Day, core: Estate) -> dict[str, str]:
    conditions = read_outputs(day.workspace, core.stack).get("buckets", {})
    return {name: condition for name, condition in conditions.items() if condition != AS_DECLARED}


def _wait_for_store(core: Estate) -> None:
    url, deadline = f"http://{address(core, 'object_store')}/healthz", time.monotonic() + _PATIENCE_S
    while True:
        try:
            httpx.get(url, timeout=2).raise_for_status()
            return
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise Failure(
                    f"the object store does not answer at {url}: {error}",
                    f"see `systemctl status etape-object-store` on {_host(core)}, then run this again",
                ) from None
        time.sleep(_PAUSE_S)


def _host(core: Estate) -> str:
    return next(service.node for service in core.services if service.name == "object_store")
