"""Runs a broker, and starts it again once its disk, that was full, has room.

A nats-server that met a full disk takes nothing more on that stream until it ends, however much room there is by then.
It is left alone while there is none: it still gives what it has. What it ends with by itself is our end as well.
Needs nothing but Python.

Example:
  python -m tracking.broker_keeper --health http://127.0.0.1:8222/healthz --disk /var/lib/etape/broker -- \\
    nats-server --config /etc/etape/broker.conf
"""

import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

LOOK_S = 1.0
HEALTH_TIMEOUT_S = 2.0
FULL = os.strerror(errno.ENOSPC).lower()
ROOM_MB = 64


def keep(command: Sequence[str], health: str, disk: Path, room_bytes: int) -> int:
    """Run the broker until it is told to end or ends; its exit code."""
    ending = False

    def end(number: int, frame: object) -> None:
        nonlocal ending
        ending = True
        broker.terminate()

    broker = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    while True:
        try:
            code = broker.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            if not ending and met_full_disk(health) and shutil.disk_usage(disk).free >= room_bytes:
                print(f"{disk} was full and has room again; the broker starts anew", flush=True)
                broker.terminate()
                broker.wait()
                if not ending:
                    broker = subprocess.Popen(command)
            continue
        return 0 if ending else code


def met_full_disk(health: str) -> bool:
    """Whether the broker says of itself that a write failed for want of room; False where it does not answer."""
    try:
        with urllib.request.urlopen(health, timeout=HEALTH_TIMEOUT_S):
            return False
    except urllib.error.HTTPError as sick:
        return FULL in sick.read().decode(errors="replace").lower()
    except OSError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m tracking.broker_keeper", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--health", required=True, help="the broker's /healthz")
    parser.add_argument("--disk", type=Path, required=True, help="folder of its streams")
    parser.add_argument("--room-mb", type=int, default=ROOM_MB, help="free space from which it is started again")
    parser.add_argument("command", nargs="+", help="the broker, behind --")
    arguments = parser.parse_args()
    return keep(arguments.command, arguments.health, arguments.disk, arguments.room_mb * 1024**2)


if __name__ == "__main__":
    sys.exit(main())
