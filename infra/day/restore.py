"""Put the last good state of a stack back where its state is corrupt."""

from argparse import ArgumentParser, Namespace

from infra.backend import Backend
from infra.checkpoint import restore
from infra.day.context import Day
from infra.day.only_one import only_one
from infra.day.verb import Verb, confirm, stack_of, takes_stack
from infra.locks import release_dead

_WARNING = "What was made since that state was saved is not in it; machines among it are taken away and made again."


def bring_back(day: Day, options: Namespace) -> None:
    """Take the newest readable state from the backend's history; refused where the state is whole."""
    stack, objects = stack_of(day, options), Backend.of(day.workspace.home).objects
    confirm(options, f"This replaces the state of {stack} by the last good one of its history. {_WARNING}")
    with only_one(day.workspace):
        release_dead(objects, stack)
        past = restore(objects, stack)
    facts = {"as_of": past.at.isoformat(timespec="seconds"), "kind": past.kind, "result": past.result}
    day.evidence.append("restore", stack, facts)
    day.progress.say(f"{stack} is as the {past.kind} of {past.at:%Y-%m-%d %H:%M:%S} UTC left it ({past.result}).")
    day.progress.say(f"`scripts/stage up {stack}` makes the rest again.")
    day.progress.result(stack=stack, **facts)


def _arguments(parser: ArgumentParser) -> None:
    takes_stack(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


VERB = Verb(
    "restore",
    "put the last good state of a stack back",
    "scripts/stage restore 2017-s09",
    _arguments,
    bring_back,
)
