"""scripts/stage: bring a stage up, check it, take it down, move to the next town.

Examples:
  scripts/stage up                          2017-s09 from nothing to race-ready
  scripts/stage up 2017-s09 --scale small   the whole truck and a tenth of the cloud servers
  scripts/stage up --speed 20               the race runs twenty times as fast
  scripts/stage check                       the arrival sheet
  scripts/stage down                        drain, prove that nothing is lost, destroy
  scripts/stage next                        down, then up at the next town
  scripts/stage down --core                 end the season
  scripts/stage list                        editions, stages and their state
"""

import argparse
import sys

from infra.day.check import check
from infra.day.context import Day
from infra.day.down import down, down_season
from infra.day.listing import show_list
from infra.day.next import next_town
from infra.day.outcome import Failure, Refusal
from infra.day.progress import Progress
from infra.day.up import Wish, up
from infra.engine import EngineError
from infra.estate.mistakes import EstateError
from infra.render.outputs import MissingOutputs
from infra.workspace import Workspace

DEFAULT_STACK = "2017-s09"
_END = "This destroys the season's core; its archive and evidence are copied to this machine first."
_LOSS = "Nothing is drained, proven or kept: readings that only the estate holds are lost."


def main(arguments: list[str]) -> int:
    """Run one command; 0 on success, 1 where a step failed, 2 where the request was refused."""
    options = _parser().parse_args(arguments)
    day = Day(Workspace.from_environment(), Progress(as_json=options.json))
    try:
        _run(day, options)
    except Refusal as refusal:
        return _tell(day, refusal.sentence, refusal.remedy, 2)
    except Failure as failure:
        return _tell(day, failure.sentence, failure.remedy, 1)
    except EstateError as error:
        return _tell(day, str(error), "mend what is named above; nothing was created", 2)
    except MissingOutputs as error:
        return _tell(day, str(error), "run `scripts/stage up`: it goes on from here", 1)
    except EngineError as error:
        return _tell(day, error.sentence, f"{error.remedy} (log: {error.log})", 1)
    except KeyboardInterrupt:
        return _tell(day, "stopped by you", "run the same command again: it goes on from here", 130)
    return 0


def _run(day: Day, options: argparse.Namespace) -> None:
    match options.verb:
        case "up":
            up(day, Wish(options.stack or DEFAULT_STACK, options.scale, options.speed))
        case "check":
            check(day, options.stack or _the_stage(day))
        case "down" if options.core:
            _confirm(options, _LOSS if options.abandon else _END)
            down_season(day, options.stack or _the_stage(day), options.abandon)
        case "down":
            if options.abandon:
                _confirm(options, _LOSS)
            down(day, options.stack or _the_stage(day), options.abandon)
        case "next":
            next_town(day, options.stack or _the_stage(day))
        case "list":
            show_list(day)


def _the_stage(day: Day) -> str:
    """The stage that is up, or the default where none is."""
    stages = [record.stack for record in day.records.up() if not record.stack.endswith("-core")]
    return stages[0] if stages else DEFAULT_STACK


def _confirm(options: argparse.Namespace, warning: str) -> None:
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise Refusal(f"this asks first, and no one is here to answer. {warning}", "add `--yes`")
    print(warning)
    if input("Type `end` to go on: ").strip() != "end":
        raise Refusal("not confirmed", "nothing was changed")


def _tell(day: Day, sentence: str, remedy: str, status: int) -> int:
    day.progress.result(error=sentence, remedy=remedy)
    print(f"stage: {sentence}\n  To go on: {remedy}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    head, examples = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "scripts/stage", description=head, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in {
        "up": "from nothing to race-ready",
        "check": "the arrival sheet",
        "down": "drain, prove, destroy",
        "next": "down, then up at the next town",
        "list": "editions, stages, stacks and their state",
    }.items():
        command = verbs.add_parser(verb, help=text, description=text, epilog=f"example: scripts/stage {verb}")
        command.add_argument("--json", action="store_true", help="one JSON object a line instead of text")
        if verb != "list":
            command.add_argument("stack", nargs="?", help=f"such as {DEFAULT_STACK}; default: the one that is up")
        if verb == "up":
            command.add_argument("--scale", choices=("small", "full"), help="how many cloud servers")
            command.add_argument("--speed", type=_speed, help="race seconds in a second, default 1")
        if verb == "down":
            command.add_argument("--core", action="store_true", help="end the season: the core goes too")
            command.add_argument("--abandon", action="store_true", help="give up undrained data: the machines are dead")
            command.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.1 <= speed <= 60:
        raise argparse.ArgumentTypeError("the race runs at 0.1 to 60 times its speed")
    return speed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
