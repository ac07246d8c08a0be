"""A feed that has the archive tells the past of a stage whose broker is gone."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tracking.feed import Feed, FeedConfig
from tracking.store.object_store import ObjectStoreConfig
from tracking.store.parts import PartStore

from tests.replay.archives import SHELF, START_MS, states
from tests.tracking_transport.harness import STACK, stage_config


@pytest.fixture
def client(store: PartStore, store_config: ObjectStoreConfig) -> Iterator[TestClient]:
    """Of a feed without its broker."""
    store.put(SHELF, "live", states(0, 120))
    store.put(SHELF, "amended", states(60, 5, revision=1))
    config = FeedConfig.model_validate(
        {
            "stack": STACK,
            "health_port": 0,
            "broker": {"url": "nats://127.0.0.1:1", "user": "nobody", "password": "none"},
            "stage": stage_config(),
            "object_store": store_config.model_dump(),
        }
    )
    with TestClient(Starlette(routes=list(Feed(config).routes))) as client:
        yield client


def test_any_second_of_an_archived_stage_is_told_in_its_last_revision(client: TestClient) -> None:
    """Guards: a stage that nobody can look at again once its machines are gone."""
    span = client.get("/api/timeline").json()
    assert (span["from_ms"], span["to_ms"]) == (START_MS, START_MS + 119_000)
    plain = client.get(f"/api/moments/{START_MS + 50_000}").json()
    assert [rider["revision"] for rider in plain["riders"]] == [0] * 5
    amended = client.get(f"/api/moments/{START_MS + 62_400}").json()
    assert [rider["revision"] for rider in amended["riders"]] == [1] * 5
    assert amended["race"]["clock_ms"] == START_MS + 62_000
