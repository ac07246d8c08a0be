"""`pulumi stack rm` deletes a stack's whole history; here it is refused until the evidence log holds that history."""

import argparse
from collections.abc import Iterable, Mapping, Sequence

from infra.checkpoint import PastDeployment
from infra.evidence.chain import Entry

KIND = "history"
"""Of the entry in the evidence log that holds every operation on a stack, with the state that each left."""


def facts_of(history: Sequence[PastDeployment]) -> Mapping[str, object]:
    """What an entry says about the history that it holds."""
    last = history[-1].at.isoformat() if history else ""
    return {"operations": len(history), "last": last}


def is_kept(stack: str, history: Sequence[PastDeployment], entries: Iterable[Entry]) -> bool:
    """Whether the log holds this whole history, its last operation included."""
    if not history:
        return True
    return any(each.kind == KIND and each.stack == stack and each.facts == facts_of(history) for each in entries)


def stack_to_remove(arguments: Sequence[str]) -> str:
    """The stack that `pulumi ARGUMENTS` would remove; empty where that is the selected one, which nobody here knows."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("-s", "--stack")
    for option in (("-C", "--cwd"), ("-v", "--verbose"), ("--color",), ("--tracing",), ("--profiling",)):
        parser.add_argument(*option)
    known, rest = parser.parse_known_args(arguments)
    words = [word for word in rest if not word.startswith("-")]
    # `stack`, `rm`, and perhaps a name, which may be written with its organisation and project.
    named = known.stack or next(iter(words[2:]), "")
    return named.rpartition("/")[2]
