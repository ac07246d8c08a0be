"""What a verb of scripts/stage is: its words on the command line, and what it does."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from infra.day.context import Day
from infra.day.outcome import Refusal

DEFAULT_STACK = "2017-s09"


@dataclass(frozen=True)
class Verb:
    """One verb: `arguments` declares its options beside `--json`, `run` carries it out.

    `run` raises Refusal where the request cannot be carried out as asked, Failure where a step did not reach its end.
    """

    name: str
    text: str
    """What it does, in a line."""
    example: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Day, Namespace], None]


def takes_stack(parser: ArgumentParser) -> None:
    """The stack that most verbs are about."""
    parser.add_argument("stack", nargs="?", help=f"such as {DEFAULT_STACK}; default: the one that is up")


def takes_nothing(parser: ArgumentParser) -> None:
    """For a verb that is about the whole checkout."""


def stack_of(day: Day, options: Namespace) -> str:
    """The stack that was named; else the stage that is up, else the season that is, else the default."""
    up = sorted((record.stack for record in day.records.up()), key=lambda stack: stack.endswith("-core"))
    return options.stack or next(iter(up), DEFAULT_STACK)


def confirm(options: Namespace, warning: str, word: str = "end") -> None:
    """Ask before what cannot be taken back, unless `--yes` was given; Refusal where nobody says the word."""
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise Refusal(f"this asks first, and no one is here to answer. {warning}", "add `--yes`")
    print(warning)
    if input(f"Type `{word}` to go on: ").strip() != word:
        raise Refusal("not confirmed", "nothing was changed")
