"""The race service: sends the readings, keeps its clock over restarts, refuses what it cannot use."""

import asyncio
import json
import socket
import time
from pathlib import Path

import pytest
from tracking.briefing.riders import start_list
from tracking.race import RaceConfig, RaceService
from tracking.race_clock import RaceClock, load_clock, save_clock
from tracking.service import Mistakes
from tracking.transport.wire import decode_datagram

from tests.tracking.rides import COURSES


def config(tmp_path: Path, port: int, **changes: object) -> RaceConfig:
    """The config file of a race of 13 km, at 60 times its speed."""
    stage = {
        "edition": 2017,
        "number": 1,
        "start": "Düsseldorf",
        "finish": "Düsseldorf",
        "race_start": "2017-07-01T13:55:00+02:00",
        "official_km": 14.0,
        "course": str(COURSES / "2022-01.geojson"),
    }
    text = {
        "stack": "2017-s01",
        "health_port": 0,
        "stage": stage,
        "relay": {"host": "127.0.0.1", "port": port},
        "state_dir": str(tmp_path / "race"),
        "speed": 60,
        **changes,
    }
    return RaceConfig.model_validate_json(json.dumps(text))


@pytest.fixture
def relay() -> socket.socket:
    """A UDP socket in the relay's place."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield listening


async def ride_for(service: RaceService, seconds: float) -> dict:
    """Lets a service run for some seconds after it has gone live; its counts at the end."""
    stopping = asyncio.Event()
    running = asyncio.create_task(service.run(stopping))
    while (await service.health()).counts["race_status"] == "waiting":
        await asyncio.sleep(0.01)
    await asyncio.sleep(seconds)
    stopping.set()
    await asyncio.wait_for(running, 5)
    return (await service.health()).counts


def received(relay: socket.socket) -> int:
    """How many readings have come."""
    readings = 0
    while True:
        try:
            readings += len(decode_datagram(relay.recv(65536)))
        except BlockingIOError:
            return readings


def test_readings_of_every_second_reach_the_relay(tmp_path: Path, relay: socket.socket) -> None:
    """Guards: a race that is ridden and not sent, or sent faster than its clock."""
    counts = asyncio.run(ride_for(RaceService(config(tmp_path, relay.getsockname()[1])), 0.5))
    assert received(relay) == counts["sent"] > 15 * 150
    assert counts["unsent"] == 0
    assert counts["clock"] >= "2017-07-01T13:55:15"
    assert counts["faults"]["lost"] > 0


def test_a_restarted_race_has_gone_on_meanwhile(tmp_path: Path, relay: socket.socket) -> None:
    """Guards: a service that starts the stage anew in the afternoon."""
    settings = config(tmp_path, relay.getsockname()[1])
    asyncio.run(ride_for(RaceService(settings), 0.1))
    time.sleep(0.5)
    received(relay)
    counts = asyncio.run(ride_for(RaceService(settings), 0.1))
    assert counts["clock"] > "2017-07-01T13:55:35"
    assert received(relay) == counts["sent"] < 40 * 220


def test_a_finished_race_idles_and_stays_healthy(tmp_path: Path, relay: socket.socket) -> None:
    """Guards: a finished race that restarts for ever."""
    settings = config(tmp_path, relay.getsockname()[1])
    service = RaceService(settings)
    race = f"2017-s01 2017-07-01T13:55:00+02:00 seed {service._seed}"
    save_clock(settings.state_dir / "clock.json", RaceClock(race, time.time() - 3600, 0.0, 60))
    counts = asyncio.run(ride_for(service, 0.3))
    assert counts["race_status"] == "finished"
    assert counts["sent"] == 0


def test_a_bad_course_is_a_sentence(tmp_path: Path) -> None:
    """Guards: a traceback in the journal instead of the reason."""
    bad = tmp_path / "bad.geojson"
    bad.write_text("{}")
    settings = config(tmp_path, 8400)
    with pytest.raises(Mistakes, match=r"bad.geojson: features: is not a FeatureCollection"):
        RaceService(settings.model_copy(update={"stage": settings.stage.model_copy(update={"course": bad})}))


def test_a_changed_speed_does_not_move_the_clock(tmp_path: Path) -> None:
    """Guards: a race that jumps when somebody changes its speed."""
    clock = RaceClock("a race", wall_s=1000.0, race_s=0.0, speed=10.0)
    slower = clock.paced(1.0, wall_s=1060.0)
    assert slower.at(1060.0) == clock.at(1060.0) == 600
    assert slower.at(1070.0) == 610
    assert slower.wall_of(610) == 1070
    save_clock(tmp_path / "race" / "clock.json", slower)
    assert load_clock(tmp_path / "race" / "clock.json", "a race") == slower
    assert load_clock(tmp_path / "race" / "clock.json", "another race") is None


@pytest.mark.parametrize("text", ["", "{}", '{"race": "a race"}', "[1]", "\x00"])
def test_a_damaged_clock_starts_the_race_anew(tmp_path: Path, text: str) -> None:
    """Guards: a torn file that keeps the race from starting for ever."""
    (tmp_path / "clock.json").write_text(text)
    assert load_clock(tmp_path / "clock.json", "a race") is None


def test_on_a_time_trial_day_riders_set_off_as_the_start_table_says(tmp_path: Path, relay: socket.socket) -> None:
    """Guards: a simulated field that starts together, or at other times than the processor expects."""
    table = tmp_path / "starts.csv"
    rows = [f"{number},{30 * place}" for place, number in enumerate(start_list().tolist())]
    table.write_text("\n".join(["rider,offset_s", *rows]))
    asked = config(tmp_path, relay.getsockname()[1], briefing={"starts": str(table)})
    asked = asked.model_copy(update={"stage": asked.stage.model_copy(update={"kind": "individual time trial"})})
    service = RaceService(asked)
    assert service.starts is not None
    assert service.starts.offset_s[:3].tolist() == [0, 30, 60]
    assert asyncio.run(ride_for(service, 0.2))["race_status"] == "live"
    table.write_text("rider,offset_s\n1,0\n")
    with pytest.raises(Mistakes, match="rider 2: has no start"):
        RaceService(asked)
