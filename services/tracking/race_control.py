"""Race control's decisions: a bike is changed, a rider withdraws, a jersey is worn.

Examples:
  python -m tracking.race_control --config /etc/etape/processor.json bike-change --device 207 --rider 21
  python -m tracking.race_control --config /etc/etape/processor.json withdraw --rider 45 --at 2017-07-09T14:05:00+02:00
  python -m tracking.race_control --config /etc/etape/processor.json jersey --jersey yellow --rider 1
  python -m tracking.race_control --config /etc/etape/processor.json proposals

A decision that is published twice counts once, and goes before what was found by itself: a bike change to the device
that a rider had before undoes one that was wrongly found. `proposals` tells what is open, and what to say to agree.
Where to look next: `GET /api/startlist` of the feed.
"""

import argparse
import asyncio
import hashlib
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Protocol

from nats.js import JetStreamContext
from nats.js.errors import KeyNotFoundError, NotFoundError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tracking.service import Mistakes, load_config
from tracking.transport.broker import TROUBLE, BrokerConfig, connected
from tracking.transport.lease import bucket_of
from tracking.transport.streams import CONTROL, MSG_ID, STATES, control_subject, ensure_stream, states_subject
from tracking.transport.wire import DecodeError, decode_states
from tracking.watch.proposals import BUCKET, Proposal, from_json

KINDS = ("bike_change", "withdrawal", "jersey")
JERSEYS = ("yellow", "green", "polka_dot", "white")
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""2000 to 2100."""

Number = Annotated[int, Field(ge=1, le=0xFFFF, strict=True)]
Moment = Annotated[int, Field(ge=EARLIEST_MS, lt=LATEST_MS, strict=True)]


class _Said(BaseModel):
    """What all decisions share; what a decision does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def as_json(self) -> bytes:
        """As it is published."""
        return self.model_dump_json().encode()

    @property
    def identity(self) -> str:
        """The same for the same decision."""
        return f"decision-{hashlib.sha256(self.as_json()).hexdigest()[:32]}"


class BikeChange(_Said):
    """A rider goes on with another device under the saddle."""

    kind: Literal["bike_change"] = "bike_change"
    device: Number
    rider: Number
    from_ms: Moment
    """Race clock, Unix milliseconds, as all times here."""


class Withdrawal(_Said):
    """A rider is out of the race."""

    kind: Literal["withdrawal"] = "withdrawal"
    rider: Number
    at_ms: Moment


class JerseyWorn(_Said):
    """A rider wears a jersey from now on."""

    kind: Literal["jersey"] = "jersey"
    jersey: Literal["yellow", "green", "polka_dot", "white"]
    rider: Number


Decision = BikeChange | Withdrawal | JerseyWorn
_DECISION: TypeAdapter[Decision] = TypeAdapter(Annotated[Decision, Field(discriminator="kind")])


class Steered(Protocol):
    """What decisions are applied to: a tracker."""

    def assign(self, device: int, rider: int, from_ms: int) -> None:
        """The device is the rider's from now on."""

    def withdraw(self, rider: int, at_ms: int) -> None:
        """The rider takes no part any more."""

    def set_yellow(self, rider: int | None) -> None:
        """The rider wears the yellow jersey."""


class RaceControlConfig(BaseModel):
    """Which race, and where its broker is: the config of any service in the cloud will do, the rest of it is left."""

    model_config = ConfigDict(frozen=True)

    stack: str = Field(pattern=r"^\d{4}-(core|s\d{2})$")
    broker: BrokerConfig


def decision_of(text: bytes) -> Decision:
    """The decision in a message; ValueError with a sentence for each mistake where there is none."""
    try:
        return _DECISION.validate_json(text)
    except ValidationError as error:
        raise ValueError(" ".join(_sentence(mistake["loc"], mistake["msg"]) for mistake in error.errors())) from None


def apply(decision: Decision, tracker: Steered) -> None:
    """Lets a decision take effect; once more changes nothing. Jerseys other than the yellow one change no gap."""
    match decision:
        case BikeChange():
            tracker.assign(decision.device, decision.rider, decision.from_ms)
        case Withdrawal():
            tracker.withdraw(decision.rider, decision.at_ms)
        case JerseyWorn(jersey="yellow"):
            tracker.set_yellow(decision.rider)


