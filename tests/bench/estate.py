"""How long all stages of all editions take: read, checked, built and rendered, as on a command's first use."""

import json
import subprocess
import sys
from collections.abc import Iterable
from time import perf_counter

from infra.estate.load import list_stacks, load_estate
from tests.bench.figure import Figure
from tests.render.everything import rendered

GOAL_S = 30.0


def figures() -> Iterable[Figure]:
    """In a process of its own, in which nothing was read before."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.estate"], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    yield Figure(f"{measured['stages']} stages validated and rendered", measured["all_s"], "s", GOAL_S)
    yield Figure("one stage from nothing", measured["first_s"], "s")


def measure() -> dict[str, float]:
    """Seconds for the first stage, which reads its edition, and for all of them."""
    stages = [each.stack for each in list_stacks() if each.stage]
    began = perf_counter()
    first = 0.0
    for stack in stages:
        rendered(load_estate(stack))
        first = first or perf_counter() - began
    return {"stages": len(stages), "first_s": first, "all_s": perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(measure()))
