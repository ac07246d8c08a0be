"""Give a live stage what its race asks for, or what is enough at rest, without stopping what it does.

Machines that the race asks for come before the start and go after the finish; services that stay get other limits
while they run. No reading can be lost on the way: the machines that come and go keep no data, a service never loses
its last instance, and who is connected to one that goes is told so by a service that stops in order.
"""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass

import httpx

from infra.day.access import write_access
from infra.day.check import wait_for_arrival
from infra.day.context import Day, address, layers, read_estate
from infra.day.only_one import only_one
from infra.day.outcome import Failure, Refusal
from infra.day.playbook import run_playbook
from infra.day.record import Phase, Record
from infra.day.resizing import Resizing, losses, resizing
from infra.day.shell import ask
from infra.day.up import tell_graph
from infra.day.verb import Verb, stack_of, takes_stack
from infra.estate.model import Demand, Estate, Layer, Node, Quantity

_FINISHED, _LIVE = "finished", "live"
_STOP = "systemctl stop 'etape-*.service' && echo stopped"
_WORDS = tuple(demand.value for demand in Demand)
_STOP_PATIENCE_S = 60.0
"""More than systemd gives a service to end in order."""


@dataclass(frozen=True)
class Wish:
    """What the operator asked for."""

    stack: str
    demand: Demand | None = None
    """None: what the race's own clock asks for."""
    during_race: bool = False
    """Take machines away although the race is live, or cannot be asked."""
    dry_run: bool = False


class Hands:
    """What a scaling does to the world, one step a method; tests put a fake in its place."""

    def __init__(self, day: Day) -> None:
        self._day = day

    def race(self, estate: Estate) -> str:
        """waiting, live or finished, as the feed says it; empty where it does not answer."""
        try:
            answer = httpx.get(f"http://{address(estate, 'feed')}/api/snapshot", timeout=3).raise_for_status()
            return str(answer.json()["race"]["status"])
        except httpx.HTTPError:
            return ""

    def forget(self, estate: Estate) -> None:
        """Tell the Manage Centre what belongs where from now on, so that nobody looks for what goes."""
        with self._day.progress.step("Tell the Manage Centre what belongs where"):
            tell_graph(self._day, estate)

    def stop(self, nodes: tuple[Node, ...]) -> None:
        """Stop the services of machines that go; a machine that is dead already serves nobody."""
        with self._day.progress.step(f"Stop what runs on {len(nodes)} machines that go") as step:
            answers = ask(self._day.workspace, nodes, _STOP, _STOP_PATIENCE_S)
            silent = [answer.node for answer in answers.values() if answer.status == -1]
            running = [answer for answer in answers.values() if answer.status > 0]
            if running:
                raise Failure(
                    f"services of {', '.join(answer.node for answer in running)} do not stop: {running[0].error}",
                    "see `systemctl status` there, then run this again",
                )
            step.detail = f"{len(nodes) - len(silent)} stopped" + (f", {len(silent)} silent" if silent else "")

    def create(self, record: Record) -> dict:
        """Machines and cables as the record's demand has them; what Pulumi changed."""
        with self._day.progress.step(f"Resize {record.stack}: machines and cables") as step:
            self._day.engine.recover(record.stack)
            changes = self._day.engine.up(record.stack, record.config, self._day.progress.note)
            step.detail, step.facts = str(changes), {"changes": changes.as_dict()}
            return changes.as_dict()

    def deploy(self, estate: Estate, nodes: tuple[str, ...], speed: float) -> None:
        """What is inside the machines that differ, and inside no others."""
        write_access(self._day.workspace, layers(estate))
        with self._day.progress.step(f"Deploy to {len(nodes)} nodes that differ") as step:
            extra = {"release": self._day.toolbox.release, "race_speed": speed}
            recap = run_playbook(
                self._day.workspace, "deploy", (estate.stack,), self._day.progress.note, extra, ",".join(nodes)
            )
            step.detail = f"{recap.changed} of {recap.hosts} nodes changed"
            step.facts = {"hosts": recap.hosts, "changed": recap.changed}

    def arrive(self, estate: Estate) -> None:
        """The whole arrival sheet, until all of it is good."""
        wait_for_arrival(self._day, estate)

    def tell(self, estate: Estate, message: str) -> None:
        """Say it on the day's strip; the stage stays live."""
        self._day.tell(estate, "live", message)


def scale(day: Day, wish: Wish, hands: Hands | None = None) -> None:
    """Bring a live stage to another demand; safe to run again after it was stopped anywhere."""
    hands = hands or Hands(day)
    if wish.dry_run:
        _prepared(day, wish, hands)
        return
    with only_one(day.workspace):
        plan = _prepared(day, wish, hands)
        if plan.differs:
            _carry_out(day, plan, hands)


@dataclass(frozen=True)
class _Plan:
    """A scaling that was judged."""

    record: Record
    before: Estate
    after: Estate
    change: Resizing
    race: str

    @property
    def differs(self) -> bool:
        return self.record.scaling or self.record.demand is not self.after.demand


