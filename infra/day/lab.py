"""scripts/lab: break something in the lab on purpose, and mend it.

Examples:
  scripts/lab fault uplink                  cut the truck off from the cloud
  scripts/lab fault cable T1-07             pull a cable by its label
  scripts/lab fault address edge-1 edge-2   edge-1 takes the address of edge-2
  scripts/lab fault service relay           stop a service
  scripts/lab fault cpu edge-3              keep a processor busy
  scripts/lab heal                          mend everything that was broken here
"""

import argparse
import sys
from dataclasses import asdict

from infra.day import fault
from infra.day.context import Day
from infra.day.injected import injected, remember
from infra.day.outcome import Failure, Refusal
from infra.day.progress import Progress
from infra.day.shell import ask
from infra.estate.model import Estate
from infra.workspace import Workspace


def main(arguments: list[str]) -> int:
    """Run one command; 0 on success, 1 where a node did not do it, 2 where the request was refused."""
    options = _parser().parse_args(arguments)
    day = Day(Workspace.from_environment(), Progress(as_json=options.json))
    try:
        stages = [record for record in day.records.up() if not record.stack.endswith("-core")]
        if not stages:
            raise Refusal("no stage is up", "run `scripts/stage up` first")
        estate = day.estate(stages[0].stack)
        harm(day, estate, _wanted(estate, options)) if options.verb == "fault" else heal(day, estate)
    except (Refusal, Failure) as outcome:
        print(f"lab: {outcome}", file=sys.stderr)
        return 2 if isinstance(outcome, Refusal) else 1
    return 0


def harm(day: Day, estate: Estate, wanted: fault.Fault) -> None:
    """Break it; remembered before it is done, so that `heal` finds it whatever happens."""
    remember(day.workspace, [*injected(day.workspace), wanted])
    _do(day, estate, wanted.node, wanted.harm)
    day.progress.say(f"{wanted.title}; `scripts/lab heal` mends it")
    day.progress.result(fault=asdict(wanted))


def heal(day: Day, estate: Estate) -> None:
    """Mend everything that was broken, newest first."""
    faults = injected(day.workspace)
    while faults:
        newest = faults.pop()
        _do(day, estate, newest.node, newest.heal)
        remember(day.workspace, faults)
        day.progress.say(f"mended: {newest.title}")
    day.progress.result(left=len(faults))


def _do(day: Day, estate: Estate, node: str, command: str) -> None:
    answer = ask(day.workspace, [estate.node(node)], command)[node]
    if answer.status != 0:
        raise Failure(f"{node} did not do `{command}`: {answer.error}", f"see `scripts/stage check {estate.stack}`")


def _wanted(estate: Estate, options: argparse.Namespace) -> fault.Fault:
    match options.kind, options.target:
        case "uplink", []:
            return fault.uplink(estate)
        case "cable", [label]:
            return fault.cable(estate, label)
        case "address", [thief, victim]:
            return fault.address(estate, thief, victim)
        case "service", [name, *rest] if len(rest) <= 1:
            return fault.service(estate, name, rest[0] if rest else None)
        case "cpu", [node]:
            return fault.cpu(estate, node)
    raise Refusal(f"a {options.kind} fault does not take {len(options.target)} name(s)", "see `scripts/lab --help`")


def _parser() -> argparse.ArgumentParser:
    head, examples = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "scripts/lab", description=head, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    breaks = verbs.add_parser("fault", help="break something")
    breaks.add_argument("kind", choices=("uplink", "cable", "address", "service", "cpu"))
    breaks.add_argument("target", nargs="*", help="what it happens to, see the examples")
    mends = verbs.add_parser("heal", help="mend everything that was broken here")
    for command in (breaks, mends):
        command.add_argument("--json", action="store_true", help="the result as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
