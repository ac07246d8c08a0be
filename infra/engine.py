"""Pulumi for the day cycle: one call an operation, one exception for every way in which it can fail.

The CLI itself is run and its stream of JSON events read. Pulumi's Automation API would start it four more times
for each `up` (versions, selection, history), which costs more than comparing a whole stage.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import yaml

from infra.checkpoint import lock_holders, read_checkpoint
from infra.docker_engine import DockerEngine, DockerError, Thing
from infra.durable import write_durably, write_once
from infra.events import Changes, Event, read_event
from infra.operator_key import public_key
from infra.ownership import owner_labels
from infra.workspace import Toolbox, Workspace

Note = Callable[[str], None]
"""Told what is being done now, in a few words."""

_AGAIN = "run the same command again: it goes on from here"
_INTERRUPT_PATIENCE_S = 120


@dataclass
class EngineError(Exception):
    """An operation did not reach its end; what it made is kept, and it can be run again."""

    sentence: str
    remedy: str
    log: Path

    def __str__(self) -> str:
        return f"{self.sentence}\n  To go on: {self.remedy} (log: {self.log})"


class Engine:
    """Pulumi on one ETAPE_HOME, with the tools that set-up found."""

    def __init__(self, workspace: Workspace, toolbox: Toolbox, docker: DockerEngine | None = None) -> None:
        self._workspace = workspace
        self._toolbox = toolbox
        self._state = workspace.home / "state"
        self._docker = docker or DockerEngine(toolbox.docker_host)

    def environment(self) -> dict[str, str]:
        """What plain `pulumi` needs in a shell, on top of the caller's own environment."""
        return {
            "PATH": os.pathsep.join([*self._toolbox.path, os.environ.get("PATH", os.defpath)]),
            "DOCKER_HOST": self._toolbox.docker_host,
            "ETAPE_HOME": str(self._workspace.home),
            "ETAPE_CACHE": str(self._workspace.cache),
            "PULUMI_BACKEND_URL": f"file://{self._state}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._passphrase_file()),
            # One checkout may serve several homes; each home's own state knows its passphrase.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_PARALLEL_DIFF": "true",
        }

    def up(self, stack: str, config: Mapping[str, str], note: Note) -> Changes:
        """Make the stack what the model says; `config` is `placement` and `scale`. Saves the outputs."""
        public_key(self._workspace)
        if read_checkpoint(self._state, stack) is None:
            self._run(stack, ["stack", "init", "--secrets-provider=passphrase"])
        values = {f"etape:{name}": value for name, value in sorted(config.items())}
        write_durably(self._stack_file(stack), yaml.safe_dump({"config": values}))
        changes = self._operate(stack, "up", note)
        outputs = self._run(stack, ["stack", "output", "--json", "--show-secrets"])
        write_durably(self._workspace.outputs(stack), outputs)
        return changes

    def destroy(self, stack: str, note: Note) -> Changes:
        """Take away everything of the stack, data included; its history stays. A stack that never was is no error."""
        known = read_checkpoint(self._state, stack) is not None
        changes = self._operate(stack, "destroy", note) if known else Changes()
        for thing in self._owned(stack):
            if thing.kind == "volume":
                self._on_docker(stack, self._docker.remove, thing)
        self._workspace.outputs(stack).unlink(missing_ok=True)
        return changes

    def export(self, stack: str) -> dict:
        """The stack's checkpoint, secrets encrypted, as `pulumi stack import` reads it."""
        return json.loads(self._run(stack, ["stack", "export"]))

    def recover(self, stack: str) -> None:
        """After a kill at any moment: make it possible to run `up` or `destroy` again to the same end.

        Releases a dead engine's lock, forgets operations that it left open, and removes machines and networks
        that it made but never recorded. Refuses where another Pulumi is at work on the stack.

        Volumes stay, recorded or not. One that a kill left unrecorded is empty, but one that an old or lost state
        does not know holds data, and from here they look alike. It does not stand in the way either: Docker gives
        the next `up` the volume that has the name already, and `destroy` removes it.
        """
        self._release_lock(stack)
        checkpoint = read_checkpoint(self._state, stack)
        if checkpoint and checkpoint.pending:
            self._forget_pending(stack)
        known = checkpoint.docker_ids if checkpoint else frozenset()
        for thing in self._owned(stack):
            if thing.kind != "volume" and thing.id not in known:
                self._on_docker(stack, self._docker.remove, thing)

    def remains(self, stack: str) -> list[str]:
        """Machines, networks and volumes of the stack that are still there, by kind and name."""
        return [f"{thing.kind} {thing.name}" for thing in self._owned(stack)]

    def _operate(self, stack: str, verb: str, note: Note) -> Changes:
        """Run `up` or `destroy`; looks at reality first where a machine of the checkpoint does not run."""
        refresh = ["--refresh"] if self._is_stale(stack) else []
        heard = _Follower(note)
        with self._log(stack, verb) as log:
            status = self._stream(stack, [verb, "--yes", "--skip-preview", "--json", *refresh], log, heard)
        if status != 0:
            sentence = "; ".join(heard.errors) or _last_words(Path(log.name))
            raise EngineError(f"{verb} of {stack} failed: {sentence}", _AGAIN, Path(log.name))
        return heard.changes

    def _stream(self, stack: str, arguments: Sequence[str], log: TextIO, follow: Callable[[Event], None]) -> int:
        command = self._command(stack, arguments)
        with (
            self._salt_forgotten(stack),
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, **self._surroundings()) as process,
        ):
            try:
                for line in process.stdout or ():
                    log.write(line)
                    if event := read_event(line):
                        follow(event)
            except KeyboardInterrupt:
                # The terminal interrupts Pulumi too: it ends what it has begun and saves its state.
                process.communicate(timeout=_INTERRUPT_PATIENCE_S)
                raise
            return process.wait()

    def _run(self, stack: str, arguments: Sequence[str], given: str | None = None) -> str:
        """One short command; its output."""
        command = self._command(stack, arguments)
        with self._salt_forgotten(stack):
            done = subprocess.run(command, input=given, capture_output=True, **self._surroundings())
        if done.returncode != 0:
            with self._log(stack, arguments[0]) as log:
                log.write(done.stderr)
            last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
            raise EngineError(f"`pulumi {' '.join(arguments)}` of {stack} failed: {last}", _AGAIN, Path(log.name))
        return done.stdout

    def _command(self, stack: str, arguments: Sequence[str]) -> list[str]:
        return ["pulumi", *arguments, "--non-interactive", "--stack", stack]

    def _surroundings(self) -> dict[str, Any]:
        # Halves create and destroy; what a killed engine made unrecorded, `recover` finds by its labels. A plain
        # `pulumi up` has nobody who would, so it is not in the environment that a shell gets.
        hurried = {"PULUMI_SKIP_CHECKPOINTS": "true"}
        return {"text": True, "cwd": self._workspace.root, "env": {**os.environ, **self.environment(), **hurried}}

    def _is_stale(self, stack: str) -> bool:
        checkpoint = read_checkpoint(self._state, stack)
        alive = {thing.id for thing in self._owned(stack) if thing.running}
        return checkpoint is not None and not checkpoint.docker_ids <= alive

    def _owned(self, stack: str) -> tuple[Thing, ...]:
        return self._on_docker(stack, self._docker.labelled, owner_labels(self._workspace.home, stack))

    def _on_docker(self, stack: str, call: Callable, argument: object) -> tuple[Thing, ...]:
        try:
            return call(argument)
        except DockerError as error:
            with self._log(stack, "docker") as log:
                log.write(f"{error}\n")
            raise EngineError(str(error), _AGAIN, Path(log.name)) from None

    def _release_lock(self, stack: str) -> None:
        holders = lock_holders(self._state, stack)
        for process in holders:
            if Path(f"/proc/{process}").exists():
                with self._log(stack, "lock") as log:
                    log.write(f"held by process {process}\n")
                raise EngineError(
                    f"another Pulumi (process {process}) is at work on {stack}",
                    "wait until it has ended, or end it, then run the same command again",
                    Path(log.name),
                )
        if holders:
            self._run(stack, ["cancel", "--yes"])

    def _forget_pending(self, stack: str) -> None:
        deployment = self.export(stack)
        deployment["deployment"]["pending_operations"] = []
        self._run(stack, ["stack", "import"], given=json.dumps(deployment))

    def _stack_file(self, stack: str) -> Path:
        return self._workspace.root / f"stacks/Pulumi.{stack}.yaml"

    @contextmanager
    def _salt_forgotten(self, stack: str) -> Iterator[None]:
        """Pulumi writes its passphrase's salt into the checkout, where another home's Pulumi would stumble over it.

        Each home's own state holds the salt too, and that is where it is taken from.
        """
        self._forget_salt(stack)
        try:
            yield
        finally:
            self._forget_salt(stack)

    def _forget_salt(self, stack: str) -> None:
        path = self._stack_file(stack)
        held = (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}
        if held.pop("encryptionsalt", None):
            write_durably(path, yaml.safe_dump(held))

    def _passphrase_file(self) -> Path:
        path = self._workspace.home / "passphrase"
        self._state.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_once(path, secrets.token_urlsafe(32))
        return path

    def _log(self, stack: str, verb: str) -> TextIO:
        """The log of the latest operation of its kind."""
        folder = self._workspace.home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / f"{stack}-{verb}.log").open("w", buffering=1)


def _last_words(log: Path) -> str:
    """What Pulumi wrote beside its events; errors from before an operation began are only there."""
    words = [line for line in log.read_text().splitlines() if line.strip() and not line.startswith("{")]
    return words[-1].removeprefix("error: ") if words else "Pulumi ended without a word"


class _Follower:
    """Listens to an operation: tells each step, keeps the errors and the sum."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self.errors: list[str] = []
        self.changes = Changes()

    def __call__(self, event: Event) -> None:
        if event.step:
            self._note(event.step)
        if event.error and event.error not in self.errors:
            self.errors.append(event.error)
        if event.changes:
            self.changes = event.changes
