"""The object store for all tests of this folder."""

from tests.replay.archives import store, store_config

__all__ = ["store", "store_config"]
