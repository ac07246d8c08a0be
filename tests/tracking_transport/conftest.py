"""One truck and one cloud on loopback for all tests of this folder."""

import logging
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.tracking_transport.harness import Loopback


@pytest.fixture(scope="session")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    store = ThreadedMotoServer(port=0, verbose=False)
    store.start()
    estate = Loopback(tmp_path_factory.mktemp("loopback"), store)
    try:
        estate.start()
        yield estate
    finally:
        estate.stop()
