"""Simulates many stages, fits the model to some of them, and writes down how its forecasts do on the others.

Writes fitted.json and record.json into the package. Stages that --keep holds are not simulated again, so that a study
that was broken off goes on where it was.

Example:
  python -m tracking.prediction.study --courses stacks/courses --seeds 60 --keep ~/stages --jobs 2
"""

import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tracking.command_line import described_parser
from tracking.course import read_course
from tracking.prediction.forecaster import why_silent
from tracking.prediction.model import to_json
from tracking.prediction.record import FITTED, RECORD
from tracking.prediction.study.work import studied

FIRST_SEED = 1000


def main() -> int:
    parser = described_parser("python -m tracking.prediction.study", __doc__)
    parser.add_argument("--courses", type=Path, required=True, help="folder of the courses that are ridden")
    parser.add_argument("--seeds", type=int, default=60, help="stages on each course; at least 10")
    parser.add_argument(
        "--keep", type=Path, help="folder of simulated stages; empty it when the simulator or tracker changes"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes that work at the same time")
    options = parser.parse_args()
    if options.seeds < 10:
        parser.error("--seeds: at least 10, or there is nothing to test on")
    read = {file.stem: read_course(file) for file in sorted(options.courses.glob("*.geojson"))}
    silent = {name: why for name, course in read.items() if (why := why_silent(course))}
    courses = {name: course for name, course in read.items() if name not in silent}
    if len(courses) < 3:
        parser.error(
            f"--courses: {options.courses} holds fewer than three courses that are forecast on; one is left out"
        )
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as folder:
        seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
        model, record = studied(courses, seeds, Path(folder), options.jobs)
    record["courses"] = {name: course.name for name, course in courses.items()}
    record["not_forecast"] = [{"course": name, "stages": options.seeds, "why": why} for name, why in silent.items()]
    FITTED.write_text(json.dumps(to_json(model), indent=1) + "\n")
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({"seen": record["catch"]["overall"], "unseen": record["unseen_course"]["finish"]["overall"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
