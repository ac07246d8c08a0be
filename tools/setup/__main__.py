"""Command line of the set-up: python3 -m tools.setup [TARGET...]."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.workspace import Workspace
from tools.setup import docker, lock
from tools.setup.plan import Target, plan
from tools.setup.prerequisites import taken_ports
from tools.setup.report import Lines, as_json
from tools.setup.runner import Outcome, Status, run
from tools.setup.shell import Shell
from tools.setup.step import MissingPrerequisite, Problem, SetupError, Step

RIGHTS = "See that this user may write there and that the disk has room, then run the same command again."
EXAMPLE = """example:
  python3 -m tools.setup lab browser    everything for a day in the lab and its tests
  python3 -m tools.setup --stop         end the Docker engine that set-up started
"""


@dataclass
class Recorder:
    """Keeps the outcomes for the closing line, and passes them on."""

    lines: Lines
    outcomes: list[Outcome] = field(default_factory=list)

    def begins(self, step: Step) -> None:
        """Pass on."""
        self.lines.begins(step)

    def ends(self, outcome: Outcome) -> None:
        """Keep and pass on."""
        self.outcomes.append(outcome)
        self.lines.ends(outcome)


def main(arguments: Sequence[str] | None = None) -> int:
    """Set the targets up; 0 on success, 1 when a step failed, 2 when something has to be changed first."""
    options = _options(arguments)
    workspace = Workspace.from_environment()
    if options.stop:
        print("The Docker engine has ended." if docker.stop_own() else "Set-up has no Docker engine running.")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a build under way is ended with us
    start = time.monotonic()
    error: SetupError | None = None
    recorder = Recorder(Lines(quiet=options.quiet))
    try:
        if options.lock:
            lock.write_locks(workspace, Shell(workspace.cache / "logs/lock.log"))
        run(plan(workspace, set(options.targets)), workspace.cache, recorder)
        if options.ports:
            host = docker.docker_host(workspace)
            if taken := taken_ports(lambda port: docker.publishes(host, port)):
                raise MissingPrerequisite(*taken)
    except SetupError as caught:
        error = caught
    except OSError as caught:
        error = SetupError(Problem(f"{caught.filename or 'This machine'}: {caught.strerror}.", RIGHTS))
    except KeyboardInterrupt:
        print("Interrupted; what is done stays done, the same command goes on from here.", file=sys.stderr)
        return 130
    seconds = time.monotonic() - start
    if options.json:
        print(as_json(recorder.outcomes, seconds, error))
    if error is None:
        recorder.lines.over(recorder.outcomes, seconds)
        return 0
    _explain(error, recorder)
    return error.exit_code


def _explain(error: SetupError, recorder: Recorder) -> None:
    last = recorder.outcomes[-1] if recorder.outcomes else None
    if last and last.status is Status.FAILED and last.log.stat().st_size:
        recorder.lines.failed(error, Shell(last.log).tail(), str(last.log))
    else:
        recorder.lines.failed(error, (), "")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.setup",
        description="Bring this machine to where the estate's commands can run. What is done already costs a look.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [target.value for target in Target]
    parser.add_argument(
        "targets",
        nargs="*",
        type=_target,
        default=[Target.LAB],
        metavar="TARGET",
        help=f"one or more of {', '.join(names)}; default lab",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing about steps that are done already")
    parser.add_argument("--json", action="store_true", help="print the outcome of every step as one JSON object")
    parser.add_argument("--ports", action="store_true", help="also see that the ports of the lab's pages are free")
    parser.add_argument("--lock", action="store_true", help="first write both requirements.lock files anew")
    parser.add_argument("--stop", action="store_true", help="end the Docker engine that set-up started, then exit")
    return parser.parse_args(arguments)


def _target(text: str) -> Target:
    try:
        return Target(text)
    except ValueError:
        names = ", ".join(target.value for target in Target)
        raise argparse.ArgumentTypeError(f"there is no target {text!r}; there are {names}") from None


if __name__ == "__main__":
    sys.exit(main())
