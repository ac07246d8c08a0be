"""Scores the forecasts of races that are over against what the tracker saw, stage by stage and over all of them.

A log is a file of forecasts, one JSON document a line, or the archive's Parquet of them; its states are what
scripts/replay writes, or its export of the archive. Logs and states stand in the same order. The feed shows the result
beside the simulated record where its config names it.

Example:
  python -m tracking.prediction.judge --log s09.jsonl --states s09.parquet --log s12.jsonl --states s12.parquet \\
    --out judged.json
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tracking.command_line import described_parser
from tracking.draft import draft_of
from tracking.prediction.judge.logs import LogError, read_log, read_states
from tracking.prediction.judge.outcomes import Outcome, Race
from tracking.prediction.judge.verdict import verdict

FAILED, UNUSABLE = 1, 2


def main(arguments: Sequence[str]) -> int:
    """0 when all is judged; 2 for what was asked wrongly, 1 where a disk is to blame."""
    parser = described_parser("python -m tracking.prediction.judge", __doc__)
    parser.add_argument("--log", type=Path, action="append", required=True, help="forecasts of a stage")
    parser.add_argument("--states", type=Path, action="append", required=True, help="states of the same stage")
    parser.add_argument("--out", type=Path, help="where the scores go; by default they are printed")
    options = parser.parse_args(arguments)
    if len(options.log) != len(options.states):
        parser.error(
            f"--log is given {len(options.log)} times and --states {len(options.states)}: name both of a stage"
        )
    stages: dict[str, list[Outcome]] = {}
    mistakes = []
    for log, states in zip(options.log, options.states, strict=True):
        try:
            if log.stem in stages:
                raise LogError(f"{log}: another log has this name too. Name the files by their stages.")
            stages[log.stem] = judged(log, states)
        except LogError as error:
            mistakes.append(str(error))
    if mistakes:
        print("\n".join(mistakes), file=sys.stderr)
        return UNUSABLE
    text = json.dumps(verdict(stages), indent=1) + "\n"
    if options.out is None:
        print(text, end="")
        return 0
    try:
        with draft_of(options.out) as draft:
            draft.write_text(text)
    except OSError as error:
        print(f"{options.out}: cannot be written ({error}). Make room or name another place.", file=sys.stderr)
        return FAILED
    return 0


def judged(log: Path, states: Path) -> list[Outcome]:
    """What became of the forecasts of one stage; LogError."""
    told = read_log(log)
    try:
        race = Race(read_states(states))
    except ValueError as error:
        raise LogError(f"{states}: {error}. Judge the stage once it is over.") from None
    outcomes = list(race.outcomes(told))
    if not outcomes:
        raise LogError(f"{states}: has no moment of a forecast in {log}. Name the states of the same stage.")
    return outcomes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
