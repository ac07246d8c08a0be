"""The race: rides a simulated stage in real time, or faster, and sends the devices' readings to the relay by UDP.

Its clock is kept on disk: the race goes on while the service is down, and a restarted one is where the race is by then.
"""

import asyncio
import socket
import time
import zlib
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydantic import Field
from starlette.routing import BaseRoute

from tracking.briefing.briefing import Briefing, BriefingConfig, read_briefing
from tracking.briefing.riders import start_list
from tracking.briefing.start_order import Starts
from tracking.race_clock import RaceClock, load_clock, save_clock
from tracking.service import Health, Section, ServiceConfig, StageConfig, log, main
from tracking.simulation.simulator import Race
from tracking.transport.seal import RadioKey, Sealer
from tracking.transport.wire import encode_datagrams

FASTEST = 60.0
CATCH_UP_S = 30
"""Race seconds that are sent at most without a pause after the process was held up."""


class RelayAddress(Section):
    """Where the readings go."""

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)


class RaceConfig(ServiceConfig):
    """race.json"""

    stage: StageConfig
    relay: RelayAddress
    state_dir: Path
    speed: float = Field(default=1.0, gt=0, le=FASTEST)
    """Race seconds in a second."""
    seed: int | None = Field(default=None, ge=0)
    """The same seed gives the same race; by default every stack has its own."""
    briefing: BriefingConfig = BriefingConfig()
    """As the processor's: in a time trial the simulated riders start when it expects them to."""
    mishaps: bool = False
    """Whether bikes are changed, clocks go wrong and riders give up."""
    radio_key: RadioKey | None = None
    """Seals what goes to the relay, where it has one."""


class Status(StrEnum):
    """Where the race is in its day."""

    WAITING = "waiting"
    """The field is lining up: the simulator compiles, or catches up with a race that went on without it."""
    LIVE = "live"
    FINISHED = "finished"


class RaceService:
    """One race."""

    routes: tuple[BaseRoute, ...] = ()

    def __init__(self, config: RaceConfig) -> None:
        """Raises `Mistakes` for a course or a briefing that cannot be used."""
        briefing = read_briefing(config.stage, config.briefing)
        self._course = briefing.course
        self._config = config
        self._seed = zlib.crc32(config.stack.encode()) if config.seed is None else config.seed
        self.starts = _simulated_starts(briefing)
        """When the riders start, on the day of a time trial."""
        self._race = Race(
            self._course, self._seed, config.stage.start_ms, with_mishaps=config.mishaps, starts=self.starts
        )
        self._sealer = Sealer(config.radio_key) if config.radio_key else None
        self._status = Status.WAITING
        self._sent = self._unsent = 0

    async def health(self) -> Health:
        """Healthy as long as it runs: a finished race is not a failure."""
        second = max(self._race.next_second - 1, 0)
        counts = {
            "race_status": self._status,
            "clock": (self._config.stage.race_start + timedelta(seconds=second)).isoformat(),
            "speed": self._config.speed,
            "sent": self._sent,
            "unsent": self._unsent,
            "faults": self._race.faults,
        }
        return Health(True, f"the race is {self._status}", counts)

    async def run(self, stopping: asyncio.Event) -> None:
        """Ride until the race is over, then idle until stopped."""
        clock = await self._start_clock()
        self._status = Status.LIVE
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
            radio.setblocking(False)
            while not (stopping.is_set() or self._race.is_over):
                self._ride(clock, radio)
                await _pause(stopping, clock.wall_of(self._race.next_second) - time.time())
        if self._race.is_over:
            self._status = Status.FINISHED
            log("finished", sent=self._sent, faults=self._race.faults)
            await stopping.wait()

    async def _start_clock(self) -> RaceClock:
        """The clock of this race, new or taken over, with the field where the clock says."""
        race = f"{self._config.stack} {self._config.stage.race_start.isoformat()} seed {self._seed}"
        file = self._config.state_dir / "clock.json"
        await asyncio.to_thread(self._rehearse)
        clock = load_clock(file, race)
        now = time.time()
        clock = RaceClock(race, now, 0.0, self._config.speed) if clock is None else clock.paced(self._config.speed, now)
        save_clock(file, clock)
        await asyncio.to_thread(self._race.skip_to, int(clock.at(time.time())))
        log("riding", second=self._race.next_second, speed=clock.speed)
        return clock

    def _rehearse(self) -> None:
        """The first second of the day must not wait for the compiler."""
        Race(self._course, self._seed, 0, starts=self.starts).skip_to(2)

    def _ride(self, clock: RaceClock, radio: socket.socket) -> None:
        """Rides up to now."""
        behind = int(clock.at(time.time())) - self._race.next_second + 1
        for _ in range(min(behind, CATCH_UP_S)):
            self._transmit(self._race.tick(), radio)

    def _transmit(self, readings: np.ndarray, radio: socket.socket) -> None:
        address = (self._config.relay.host, self._config.relay.port)
        try:
            for datagram in encode_datagrams(readings):
                sealed = self._sealer.seal(datagram, time.time_ns()) if self._sealer else datagram
                radio.sendto(sealed, address)
        except OSError:
            self._unsent += len(readings)
        else:
            self._sent += len(readings)


def _simulated_starts(briefing: Briefing) -> Starts | None:
    """When each of the simulated riders starts; who is not on the start list never does."""
    roster, starts = briefing.roster, briefing.starts
    if starts is None:
        return None
    numbers = start_list()
    place = np.minimum(np.searchsorted(roster.numbers, numbers), len(roster.numbers) - 1)
    listed = roster.numbers[place] == numbers
    units = np.where(listed, starts.unit[place], -1 - np.arange(len(numbers)))
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    return Starts(np.where(listed, starts.offset_s[place], np.inf), first[unit], starts.counted)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    """Sleeps, but not longer than until `stopping`."""
    try:
        await asyncio.wait_for(stopping.wait(), max(seconds, 0.0))
    except TimeoutError:
        return


if __name__ == "__main__":
    main(RaceConfig, RaceService)
