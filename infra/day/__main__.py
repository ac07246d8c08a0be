"""scripts/stage: bring a stage up, check it, take it down, move to the next town.

Examples:
  scripts/stage up                          2017-s09 from nothing to race-ready
  scripts/stage up 2017-s09 --scale small   the whole truck and a tenth of the cloud servers
  scripts/stage up --speed 20               the race runs twenty times as fast
  scripts/stage check                       the arrival sheet
  scripts/stage scale                       what the race asks for, or what is enough after it
  scripts/stage down                        drain, prove that nothing is lost, destroy
  scripts/stage next                        down, then up at the next town
  scripts/stage down --core                 end the season
  scripts/stage list                        editions, stages and their state
  scripts/stage show 2016-s12 --origins     every value of a stack, and the line that says it
  scripts/stage new-edition 2027            a new year that inherits the latest one
"""

import argparse
import sys

from infra.day import (
    approve,
    check,
    down,
    drift,
    keep,
    listing,
    log,
    new_edition,
    next,
    plan,
    restore,
    scale,
    schema,
    show,
    unlock,
    up,
)
from infra.day.context import Day
from infra.day.evidence import conclude
from infra.day.outcome import Failure, Refusal
from infra.day.progress import Progress
from infra.engine import EngineError, StateError
from infra.estate.mistakes import EstateError
from infra.evidence.log import EvidenceError
from infra.render.outputs import MissingOutputs
from infra.workspace import Workspace

VERBS = (
    up.VERB,
    plan.VERB,
    approve.VERB,
    check.VERB,
    down.VERB,
    next.VERB,
    drift.VERB,
    scale.VERB,
    listing.VERB,
    show.VERB,
    new_edition.VERB,
    schema.VERB,
    log.VERB,
    unlock.VERB,
    restore.VERB,
    keep.VERB,
)


def main(arguments: list[str]) -> int:
    """Run one command; 0 on success, 1 where a step failed, 2 where the request was refused.

    What it wrote into the evidence log is signed and sent whichever way it ends.
    """
    options = _parser().parse_args(arguments)
    day = Day(Workspace.from_environment(), Progress(as_json=options.json))
    status = _carry_out(day, options)
    for sentence in conclude(day):
        print(f"stage: {sentence}", file=sys.stderr)
    return status


def _carry_out(day: Day, options: argparse.Namespace) -> int:
    try:
        options.run(day, options)
    except (Refusal, StateError) as refusal:
        return _tell(day, refusal.sentence, refusal.advice, 2)
    except (Failure, EvidenceError, EngineError) as failure:
        return _tell(day, failure.sentence, failure.advice, 1)
    except EstateError as error:
        return _tell(day, str(error), "mend what is named above; nothing was created", 2)
    except MissingOutputs as error:
        return _tell(day, str(error), "run `scripts/stage up`: it goes on from here", 1)
    except KeyboardInterrupt:
        return _tell(day, "stopped by you", "run the same command again: it goes on from here", 130)
    return 0


def _tell(day: Day, sentence: str, remedy: str, status: int) -> int:
    day.progress.result(error=sentence, remedy=remedy)
    print(f"stage: {sentence}\n  To go on: {remedy}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    head, examples = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "scripts/stage", description=head, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="verb", required=True)
    for verb in VERBS:
        command = commands.add_parser(
            verb.name, help=verb.text, description=verb.text, epilog=f"example: {verb.example}"
        )
        command.add_argument("--json", action="store_true", help="one JSON object a line instead of text")
        verb.arguments(command)
        command.set_defaults(run=verb.run)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
