"""Keep a stack's whole history in the evidence log: every operation, and the state that each one left."""

from argparse import Namespace

from infra.backend import Backend
from infra.checkpoint import history_files, read_history
from infra.day.context import Day
from infra.day.outcome import Refusal
from infra.day.verb import Verb, stack_of, takes_stack
from infra.guard import KIND, facts_of


def keep(day: Day, options: Namespace) -> None:
    """One entry with all files of the backend's history; secrets in them are encrypted as they are in the state."""
    stack = stack_of(day, options)
    objects = Backend.of(day.workspace.home).objects
    history = read_history(objects, stack)
    if not history:
        raise Refusal(f"{stack} has no history", "name a stack that was up: `scripts/stage list` shows them")
    files = {name: text.encode() for name, text in history_files(objects, stack).items()}
    entry = day.evidence.append(KIND, stack, facts_of(history), files)
    day.progress.say(f"{len(history)} operations on {stack} are in the evidence log, entry {entry.seq}.")
    day.progress.result(stack=stack, operations=len(history), files=len(files), entry=entry.seq)


VERB = Verb(
    "keep", "keep a stack's whole history in the evidence log", "scripts/stage keep 2017-s09", takes_stack, keep
)
