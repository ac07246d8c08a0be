"""The object store and the broker for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replay.archives import store, store_config
from tests.tracking_transport.harness import Broker

__all__ = ["store", "store_config"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A cloud's, running."""
    made = Broker(tmp_path, "cloud")
    made.start()
    yield made
    made.kill()
