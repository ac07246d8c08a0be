"""scripts/review: what differs between two states of the estate, how much that can do, and why it is so.

Examples:
  scripts/review 2017-s09 2017-s10                      two days: what is not only the day's
  scripts/review 2017-s09@applied 2017-s09              what the next up would be about
  scripts/review 2017-s09@applied 2017-s09@plan         the same, as the engine computes it
  scripts/review 2017-s09@applied 2017-s09@actual       what was changed behind the tool's back
  scripts/review 2016 2017 --format html --output d.html   two editions, as one page to print
  scripts/review 2017-s09@git:HEAD~5 2017-s09           what the last five commits did to a stage
  scripts/review 2017-s09@2017-07-09T10:00+02:00 2017-s09@applied --why "after the storm"
  scripts/review --policy 2017-s09@applied              hold stored checkpoints to today's policies
  scripts/review --policy                               the last checkpoint of every stack that ever was

A state is a stack (2017-s09, 2017-core) or an edition (2017: its core, one day, its calendar), read from the model
or from what stands behind the @: plan, applied, actual, a moment, git:REVISION.
"""

import argparse
import sys
from pathlib import Path

from infra.durable import write_durably
from infra.evidence.log import EvidenceError
from infra.review.desk import Desk
from infra.review.report.formats import FORMATS, render
from infra.review.snapshot import ReviewError
from infra.workspace import Workspace


def main(arguments: list[str]) -> int:
    """0 when the report was made; 1 where policies object to a checkpoint; 2 where it cannot be made as asked."""
    options = _parser().parse_args(arguments)
    try:
        desk = Desk(Workspace.from_environment(), options.scale, options.demand, options.day)
        if options.policy:
            return _audit(desk, options)
        return _review(desk, options)
    except ReviewError as error:
        print(f"review: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("review: stopped by you; nothing was changed", file=sys.stderr)
        return 130


def _review(desk: Desk, options: argparse.Namespace) -> int:
    if len(options.states) != 2:
        raise ReviewError(
            f"a review compares two states, and {len(options.states)} were named",
            "name both: `scripts/review 2017-s09@applied 2017-s09`; --help has examples",
        )
    before, after = options.states
    review = desk.review(before, after, options.why)
    _give(render(review.document(), options.format, _has_colours(options)), options.output)
    _told(desk.record(review))
    return 0


def _audit(desk: Desk, options: argparse.Namespace) -> int:
    audit = desk.audit(options.states)
    _give(audit.as_json() if options.format == "json" else audit.as_text(), options.output)
    _told(desk.record_audit(audit))
    return 1 if audit.refused else 0


def _give(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        write_durably(output, text)
    except OSError as error:
        raise ReviewError(f"{output} cannot be written: {error.strerror}", "name another file with --output") from None


def _told(trouble: EvidenceError | None) -> None:
    if trouble is not None:
        print(f"review: the report was made, but is not in the evidence log: {trouble}", file=sys.stderr)


def _has_colours(options: argparse.Namespace) -> bool:
    return options.output is None and sys.stdout.isatty()


def _parser() -> argparse.ArgumentParser:
    head, examples = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "scripts/review", description=head, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("states", nargs="*", metavar="STATE", help="the two states to compare, the earlier one first")
    parser.add_argument("--format", choices=FORMATS, default="terminal", help="default: terminal")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the report here instead")
    parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for the report and the evidence")
    parser.add_argument("--policy", action="store_true", help="hold the states to the policies instead of comparing")
    parser.add_argument("--scale", choices=("small", "full"), help="default: that of a stack that is up, else full")
    parser.add_argument("--demand", choices=("rest", "race"), help="default: that of a stack that is up, else race")
    parser.add_argument("--day", type=int, default=9, metavar="N", help="the stage that stands for an edition (9)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
