"""The Pulumi CLI on one backend: runs it, follows its events, and keeps what it said.

The CLI itself is run and its stream of JSON events read. Pulumi's Automation API would start it four more times
for each `up` (versions, selection, history), which costs more than comparing a whole stage.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

import yaml

from infra.durable import write_durably
from infra.engine_error import EngineError
from infra.workspace import Workspace

AGAIN = "run the same command again: it goes on from here"
_INTERRUPT_PATIENCE_S = 120
# What Pulumi writes beside the configuration about how its secrets are encrypted.
_ENCRYPTION = ("encryptionsalt", "encryptedkey", "secretsprovider")


class PulumiCli:
    """One checkout's program; `environment` says which backend and which tools."""

    def __init__(self, workspace: Workspace, environment: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._environment = environment

    def run(self, stack: str, arguments: Sequence[str], given: str | None = None) -> str:
        """One short command; its output. EngineError with Pulumi's last words where it fails."""
        with self._encryption_forgotten(stack):
            done = subprocess.run(
                self._command(stack, arguments), input=given, capture_output=True, **self._surroundings()
            )
        if done.returncode != 0:
            said = f"`pulumi {' '.join(arguments)}` of {stack} failed: {_last_line(done.stderr)}"
            raise self.failure(stack, arguments[0], said, AGAIN, done.stderr)
        return done.stdout

    def stream(
        self,
        stack: str,
        arguments: Sequence[str],
        follow: Callable[[str], None],
        environment: Mapping[str, str] = MappingProxyType({}),
        log_as: str = "",
    ) -> tuple[int, Path]:
        """One operation, line by line to `follow` and to a log; exit status and log.

        `environment` is for this operation alone, on top of the others; `log_as` names the log otherwise.
        """
        with (
            self._log(stack, log_as or arguments[0]) as log,
            self._encryption_forgotten(stack),
            subprocess.Popen(
                self._command(stack, arguments), stdout=subprocess.PIPE, stderr=log, **self._surroundings(environment)
            ) as process,
        ):
            try:
                for line in process.stdout or ():
                    log.write(line)
                    follow(line)
            except KeyboardInterrupt:
                # The terminal interrupts Pulumi too: it ends what it has begun and saves its state.
                process.communicate(timeout=_INTERRUPT_PATIENCE_S)
                raise
            return process.wait(), Path(log.name)

    def version(self) -> str:
        """The engine's own version, such as `3.259.0`."""
        done = subprocess.run(["pulumi", "version"], capture_output=True, check=True, **self._surroundings())
        return done.stdout.strip().removeprefix("v")

    def failure(self, stack: str, verb: str, sentence: str, remedy: str, details: str = "") -> EngineError:
        """An error to raise, with its details in the log of its kind."""
        with self._log(stack, verb) as log:
            log.write(details or f"{sentence}\n")
        return EngineError(sentence, remedy, Path(log.name))

    def _command(self, stack: str, arguments: Sequence[str]) -> list[str]:
        return ["pulumi", *arguments, "--non-interactive", "--stack", stack]

    def _surroundings(self, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
        # Halves create and destroy; what a killed engine made unrecorded, `recover` finds by its labels. A plain
        # `pulumi up` has nobody who would, so it is not in the environment that a shell gets.
        hurried = {"PULUMI_SKIP_CHECKPOINTS": "true", "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
        environment = {**os.environ, **self._environment, **hurried, **more}
        return {"text": True, "cwd": self._workspace.root, "env": environment}

    @contextmanager
    def _encryption_forgotten(self, stack: str) -> Iterator[None]:
        """Pulumi writes how its secrets are encrypted into the checkout, where another home's Pulumi would stumble.

        Each home's own state holds it too, and that is where it is taken from.
        """
        self._forget_encryption(stack)
        try:
            yield
        finally:
            self._forget_encryption(stack)

    def _forget_encryption(self, stack: str) -> None:
        path = stack_file(self._workspace, stack)
        held = (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}
        kept = {name: value for name, value in held.items() if name not in _ENCRYPTION}
        if kept != held:
            write_durably(path, yaml.safe_dump(kept))

    def _log(self, stack: str, verb: str) -> TextIO:
        """The log of the latest operation of its kind."""
        folder = self._workspace.home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / f"{stack}-{verb}.log").open("w", buffering=1)


def stack_file(workspace: Workspace, stack: str) -> Path:
    """Where Pulumi reads a stack's configuration when nobody names another file."""
    return workspace.root / f"stacks/Pulumi.{stack}.yaml"


def write_config(path: Path, config: Mapping[str, str]) -> None:
    """As Pulumi reads it; `config` is `placement` and `scale`."""
    values = {f"etape:{name}": value for name, value in sorted(config.items())}
    write_durably(path, yaml.safe_dump({"config": values}))


def last_words(log: Path) -> str:
    """What Pulumi wrote beside its events; errors from before an operation began are only there."""
    return _last_line("\n".join(line for line in log.read_text().splitlines() if not line.startswith("{")))


def _last_line(text: str) -> str:
    words = [line for line in text.splitlines() if line.strip()]
    return words[-1].removeprefix("error: ") if words else "Pulumi ended without a word"
