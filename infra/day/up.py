"""From nothing to race-ready, or from wherever an earlier `up` was stopped."""

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx

from infra.day.access import write_access
from infra.day.buckets import settle_buckets
from infra.day.check import wait_for_arrival
from infra.day.context import Day, address, layers, read_estate, season
from infra.day.evidence import recorded
from infra.day.only_one import only_one
from infra.day.outcome import Failure, Refusal
from infra.day.permit import permitted_up, read
from infra.day.playbook import run_playbook
from infra.day.record import Phase, Record
from infra.day.verb import DEFAULT_STACK, Verb
from infra.day.waivers import refuse_void_waivers
from infra.estate.model import Demand, Estate, Layer
from infra.render.graph import render_graph

_HUB_PATIENCE_S = 30.0
_RACE_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Wish:
    """What the operator asked for; None keeps what the stack has, or the default."""

    stack: str
    scale: str | None = None
    speed: float | None = None
    approved: Path | None = None
    """The approval file that it is held to."""


def up(day: Day, wish: Wish) -> None:
    """Bring a stack up; a stage brings its core along. Safe to run again at any time."""
    record = wanted(day, wish)
    estate = read_estate(record.stack, record.scale, record.demand)
    refuse_void_waivers(estate, date.today())
    with only_one(day.workspace):
        _refuse_another(day, estate)
        with permitted_up(day, estate, record, wish.approved) as bounds:
            day.tell(estate, "rigging", f"{estate.stack} is being rigged")
            for layer in layers(estate):
                _create(day, layer, record, bounds.get(layer.stack))
        write_access(day.workspace, layers(estate))
        _deploy(day, estate, record)
        settle_buckets(day, season(estate))
        wait_for_arrival(day, estate)
        if estate.layer is Layer.STAGE:
            _race(day, estate)
        _say_live(day, estate)
    _show_pages(day, estate)


def wanted(day: Day, wish: Wish) -> Record:
    """The record that the stack will have: what was asked for, else what it has."""
    before = day.records.read(wish.stack)
    scale = wish.scale or before.scale
    speed = before.speed if wish.speed is None else wish.speed
    return before.model_copy(update={"scale": scale, "speed": speed, "demand": _demand(before), "scaling": False})


def _demand(before: Record) -> Demand:
    """A stage comes up for its race; one that was scaled down stays so, and mending it starts no machines.

    A scaling that was stopped may have left machines of the race behind, which `up` takes in rather than away.
    """
    return Demand.RACE if before.phase is Phase.DOWN or before.scaling else before.demand


def _refuse_another(day: Day, estate: Estate) -> None:
    """One truck, one set of addresses: a second stage beside the first would be the conflict of 2016."""
    for other in day.records.up():
        if other.stack in {layer.stack for layer in layers(estate)}:
            continue
        if other.stack.endswith("-core"):
            raise Refusal(
                f"{other.stack} is {other.phase}: a season has to end before another one begins in its place",
                f"run `scripts/stage down {other.stack} --core`",
            )
        if estate.layer is Layer.CORE:
            raise Refusal(
                f"{other.stack} is plugged into {estate.stack}, and only the stage knows the town's handoff",
                f"run `scripts/stage up {other.stack}`: it brings its core along",
            )
        raise Refusal(
            f"{other.stack} is {other.phase}: its truck cannot be in two towns",
            f"run `scripts/stage next {other.stack}` or `scripts/stage down {other.stack}` first",
        )


def _create(day: Day, estate: Estate, wanted: Record, bound: Path | None) -> None:
    record = day.records.read(estate.stack)
    shared = {"scale": wanted.scale, "speed": wanted.speed, "demand": wanted.demand, "scaling": False}
    record = record.model_copy(update=shared)
    if not record.reached(Phase.DEPLOYING) or record.phase is Phase.DRAINED:
        record = record.model_copy(update={"phase": Phase.RIGGING})
    day.records.write(record)
    with day.progress.step(f"Create {estate.stack}: machines and cables") as step:
        day.engine.recover(estate.stack)
        changes = day.engine.up(estate.stack, record.config, day.progress.note, bound)
        step.detail, step.facts = str(changes), {"changes": changes.as_dict()}