def _prepared(day: Day, wish: Wish, hands: Hands) -> _Plan:
    """Judge the wish and show what it changes; Refusal where it may not be carried out."""
    record = day.records.read(wish.stack)
    now = day.estate(wish.stack)
    if now.layer is Layer.CORE:
        raise Refusal(f"{wish.stack} lives a season and has one size", "name a stage, such as 2017-s09")
    if record.phase is not Phase.LIVE:
        raise Refusal(
            f"{wish.stack} is {record.phase}: only a live stage is scaled",
            f"run `scripts/stage up {wish.stack}`: it comes up with what its race asks for",
        )
    race = hands.race(now)
    demand = wish.demand or _by_the_clock(wish.stack, race)
    if demand is Demand.REST:
        _refuse_during_race(wish, race)
    plan = _planned(record, demand, race)
    _show(day, plan, wish.dry_run)
    return plan


def _by_the_clock(stack: str, race: str) -> Demand:
    if not race:
        raise Refusal(
            f"the feed of {stack} does not say how far its race is, so what it needs is not known",
            f"say it: `scripts/stage scale {stack} race`, or find out why with `scripts/stage check {stack}`",
        )
    return Demand.REST if race == _FINISHED else Demand.RACE


def _refuse_during_race(wish: Wish, race: str) -> None:
    if wish.during_race or race not in (_LIVE, ""):
        return
    known = "is live" if race else "may be live: its feed does not answer"
    raise Refusal(
        f"the race of {wish.stack} {known}; at rest its processors would fall behind it",
        "wait for the finish, or add `--during-race` if you mean it",
    )


def _planned(record: Record, demand: Demand, race: str) -> _Plan:
    """A scaling that was stopped may have come anywhere between the two demands: it begins at the other one."""
    other = Demand.REST if demand is Demand.RACE else Demand.RACE
    before = read_estate(record.stack, record.scale, other if record.scaling else record.demand)
    after = read_estate(record.stack, record.scale, demand)
    if lost := losses(before, after):
        raise Refusal(
            f"{record.stack} cannot be scaled to {demand}: {'; '.join(lost)}",
            "take the role out of stacks/common/capacity.yaml, or name the machine in the service's `runs_on.nodes`",
        )
    return _Plan(record, before, after, resizing(before, after), race)


def _show(day: Day, plan: _Plan, dry_run: bool) -> None:
    stack, demand = plan.after.stack, plan.after.demand
    if not plan.differs:
        day.progress.say(f"{stack} has what it needs for {demand}: nothing differs")
    else:
        day.progress.say(f"{stack}: {plan.before.demand} → {demand} (the race is {plan.race or 'not known'})")
        day.progress.say(str(plan.change))
    day.progress.result(stack=stack, dry_run=dry_run, **_facts(plan))


def _facts(plan: _Plan) -> dict:
    change = plan.change
    return {
        "from": plan.before.demand,
        "to": plan.after.demand,
        "race": plan.race,
        "moves": [
            {
                "subject": move.subject,
                "quantity": move.quantity,
                "before": move.before,
                "after": move.after,
                "reason": move.reason,
            }
            for move in change.moves
        ],
        "coming": [node.name for node in change.coming],
        "leaving": [node.name for node in change.leaving],
    }


def _carry_out(day: Day, plan: _Plan, hands: Hands) -> None:
    """Who goes is forgotten and stopped before it is taken away; who comes is deployed before it is looked for."""
    demand, change = plan.after.demand, plan.change
    record = plan.record.model_copy(update={"demand": demand})
    day.records.write(plan.record.model_copy(update={"scaling": True}))
    if change.leaving:
        hands.forget(plan.after)
        hands.stop(change.leaving)
    changes = hands.create(record)
    hands.deploy(plan.after, change.touched, record.speed)
    hands.forget(plan.after)
    hands.arrive(plan.after)
    day.records.write(record.model_copy(update={"scaling": False}))
    day.evidence.append("scale", record.stack, {**_facts(plan), "changes": changes})
    hands.tell(plan.after, f"{record.stack} is scaled for {demand}: {_sum(change)}")
    day.progress.say(f"  {record.stack} is scaled for {demand}: {_sum(change)}")


def _sum(change: Resizing) -> str:
    limited = {move.subject for move in change.moves if move.quantity is not Quantity.MACHINES}
    come, gone = len(change.coming), len(change.leaving)
    return f"{come} machines came, {gone} went, {len(limited)} services have other limits"


def _arguments(parser: ArgumentParser) -> None:
    takes_stack(parser)
    parser.add_argument("demand", nargs="?", choices=_WORDS, help="default: race before the finish, rest after it")
    parser.add_argument("--dry-run", action="store_true", help="show what would change and why, change nothing")
    parser.add_argument("--during-race", action="store_true", help="scale down although the race is live")


def _run(day: Day, options: Namespace) -> None:
    if options.stack in _WORDS and options.demand is None:
        options.stack, options.demand = None, options.stack
    demand = Demand(options.demand) if options.demand else None
    scale(day, Wish(stack_of(day, options), demand, options.during_race, options.dry_run))


VERB = Verb(
    "scale",
    "what the race asks for, or what is enough at rest",
    "scripts/stage scale 2017-s09 rest --dry-run",
    _arguments,
    _run,
)
