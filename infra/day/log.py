"""What was done to a season's estate, when and by whom, as its evidence log has it."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from dataclasses import asdict

from infra.day.context import Day
from infra.day.outcome import Failure
from infra.day.verb import Verb, stack_of, takes_stack
from infra.estate.governance import Person
from infra.evidence.chain import BrokenChain, Entry
from infra.identity import allowed_signers, owner_of


def show_log(day: Day, stack: str, only: bool = False) -> None:
    """Print the entries of the stack's season, with `only` those of the stack; Failure where a chain is broken."""
    log = day.evidence.log(stack)
    people = day.estate(stack).people
    entries = [entry for entry in log.entries() if not only or entry.stack == stack]
    for entry in entries:
        day.progress.say(_line(entry, people))
    day.progress.say(f"  {len(entries)} entries in {log.folder}; prove them with scripts/verify-evidence")
    day.progress.result(folder=str(log.folder), entries=[asdict(entry) for entry in entries])
    _raise_for(log.read()[1])


def _line(entry: Entry, people: Iterable[Person]) -> str:
    owner = owner_of(entry.who, people)
    who = owner[0].name if owner else entry.who[7:19]
    return f"{entry.at[:19]}Z  {entry.stack:<10} {entry.kind:<9} {who:<16} {_summary(entry)}".rstrip()


def _summary(entry: Entry) -> str:
    """The facts that fit on a line: single values, and numbers of changes."""
    changes = entry.facts.get("changes")
    counts = changes.items() if isinstance(changes, dict) else ()
    told = [f"{number} {what}" for what, number in counts if number and what != "same"]
    told += [f"{name}: {value}" for name, value in entry.facts.items() if isinstance(value, str | int) and value != ""]
    return ", ".join(told)[:100]


def _raise_for(broken: tuple[BrokenChain, ...]) -> None:
    if broken:
        raise Failure(
            "; ".join(map(str, broken)),
            f"run scripts/verify-evidence {broken[0].chain.parent}: it names all that was changed; compare with the"
            " copy in the season's object store, which nobody can change",
        )


def _arguments(parser: ArgumentParser) -> None:
    takes_stack(parser)
    parser.add_argument("--only", action="store_true", help="the entries of this stack, not of its season")
    parser.add_argument("--signers", action="store_true", help="whose keys sign: a file for verify-evidence --keys")


def _run(day: Day, options: Namespace) -> None:
    stack = stack_of(day, options)
    if options.signers:
        signers = allowed_signers(day.estate(stack).people)
        day.progress.say(signers.rstrip())
        day.progress.result(allowed_signers=signers)
        return
    show_log(day, stack, options.only)


VERB = Verb("log", "what was done, when and by whom", "scripts/stage log 2017-s09 --only", _arguments, _run)
