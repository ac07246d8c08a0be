"""`python -m edge_agent --config FILE [--once]`."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
from functools import partial
from pathlib import Path

from edge_agent.config import Config, ConfigError, read_config
from edge_agent.watcher import Watcher


def main() -> int:
    """Watch until told to stop, or print the facts once; exit 2 where the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="edge_agent", description="Tells the hub what this node sees.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    parser.add_argument("--once", action="store_true", help="print the facts as JSON and end")
    arguments = parser.parse_args()
    try:
        config = read_config(arguments.config)
    except ConfigError as mistakes:
        print(mistakes, file=sys.stderr)
        return 2
    if arguments.once:
        print(json.dumps(asyncio.run(_look(config))))
        return 0
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asyncio.run(_run(config))
    return 0


async def _look(config: Config) -> dict:
    watcher = Watcher(config)
    await watcher.look()
    return watcher.document()


async def _run(config: Config) -> None:
    life = asyncio.create_task(_watch_and_tell(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, life.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await life


async def _watch_and_tell(config: Config) -> None:
    from edge_agent.hub import connect  # the arrival check asks eighty nodes for --once: it should not load NATS
    from edge_agent.teller import tell

    watcher = Watcher(config)
    await watcher.look()
    async with asyncio.TaskGroup() as group:
        group.create_task(watcher.run())
        group.create_task(tell(watcher, partial(connect, config.hub, config.node)))


if __name__ == "__main__":
    sys.exit(main())
