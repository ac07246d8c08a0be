"""An object store for tests, and what a stage leaves in it."""

import logging
from collections.abc import Iterator

import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from tracking.records import RIDER_STATE
from tracking.store.object_store import ObjectStoreConfig
from tracking.store.parts import PartStore, Shelf

RUN = 1_499_590_000
SHELF = Shelf("states", 2017, 9, RUN)
START_MS = 1_499_590_800_000


@pytest.fixture(scope="session")
def store_config() -> Iterator[ObjectStoreConfig]:
    """moto's S3, with a bucket of our own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    try:
        yield ObjectStoreConfig(endpoint=endpoint, access_key="a", secret_key="b", bucket="replay")
    finally:
        server.stop()


@pytest.fixture
def store(store_config: ObjectStoreConfig) -> PartStore:
    """Empty."""
    store = PartStore(store_config)
    store.ensure_bucket()
    store.delete(list(store.keys("")))
    return store


def states(first_s: int, seconds: int, revision: int = 0, riders: int = 5) -> np.ndarray:
    """RIDER_STATE of riders 1..n who ride 10 m a second, from `first_s` after the start."""
    frames = np.zeros((seconds, riders), RIDER_STATE)
    t = np.arange(first_s, first_s + seconds)[:, None]
    frames["rider"] = np.arange(1, riders + 1)
    frames["time_ms"] = frames["seen_ms"] = START_MS + 1000 * t
    frames["distance_m"] = 10.0 * t - frames["rider"]
    frames["to_go_m"] = 50_000 - frames["distance_m"]
    frames["lat"], frames["lon"] = 45 + frames["distance_m"] / 111_195, 6.0
    frames["position"], frames["group"] = frames["rider"], 1
    frames["speed_ms"] = 10.0
    frames["gap_s"] = (frames["rider"] - 1) / 10 + revision
    frames["revision"] = revision
    return frames.ravel()
