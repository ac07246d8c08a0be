"""Release a stack whose operator's machine is dead; never on its own, and never while the holder can be seen alive."""

from argparse import ArgumentParser, Namespace

from infra.backend import Backend
from infra.day.context import Day
from infra.day.outcome import Refusal
from infra.day.verb import Verb, confirm, stack_of, takes_stack
from infra.locks import read_locks, release_all

_WARNING = "Two operators at work on one state lose what one of them made. Be sure that the holder is dead."


def unlock(day: Day, options: Namespace) -> None:
    """Remove the locks of other machines; Refusal where nobody holds the stack."""
    stack = stack_of(day, options)
    objects = Backend.of(day.workspace.home).objects
    locks = read_locks(objects, stack)
    if not locks:
        raise Refusal(f"nobody holds {stack}", "there is nothing to release")
    holders = ", ".join(map(str, locks))
    confirm(options, f"{stack} is held by {holders}. {_WARNING}")
    released = [str(lock) for lock in release_all(objects, stack)]
    day.evidence.append("unlock", stack, {"released": released})
    day.progress.say(f"{stack} is released from {', '.join(released)}.")
    day.progress.say(
        f"Look at what they left: scripts/stage drift {stack}; `scripts/stage up {stack}` goes on from there."
    )
    day.progress.result(stack=stack, released=released)


def _arguments(parser: ArgumentParser) -> None:
    takes_stack(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask: the holder is known to be dead")


VERB = Verb(
    "unlock",
    "release a stack that a dead operator's machine holds",
    "scripts/stage unlock 2017-s09",
    _arguments,
    unlock,
)
