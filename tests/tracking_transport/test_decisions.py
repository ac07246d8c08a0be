"""Race control's decisions in a race that is told live, amended, kept and run again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest
from tracking.briefing.briefing import BriefingConfig
from tracking.briefing.race_day import race_day
from tracking.race_control import BikeChange, Decision, JerseyWorn, Withdrawal
from tracking.records import LOST
from tracking.rerun.jobs import Job
from tracking.rerun.work import run_again
from tracking.service import StageConfig
from tracking.store.object_store import ObjectStoreConfig
from tracking.store.parts import PartStore
from tracking.transport.streams import MSG_ID, control_subject

from tests.tracking_transport.harness import PROCESSORS, STACK, Loopback, estate_on_loopback, eventually, stage_config
from tests.tracking_transport.test_standby import asked, other_than, told

NEW_DEVICE = 700


@pytest.fixture(scope="module")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    """An estate of these tests' own: what is decided here would hold in all others."""
    with estate_on_loopback(tmp_path_factory.mktemp("decisions")) as estate:
        yield estate


def publish(loopback: Loopback, *decisions: Decision) -> None:
    for decision in decisions:
        headers = {MSG_ID: decision.identity}
        asked(loopback, lambda js, d=decision, h=headers: js.publish(control_subject(STACK), d.as_json(), headers=h))


def heard(loopback: Loopback, name: str) -> int:
    return int(loopback.services[name].get()["decisions"])


@contextmanager
def a_new_bike(loopback: Loopback) -> Iterator[None]:
    """The first rider rides with another device."""
    loopback.field.devices[0] = NEW_DEVICE
    try:
        yield
    finally:
        loopback.field.devices[0] = 1
        publish(loopback, BikeChange(device=1, rider=1, from_ms=loopback.field.clock_ms))


def seen_at(loopback: Loopback, rider: int) -> int:
    riders = {state["rider"]: state for state in map(as_dict, told(loopback)[-1].riders)}
    return int(riders[rider]["seen_ms"])


def as_dict(row: np.void) -> dict[str, float]:
    return {name: row[name] for name in row.dtype.names or ()}


def test_a_race_with_decisions_and_a_takeover_is_run_again_equal_to_live(loopback: Loopback) -> None:
    """Guards: a decision that another processor, a restarted one or a rerun lets take effect at another second."""
    field = loopback.field
    with field.riding():
        eventually("the feed is live", loopback.is_live)
        before = {name: heard(loopback, name) for name in PROCESSORS}
        with a_new_bike(loopback):
            publish(
                loopback,
                BikeChange(device=NEW_DEVICE, rider=1, from_ms=field.clock_ms),
                Withdrawal(rider=45, at_ms=field.clock_ms),
                JerseyWorn(jersey="yellow", rider=33),
            )
            asked(loopback, lambda js: js.publish(control_subject(STACK), b'{"kind": "rest day"}'))
            for name in PROCESSORS:
                eventually(f"{name} has heard", lambda n=name: heard(loopback, n) == before[n] + 3)
            active = loopback.active()
            active.kill()
            publish(loopback, JerseyWorn(jersey="yellow", rider=34), Withdrawal(rider=46, at_ms=field.clock_ms))
            survivor = other_than(loopback, active)
            eventually("the other one goes on", lambda: survivor.get()["role"] == "active")
            active.start()
            eventually("the killed one is back", active.healthy, within=120)
            clock_ms = field.clock_ms
            eventually("the race goes on", lambda: loopback.snapshot()["race"]["clock_ms"] > clock_ms + 5000)
            assert seen_at(loopback, 1) > clock_ms
        for name in PROCESSORS:
            eventually(f"{name} knows all", lambda n=name: heard(loopback, n) >= 6)
    loopback.settle()
    last = {int(row["rider"]): row for row in told(loopback)[-1].riders}
    assert (last[45]["quality"], last[46]["quality"]) == (LOST, LOST)
    assert last[34]["gap_yellow_s"] == 0

    store = archive_of(loopback)
    run = store.newest_run("arrivals", 2017, 9)
    assert run is not None
    day = race_day(StageConfig.model_validate(stage_config()), 1.0, BriefingConfig())
    verdict = run_again(store, day, Job(2017, 9, run))
    assert verdict.difference is None
    assert verdict.equal
    assert verdict.decisions >= 6
    assert any("cannot be read" in remark for remark in verdict.remarks)
    assert not any("not in the archive" in remark for remark in verdict.remarks)


def test_what_was_decided_and_told_is_kept_once_and_read_by_polars(loopback: Loopback) -> None:
    """Guards: decisions and events that are gone with the broker, or kept twice by an archive that was killed."""
    with loopback.field.riding():
        eventually("the feed is live", loopback.is_live)
        publish(loopback, JerseyWorn(jersey="green", rider=77))
        loopback.services["archive"].kill()
        loopback.services["archive"].start()
        eventually("the archive is back", loopback.services["archive"].healthy, within=60)
        publish(loopback, JerseyWorn(jersey="white", rider=78))
    loopback.settle()
    kept = pl.from_arrow(loopback.stored("control"))
    assert isinstance(kept, pl.DataFrame)
    worn = [json.loads(text) for text in kept.sort("seq")["text"] if '"green"' in text or '"white"' in text]
    assert [said["rider"] for said in worn if said["rider"] in (77, 78)] == [77, 78]
    assert kept["seq"].is_unique().all()
    events = pl.from_arrow(loopback.stored("events"))
    assert isinstance(events, pl.DataFrame)
    assert events.filter(pl.col("text").str.contains("wears the green jersey")).height >= 1


def archive_of(loopback: Loopback) -> PartStore:
    endpoint = f"http://127.0.0.1:{loopback.store.get_host_and_port()[1]}"
    keys = {"access_key": "loopback", "secret_key": "loopback", "bucket": loopback.bucket}
    return PartStore(ObjectStoreConfig(endpoint=endpoint, **keys))