def _sentence(where: Sequence[int | str], reason: str) -> str:
    """`where` in the decision, after its kind where that is known."""
    place = ".".join(map(str, where[1:] if where and where[0] in KINDS else where)) or "decision"
    return f"{place}: {reason[:1].lower()}{reason[1:].rstrip('.')}; correct it and publish the decision again."


def _moment(text: str) -> int:
    """Unix milliseconds of a moment in ISO 8601."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return round(moment.timestamp() * 1000)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tracking.race_control", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the stack and its broker")
    kinds = parser.add_subparsers(dest="kind", required=True)
    bike = kinds.add_parser("bike-change", help="a rider goes on with another device")
    bike.add_argument("--device", type=int, required=True, help="number on the new bike's device")
    _add_moment(bike, "--from")
    withdraw = kinds.add_parser("withdraw", help="a rider is out of the race")
    _add_moment(withdraw, "--at")
    jersey = kinds.add_parser("jersey", help="a rider wears a jersey from now on")
    jersey.add_argument("--jersey", choices=JERSEYS, required=True)
    for kind in (bike, withdraw, jersey):
        kind.add_argument("--rider", type=int, required=True, help="number on the rider's back")
    kinds.add_parser("proposals", help="what race control is asked to decide")
    return parser


def _add_moment(parser: argparse.ArgumentParser, option: str) -> None:
    when = "ISO 8601 with offset; by default the present of the race"
    parser.add_argument(option, dest="at_ms", type=_moment, metavar="TIME", help=when)


def _asked(arguments: argparse.Namespace, clock_ms: int) -> Decision:
    """The decision that a command line asks for; ValueError as of `decision_of`."""
    said: dict[str, object] = {"rider": arguments.rider}
    match arguments.kind:
        case "bike-change":
            said |= {"kind": "bike_change", "device": arguments.device, "from_ms": arguments.at_ms or clock_ms}
        case "withdraw":
            said |= {"kind": "withdrawal", "at_ms": arguments.at_ms or clock_ms}
        case _:
            said |= {"kind": "jersey", "jersey": arguments.jersey}
    return decision_of(json.dumps(said).encode())


async def _race_clock(js: JetStreamContext, stack: str) -> int:
    """Of the newest state, which in a race that is not ridden now is another time than that of the wall."""
    try:
        return decode_states((await js.get_last_msg(STATES, states_subject(stack))).data or b"").clock_ms
    except (NotFoundError, DecodeError):
        return round(datetime.now(UTC).timestamp() * 1000)


async def _publish(arguments: argparse.Namespace, config: RaceControlConfig) -> Decision:
    """Hands a decision to everyone who follows the race; one of `TROUBLE` where the broker cannot be had."""
    async with connected(config.broker, "race-control") as client:
        js = client.jetstream()
        decision = _asked(arguments, await _race_clock(js, config.stack))
        await ensure_stream(js, CONTROL)
        await js.publish(control_subject(config.stack), decision.as_json(), headers={MSG_ID: decision.identity})
    return decision


async def _open_proposals(config: RaceControlConfig) -> tuple[Proposal, ...]:
    """What is open now; ValueError where it cannot be read, one of `TROUBLE` where the broker cannot be had."""
    async with connected(config.broker, "race-control") as client:
        try:
            stored = await (await bucket_of(client.jetstream(), BUCKET)).get(config.stack)
        except KeyNotFoundError:
            return ()
        return from_json(stored.value or b"[]")


def told(proposals: Sequence[Proposal]) -> str:
    """A line for each proposal, and below it what to say to agree."""
    lines = [
        f"{datetime.fromtimestamp(asked.since_ms / 1000, UTC).isoformat()}  {asked.reason}\n    {asked.command}"
        for asked in proposals
    ]
    return "\n".join(lines) or "nothing is open"


def main() -> int:
    arguments = _parser().parse_args()
    try:
        config = load_config(RaceControlConfig, arguments.config)
        if arguments.kind == "proposals":
            print(told(asyncio.run(_open_proposals(config))))
            return 0
        decision = asyncio.run(_publish(arguments, config))
    except (Mistakes, ValueError) as mistakes:
        print(mistakes, file=sys.stderr)
        return 2
    except TROUBLE as error:
        where = config.broker.url
        print(f"the broker at {where} cannot be had ({error}); publish it again when it is back.", file=sys.stderr)
        return 1
    print(f"published for {config.stack}: {decision.as_json().decode()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
