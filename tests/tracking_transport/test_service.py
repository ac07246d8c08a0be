"""The shared frame of services: config files, and what runs beside what."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tracking.relay import RelayConfig
from tracking.service import Mistakes, load_config, together, until

GOOD = {
    "stack": "2017-s09",
    "health_port": 8302,
    "broker": {"url": "nats://10.17.10.21:4222", "user": "etape", "password": "x"},
    "relay": "edge-2",
    "port": 8400,
}


def written(folder: Path, **changes: object) -> Path:
    file = folder / "relay.json"
    file.write_text(json.dumps({key: value for key, value in {**GOOD, **changes}.items() if value is not None}))
    return file


def test_all_mistakes_of_a_config_come_at_once_with_their_remedy(tmp_path: Path) -> None:
    """Guards against fixing a config one mistake a restart."""
    file = written(tmp_path, port=None, stack="2017-s9", relay_name="edge-2", broker={**GOOD["broker"], "url": "x"})
    with pytest.raises(Mistakes) as refused:
        load_config(RelayConfig, file)
    fields = [sentence.removeprefix(f"{file}: ").split(":")[0] for sentence in refused.value.sentences]
    assert fields == ["stack", "broker.url", "port", "relay_name"]
    assert refused.value.sentences[2].endswith("port: field required; add it.")
    assert refused.value.sentences[3].endswith("remove it.")


@pytest.mark.parametrize("name", ["relay", "forwarder", "recorder", "processor", "archive", "feed"])
def test_a_service_refuses_a_bad_config_with_sentences_and_exit_2(tmp_path: Path, name: str) -> None:
    """Guards against a traceback in the journal where a sentence belongs."""
    file = tmp_path / f"{name}.json"
    file.write_text('{"colour": "yellow"}')
    ended = subprocess.run([sys.executable, "-m", f"tracking.{name}", "--config", str(file)], capture_output=True)
    assert ended.returncode == 2
    sentences = ended.stderr.decode().splitlines()
    assert f"{file}: colour: extra inputs are not permitted; remove it." in sentences
    assert all(sentence.startswith(str(file)) for sentence in sentences)


def test_until_ends_work_when_stopped_and_passes_on_its_error() -> None:
    """Guards against services that hang on SIGTERM, or stay up with dead work."""

    async def scenario() -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, stopping.set)
        await until(stopping, asyncio.sleep(60))

        async def broken() -> None:
            raise ValueError("disk on fire")

        with pytest.raises(ValueError, match="disk on fire"):
            await until(asyncio.Event(), broken())

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_together_ends_all_when_one_fails() -> None:
    """Guards against a lane that goes on alone on a connection that is gone."""
    ended = []

    async def lasting() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("lasting")

    async def broken() -> None:
        await asyncio.sleep(0.01)
        raise OSError("link lost")

    with pytest.raises(OSError, match="link lost"):
        asyncio.run(together(lasting(), broken()))
    assert ended == ["lasting"]
