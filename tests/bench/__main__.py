"""scripts/bench: measure what the README promises, on this machine, now.

Examples:
  scripts/bench day --json                  small and full: up, no-op up and deploy, next, down, memory
  scripts/bench day --scale small           only the small estate
  scripts/bench tracking --json             readings a second of one core; ingest to state in the lab
  scripts/bench estate --json               all stages of all editions, validated and rendered
  scripts/bench forecasts --json            catches, winners, finishes on simulated stages, beside rules of thumb
  scripts/bench review --json               two whole editions compared and judged
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable

from tests.bench import (
    beside,
    day,
    estate,
    forecasts,
    latency,
    pages,
    readers,
    replay,
    review,
    tracking,
    transport,
    watching,
    wrong_leg,
)
from tests.bench.figure import Figure


def main(arguments: list[str]) -> int:
    """Print the figures of one benchmark; 0 when all of them were measured, whether or not they meet the goal."""
    options = _parser().parse_args(arguments)
    figures = list(_BENCHES[options.name](options))
    if options.json:
        print(json.dumps({"figures": [figure.as_dict() for figure in figures]}, indent=1))
    else:
        print("\n".join(str(figure) for figure in figures))
    return 0


def _day(options: argparse.Namespace) -> Iterable[Figure]:
    return day.figures(("small", "full") if options.scale is None else (options.scale,))


def _tracking(options: argparse.Namespace) -> Iterable[Figure]:
    rooms = (tracking, wrong_leg, watching, beside, latency, transport, replay, readers, pages)
    return [figure for room in rooms for figure in room.figures()]


def _estate(options: argparse.Namespace) -> Iterable[Figure]:
    return estate.figures()


def _forecasts(options: argparse.Namespace) -> Iterable[Figure]:
    return forecasts.figures()


def _review(options: argparse.Namespace) -> Iterable[Figure]:
    return review.figures()


_BENCHES: dict[str, Callable[[argparse.Namespace], Iterable[Figure]]] = {
    "day": _day,
    "estate": _estate,
    "forecasts": _forecasts,
    "review": _review,
    "tracking": _tracking,
}


def _parser() -> argparse.ArgumentParser:
    head, examples = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "scripts/bench", description=head, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=sorted(_BENCHES))
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--scale", choices=("small", "full"), help="day: only this scale")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
