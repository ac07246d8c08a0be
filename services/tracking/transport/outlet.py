"""Where state frames leave: whoever publishes, no second of the race is told twice and none after a later one.

Each frame names the last message that its publisher knows to be on the subject, and the broker refuses it when there
is a newer one. So a processor that was stopped and wakes up behind its successor cannot get a frame in between.
"""

import time
from dataclasses import replace

from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError

from tracking.transport.streams import MSG_ID, STATES
from tracking.transport.wire import DecodeError, StateFrame, decode_told, encode_states

THROUGH = "Etape-Through"
"""Header of a state frame: sequence number of the last message of READINGS that is in it."""
EPOCH = "Etape-Epoch"
"""Header of a state frame: the lease under which it was published."""
WRONG_LAST_SEQUENCE = 10071


class Outlet:
    """The way out on one connection."""

    def __init__(self, js: JetStreamContext, subject: str, race_start_ms: int) -> None:
        self.refused = 0
        """Frames that another publisher was ahead of."""
        self._js, self._subject, self._race_start_ms = js, subject, race_start_ms
        self._seq: int | None = None
        self._told = (0, 0)

    async def publish(self, frame: StateFrame, now_ns: int, through: int, epoch: int) -> bool:
        """Whether the frame is on the subject now because of this call; False where it, or a later one, was already.

        Raises one of `broker.TROUBLE`; the frame may be there all the same, which the next call finds out.
        """
        while True:
            if self._seq is None:
                await self._learn()
            if (frame.run, frame.clock_ms) <= self._told:
                self.refused += 1
                return False
            headers = {
                MSG_ID: f"{frame.run}-{frame.clock_ms}",
                Header.EXPECTED_LAST_SUBJECT_SEQUENCE: str(self._seq),
                THROUGH: str(through),
                EPOCH: str(epoch),
            }
            self._seq = None  # not known until it says so
            try:
                data = encode_states(replace(frame, published_ns=now_ns))
                ack = await self._js.publish(self._subject, data, headers=headers)
            except APIError as error:
                if error.err_code != WRONG_LAST_SEQUENCE:
                    raise
                continue
            self._told = (frame.run, frame.clock_ms)
            if ack.duplicate:
                continue
            self._seq = ack.seq
            return True

    async def _learn(self) -> None:
        """What is the last on the subject, by anyone."""
        try:
            last = await self._js.get_last_msg(STATES, self._subject)
        except NotFoundError:
            self._seq = 0
            return
        self._seq = last.seq
        try:
            frame = decode_told(last.data or b"", self._race_start_ms, time.time())
            self._told = max(self._told, (frame.run, frame.clock_ms))
        except DecodeError:  # not one of ours: what it says counts for nothing
            return
