"""In the evening the archive makes one part of a stage's many, and nobody has to ask."""

from pathlib import Path

import numpy as np
from tracking.store.object_store import ObjectStoreConfig
from tracking.store.parts import PartStore

from tests.replay.test_amending import publish, seconds
from tests.tracking_transport.harness import Broker, Service, eventually, stage_config


def test_the_archive_compacts_a_stage_when_nothing_more_comes_and_again_after_it_was_killed(
    tmp_path: Path, broker: Broker, store: PartStore, store_config: ObjectStoreConfig
) -> None:
    """Guards: thousands of small parts of every stage, because nobody remembers a command in the evening."""
    config = {
        "broker": broker.config(),
        "stage": stage_config(),
        "object_store": store_config.model_dump(),
        "part_rows": 1000,
        "idle_seconds": 0.2,
        "quiet_seconds": 2.0,
    }
    archive = Service(tmp_path, "archive", config)
    archive.start()
    try:
        eventually("the archive collects", archive.healthy, within=60)
        publish(broker, list(seconds()[:30]))
        eventually("it is stored", lambda: archive.get()["readings"]["parts"] > 3 and not archive.get()["pending"])
        eventually("it is compact", lambda: archive.get()["compact"], within=60)
        assert [len(parts(store, kind)) for kind in ("readings", "arrivals")] == [1, 1]
        publish(broker, list(seconds()[30:60]), first_seq=1000)
        archive.kill()
        archive.start()
        eventually("the archive collects again", archive.healthy, within=60)
        eventually("it is compact again", lambda: archive.get()["compact"] and not archive.get()["pending"], within=60)
        assert [len(parts(store, kind)) for kind in ("readings", "arrivals")] == [1, 1]
        (key,) = parts(store, "readings")
        assert store.open(key).metadata.num_rows == len(np.unique(np.concatenate(seconds()[:60])))
    finally:
        archive.kill()


def parts(store: PartStore, kind: str) -> list[str]:
    return list(store.keys(f"{kind}/"))
