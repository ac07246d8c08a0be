"""One truck and one cloud on loopback for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.tracking_transport.harness import Loopback, estate_on_loopback


@pytest.fixture(scope="session")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    with estate_on_loopback(tmp_path_factory.mktemp("loopback")) as estate:
        yield estate