def _deploy(day: Day, estate: Estate, wanted: Record) -> None:
    stacks = tuple(layer.stack for layer in layers(estate))
    for stack in stacks:
        day.records.write(day.records.read(stack).model_copy(update={"phase": Phase.DEPLOYING}))
    extra = {"release": day.toolbox.release, "race_speed": wanted.speed}
    wish = {"stacks": stacks, "release": Path(day.toolbox.release).name, "race_speed": wanted.speed}
    with (
        day.progress.step("Deploy: what is inside the machines") as step,
        recorded(day, "deploy", estate.stack, wish) as told,
    ):
        recap = run_playbook(day.workspace, "deploy", stacks, day.progress.note, extra)
        step.detail = f"{recap.changed} of {recap.hosts} nodes changed"
        step.facts = {"hosts": recap.hosts, "changed": recap.changed}
        told |= step.facts
    with day.progress.step("Tell the Manage Centre what belongs where"):
        for layer in layers(estate):
            tell_graph(day, layer)
        day.tell(estate, "rigging", f"{estate.stack} is deployed, arrival is being checked")


def tell_graph(day: Day, estate: Estate) -> None:
    """The hub takes it once the Manage Centre has started; Failure where it does not within half a minute."""
    deadline = time.monotonic() + _HUB_PATIENCE_S
    while not day.hub(estate).estate(estate.stack, render_graph(estate)):
        if time.monotonic() > deadline:
            raise Failure(
                "the Manage Centre's hub on manage-1 takes no messages",
                "see `systemctl status etape-hub etape-manage-centre` on manage-1, then run this again",
            )
        time.sleep(0.5)


def _race(day: Day, estate: Estate) -> None:
    with day.progress.step("Race: live rider states at the feed") as step:
        race = _wait_for_race(day, estate)
        step.detail = f"{race['status']}, race clock {race['clock']}, {race['km_done']:.1f} km done"
        step.facts = {"race": race}


def _wait_for_race(day: Day, estate: Estate) -> dict:
    """Two snapshots whose race clock moves on, or a race that is over; Failure after a minute."""
    url = f"http://{address(estate, 'feed')}/api/snapshot"
    deadline, first, trouble = time.monotonic() + _RACE_PATIENCE_S, None, "the feed has no rider states yet"
    while time.monotonic() < deadline:
        try:
            snapshot = httpx.get(url, timeout=3).raise_for_status().json()
            race = snapshot["race"]
            if snapshot["riders"] and race["status"] == "finished":
                return race
            if snapshot["riders"] and first is not None and race["clock_ms"] > first:
                return race
            first = race["clock_ms"] if snapshot["riders"] else None
        except httpx.HTTPError as error:
            trouble = f"the feed does not answer: {error}"
        time.sleep(0.3)
    raise Failure(
        f"no live rider states within {_RACE_PATIENCE_S:.0f} s at {url}: {trouble}",
        f"run `scripts/stage check {estate.stack}`: the first service that is not healthy is the cause",
    )


def _say_live(day: Day, estate: Estate) -> None:
    for layer in layers(estate):
        day.records.write(day.records.read(layer.stack).model_copy(update={"phase": Phase.LIVE}))
    day.tell(estate, "live", f"{estate.stack} is race-ready")


def _show_pages(day: Day, estate: Estate) -> None:
    pages = {"Manage Centre": "http://127.0.0.1:8330/"}
    if estate.layer is Layer.STAGE:
        pages = {"Race Centre": "http://127.0.0.1:8320/", **pages, "Feed": "http://127.0.0.1:8310/api/snapshot"}
    for title, page in pages.items():
        day.progress.say(f"  {title:<14} {page}")
    day.progress.result(stack=estate.stack, season=season(estate).stack, pages=pages)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("stack", nargs="?", help=f"default: {DEFAULT_STACK}, or the approved one")
    parser.add_argument("--scale", choices=("small", "full"), help="how many cloud servers")
    parser.add_argument("--speed", type=race_speed, help="race seconds in a second, default 1")
    parser.add_argument("--approved", type=Path, metavar="FILE", help="carry out exactly this approved plan")


def race_speed(text: str) -> float:
    """For the command line: how many race seconds pass in a second."""
    speed = float(text)
    if not 0.1 <= speed <= 60:
        raise ArgumentTypeError("the race runs at 0.1 to 60 times its speed")
    return speed


def _run(day: Day, options: Namespace) -> None:
    if options.approved:
        request = read(options.approved, "up", options.stack).request
        up(day, Wish(request.stack, request.scale, request.speed, options.approved))
    else:
        up(day, Wish(options.stack or DEFAULT_STACK, options.scale, options.speed))


VERB = Verb("up", "from nothing to race-ready", "scripts/stage up 2017-s09 --scale small", _arguments, _run)
