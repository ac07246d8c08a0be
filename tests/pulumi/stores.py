"""Object stores that answer on the loopback: the one that the estate runs, and moto's copy of AWS."""

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from infra.workspace import Workspace

KEYS = {"access_key": "AKIAETAPETESTETAPE20", "secret_key": "not-a-secret-of-anybody-but-forty-chars!"}


@contextmanager
def versitygw(folder: Path) -> Iterator[str]:
    """The estate's own object store on a free port of the loopback."""
    places = f"{os.environ['PATH']}:{Workspace.from_environment().cache / 'node'}"
    program = shutil.which("versitygw", path=places)
    assert program, "versitygw is neither on PATH nor in the cache; `scripts/stage up` builds it"
    for each in ("objects", "versions", "metadata"):
        (folder / each).mkdir(exist_ok=True)
    port = 20_000 + os.getpid() % 10_000
    options = ["--versioning-dir", folder / "versions", "--sidecar", folder / "metadata", folder / "objects"]
    command = [program, "--port", f"127.0.0.1:{port}", "--health", "/healthz", "posix", *options]
    keys = {"ROOT_ACCESS_KEY": KEYS["access_key"], "ROOT_SECRET_KEY": KEYS["secret_key"]}
    with subprocess.Popen(command, env=keys, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


@contextmanager
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"{url} does not answer")
