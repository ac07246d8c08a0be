"""A field of riders on a real road, and its radio."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tracking.briefing.riders import start_list
from tracking.course import read_course
from tracking.records import READING
from tracking.transport.seal import Sealer
from tracking.transport.wire import encode_datagrams

COURSE = Path(__file__).parents[2] / "stacks/courses/2023-09.geojson"
RACE_START_MS = 1_499_590_800_000
"""2017-07-09T11:00+02:00"""


class Field:
    """198 riders in three groups along a real road, one fix each for each second of the race.

    Every relay hears most of it and none hears all, so that most readings arrive by more than one path.
    """

    def __init__(self, *ports: int, radio_key: str | None = None) -> None:
        self._to = [("127.0.0.1", port) for port in ports]
        self._sealer = Sealer(radio_key) if radio_key else None
        self.devices = start_list().copy()
        """Under the saddles, in the order of the riders."""
        self._everywhere = False
        self._sent = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._course = read_course(COURSE)
        self._behind_m = np.repeat([0.0, 300.0, 900.0], [8, 170, 20]) + np.arange(198) * 1.5
        self.seconds = 0
        """Of the race, that have been sent."""

    @contextlib.contextmanager
    def riding(self, rate: float = 5.0) -> Iterator[None]:
        """Ride in the background, `rate` race seconds in a second."""
        stopping = threading.Event()

        def ride() -> None:
            while not stopping.wait(1 / rate):
                self.ride()

        thread = threading.Thread(target=ride, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    @contextlib.contextmanager
    def heard_everywhere(self) -> Iterator[None]:
        """Every relay hears all of it, so that one of them is enough."""
        self._everywhere = True
        try:
            yield
        finally:
            self._everywhere = False

    def ride(self) -> None:
        """One more second."""
        self.seconds += 1
        self.send(self.fixes())

    @property
    def clock_ms(self) -> int:
        return RACE_START_MS + self.seconds * 1000

    def fixes(self) -> np.ndarray:
        """READING (198,) of the present second."""
        distance = 2000 + 12.0 * self.seconds - self._behind_m
        fixes = np.zeros(198, READING)
        fixes["device"] = self.devices
        fixes["time_ms"] = self.clock_ms
        fixes["lat"] = np.interp(distance, self._course.distance, self._course.lat)
        fixes["lon"] = np.interp(distance, self._course.distance, self._course.lon)
        return fixes

    def send(self, fixes: np.ndarray) -> None:
        for datagram in encode_datagrams(fixes):
            sealed = self._sealer.seal(datagram, time.time_ns()) if self._sealer else datagram
            self._sent += 1
            for number, address in enumerate(self._to):
                deaf = len(self._to) > 1 and self._sent % 3 == number
                if self._everywhere or not deaf:
                    self._socket.sendto(sealed, address)

    def send_bytes(self, data: bytes) -> None:
        """To all relays."""
        for address in self._to:
            self._socket.sendto(data, address)
