"""Pulumi for the day cycle: one call an operation, one exception for every way in which it can fail."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from infra.backend import Backend
from infra.checkpoint import (
    PastDeployment,
    checkpoint_key,
    checkpoint_text,
    read_checkpoint,
    read_deployment,
    read_history,
)
from infra.cli import AGAIN, PulumiCli, last_words, stack_file, write_config
from infra.docker_engine import DockerEngine, DockerError, Thing
from infra.durable import write_durably
from infra.engine_error import EngineError, StateError
from infra.events import Changes, Follower, Note
from infra.locks import held_by, read_locks, release_dead
from infra.operator_key import public_key
from infra.ownership import of_stack, owner_labels
from infra.plan import Plan, read_events, read_plan
from infra.state_objects import FolderObjects
from infra.workspace import Toolbox, Workspace

__all__ = ["Engine", "EngineError", "Note", "StateError"]


class Heard(Protocol):
    """What an operation has said so far: its errors, and the numbers of resources that it changed."""

    errors: list[str]
    changes: Changes


Watch = Callable[[str, str, Heard], AbstractContextManager[None]]
"""Entered with stack and verb around each operation that changes something; it also sees one fail."""

_OBEY = "mend what each policy names, or have it waived in stacks/, then run the same command again"
# Pulumi's plans as files are not final yet; they have been as they are since 2021.
_BOUND = {"PULUMI_EXPERIMENTAL": "true"}
_PLANNING = {**_BOUND, "ETAPE_PLANNING": "true"}
"""Our provider then takes it that the core will be there, which the plan before this one makes."""


class Engine:
    """Pulumi on one ETAPE_HOME, with the tools that set-up found."""

    def __init__(
        self,
        workspace: Workspace,
        toolbox: Toolbox,
        docker: DockerEngine | None = None,
        watch: Watch = lambda stack, verb, heard: nullcontext(),
        policies: Path | None = None,
    ) -> None:
        """`policies` is the pack that judges every preview and up; only what is no estate has none."""
        self._workspace = workspace
        self._toolbox = toolbox
        self.backend = Backend.of(workspace.home)
        self._objects = self.backend.objects
        self._docker = docker or DockerEngine(toolbox.docker_host)
        self._watch = watch
        self._pack = policies

    @cached_property
    def _cli(self) -> PulumiCli:
        return PulumiCli(self._workspace, self.environment())

    def environment(self) -> dict[str, str]:
        """What plain `pulumi` needs in a shell, on top of the caller's own environment."""
        return self._environment(self.backend)

    def preview(self, stack: str, config: Mapping[str, str], note: Note, bound: Path | None = None) -> Plan:
        """What `up` with the same `config` would do; changes nothing, not even for a stack that never was.

        A stage can be planned before its core is there. `bound` is a file for Pulumi's own form of the plan, to which
        an `up` can be held; its secrets are encrypted as the stack's, which is made for that, still empty.
        A plan that the policy pack refuses is returned all the same, with its findings. EngineError where the
        program or a provider refuses.
        """
        if bound:
            self._make(stack)
        known = read_checkpoint(self._objects, stack) is not None
        lines: list[str] = []
        with self._aside(stack, {}) as (empty, folder):
            write_config(folder / "config.yaml", config)
            arguments = ["preview", "--json", "--config-file", str(folder / "config.yaml"), *self._policies()]
            follower = Follower(note, lines.append)
            cli, refresh = (self._cli, self._refreshed(stack)) if known else (empty, [])
            saved = ["--save-plan", str(bound)] if bound else []
            status, log = cli.stream(stack, [*arguments, *refresh, *saved], follower, _PLANNING)
        plan = read_plan(stack, read_events("".join(lines)), self._version, config)
        if status != 0 and (follower.errors or not plan.refused):
            raise self._failure(stack, "preview", follower, log, "mend what is named, then try again")
        return plan

    def actual(self, stack: str, note: Note = lambda text: None) -> dict:
        """What is really there, in the form of `export`: the state as a refresh would make it. It stays untouched.

        Pulumi's own preview of a refresh gives no deployment, so a copy of the state is refreshed.
        """
        with self._aside(stack, read_deployment(self._objects, stack)) as (copy, folder):
            write_config(folder / "config.yaml", {})
            arguments = ["refresh", "--yes", "--skip-preview", "--json", "--config-file", str(folder / "config.yaml")]
            follower = Follower(note)
            status, log = copy.stream(stack, arguments, follower)
            if status != 0:
                raise self._failure(stack, "refresh", follower, log)
            return read_deployment(FolderObjects(folder), stack)

    def history(self, stack: str) -> tuple[PastDeployment, ...]:
        """Every operation on the stack that came to an end, oldest first; empty for one that never was."""
        return read_history(self._objects, stack)

    def up(self, stack: str, config: Mapping[str, str], note: Note, bound: Path | None = None) -> Changes:
        """Make the stack what the model says; `config` is `placement` and `scale`. Saves the outputs.

        With `bound`, a file that `preview` wrote, Pulumi refuses each step that is not in it.
        """
        public_key(self._workspace)
        self._refuse_strangers(stack)
        self._make(stack)
        write_config(stack_file(self._workspace, stack), config)
        changes = self._operate(stack, "up", note, ["--plan", str(bound)] if bound else [])
        outputs = self._cli.run(stack, ["stack", "output", "--json", "--show-secrets"])
        write_durably(self._workspace.outputs(stack), outputs)
        return changes

    def destroy(self, stack: str, note: Note) -> Changes:
        """Take away everything of the stack, data included; its history stays. A stack that never was is no error."""
        known = read_checkpoint(self._objects, stack) is not None
        self._free_networks(stack)
        changes = self._operate(stack, "destroy", note) if known else Changes()
        for thing in self._owned(stack):
            if thing.kind == "volume":
                self._on_docker(stack, self._docker.remove, thing)
        self._workspace.outputs(stack).unlink(missing_ok=True)
        return changes

    def unprotect(self, stack: str) -> None:
        """Let the next `destroy` take what the stack protects: a season's data, secrets and buckets."""
        if read_checkpoint(self._objects, stack) is not None:
            self._cli.run(stack, ["state", "unprotect", "--all", "--yes"])

    def export(self, stack: str) -> dict:
        """The stack's checkpoint, secrets encrypted, as `pulumi stack import` reads it."""
        return json.loads(self._cli.run(stack, ["stack", "export"]))

    def recover(self, stack: str) -> None:
        """After a kill at any moment: make it possible to run `up` or `destroy` again to the same end.

        Releases a dead engine's lock, forgets operations that it left open, and removes machines and networks
        that it made but never recorded. Refuses where another Pulumi is at work on the stack.

        Volumes stay, recorded or not. One that a kill left unrecorded is empty, but one that an old or lost state
        does not know holds data, and from here they look alike. It does not stand in the way either: Docker gives
        the next `up` the volume that has the name already, and `destroy` removes it.
        """
        release_dead(self._objects, stack)
        checkpoint = read_checkpoint(self._objects, stack)
        if checkpoint and checkpoint.pending:
            self._forget_pending(stack)
        known = checkpoint.docker_ids if checkpoint else frozenset()
        for thing in self._owned(stack):
            if thing.kind != "volume" and thing.id not in known:
                self._on_docker(stack, self._docker.remove, thing)

    def remains(self, stack: str) -> list[str]:
        """Machines, networks and volumes of the stack that are still there, by kind and name."""
        return [f"{thing.kind} {thing.name}" for thing in self._owned(stack)]

    def _make(self, stack: str) -> None:
        """An empty state, where the stack has none."""
        if read_checkpoint(self._objects, stack) is None:
            provider = f"--secrets-provider={self.backend.secrets_provider}"
            self._cli.run(stack, ["stack", "init", "--no-select", provider])

    def _operate(self, stack: str, verb: str, note: Note, held: Sequence[str] = ()) -> Changes:
        """Run `up` or `destroy`; looks at reality first where a machine of the checkpoint does not run.

        Where policies judge and no plan holds it, a pass that touches nothing comes first: a policy about the whole
        stack speaks only at the end of a pass. If that finds nothing to do, it was the only one.
        """
        heard = Follower(note)
        common = ["--json", *self._refreshed(stack), *(self._policies() if verb == "up" else ())]
        with self._watch(stack, verb, heard):
            if "--policy-pack" in common and not held:
                self._pass(stack, verb, ["preview", *common], heard)
                if heard.idle:
                    return heard.changes
            self._pass(stack, verb, [verb, "--yes", "--skip-preview", *common, *held], heard)
        return heard.changes

    def _pass(self, stack: str, verb: str, arguments: Sequence[str], heard: Follower) -> None:
        environment = _BOUND if "--plan" in arguments else {}
        status, log = self._cli.stream(stack, arguments, heard, environment, log_as=verb)
        if status != 0:
            raise self._failure(stack, verb, heard, log)

    def _failure(self, stack: str, verb: str, heard: Follower, log: Path, remedy: str = AGAIN) -> EngineError:
        """Why an operation did not reach its end, as its events tell it, else as Pulumi's last words do."""
        if "the stack is currently locked" in log.read_text():
            return held_by(stack, read_locks(self._objects, stack))
        if heard.refused and not heard.errors:
            reasons = "; ".join(map(str, heard.refused))
            return EngineError(f"{verb} of {stack} is refused by policy: {reasons}", _OBEY, log)
        return EngineError(f"{verb} of {stack} failed: {'; '.join(heard.errors) or last_words(log)}", remedy, log)

    @contextmanager
    def _aside(self, stack: str, deployment: Mapping) -> Iterator[tuple[PulumiCli, Path]]:
        """A backend of its own that is gone afterwards, with a copy of the deployment as the stack's state."""
        with tempfile.TemporaryDirectory(prefix="etape-aside-") as name:
            folder = Path(name)
            FolderObjects(folder).write(checkpoint_key(stack), checkpoint_text(stack, deployment))
            backend = replace(self.backend, url=f"file://{folder}")
            yield PulumiCli(self._workspace, self._environment(backend)), folder

    def _environment(self, backend: Backend) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join([*self._toolbox.path, os.environ.get("PATH", os.defpath)]),
            "DOCKER_HOST": self._toolbox.docker_host,
            "ETAPE_HOME": str(self._workspace.home),
            "ETAPE_CACHE": str(self._workspace.cache),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_PARALLEL_DIFF": "true",
            **backend.environment(),
        }

    def _policies(self) -> list[str]:
        return ["--policy-pack", str(self._pack)] if self._pack else []

    @cached_property
    def _version(self) -> str:
        return self._cli.version()

    def _refreshed(self, stack: str) -> list[str]:
        return ["--refresh"] if self._is_stale(stack) else []

    def _is_stale(self, stack: str) -> bool:
        checkpoint = read_checkpoint(self._objects, stack)
        if checkpoint is None or not checkpoint.docker_ids:
            return False
        alive = {thing.id for thing in self._owned(stack) if thing.running}
        return not checkpoint.docker_ids <= alive

    def _free_networks(self, stack: str) -> None:
        """Docker keeps a network to which somebody has attached a machine of their own."""
        owned = self._owned(stack)
        ours = {thing.id for thing in owned if thing.kind == "container"}
        for network in (thing for thing in owned if thing.kind == "network"):
            self._on_docker(stack, lambda each: self._docker.free(each, ours), network)

    def _owned(self, stack: str) -> tuple[Thing, ...]:
        return self._on_docker(stack, self._docker.labelled, owner_labels(self._workspace.home, stack))

    def _refuse_strangers(self, stack: str) -> None:
        """Names are an engine's own: another home's volume would be taken for ours, and go with our `destroy`."""
        ours = {thing.id for thing in self._owned(stack)}
        theirs = [
            thing for thing in self._on_docker(stack, self._docker.labelled, of_stack(stack)) if thing.id not in ours
        ]
        if theirs:
            raise StateError(
                f"{stack} is on this Docker engine already, made from another ETAPE_HOME: {theirs[0].kind}"
                f" {theirs[0].name} and {len(theirs) - 1} more",
                "take it down from there first, or work in that home",
            )

    def _on_docker(self, stack: str, call: Callable, argument: object) -> tuple[Thing, ...]:
        try:
            return call(argument)
        except DockerError as error:
            raise self._cli.failure(stack, "docker", str(error), AGAIN) from None

    def _forget_pending(self, stack: str) -> None:
        deployment = self.export(stack)
        deployment["deployment"]["pending_operations"] = []
        self._cli.run(stack, ["stack", "import"], given=json.dumps(deployment))
