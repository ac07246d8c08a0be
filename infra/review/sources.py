"""From what a person names to the state itself: the edge where the review meets engine, history, evidence and git."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from infra.checkpoint import PastDeployment
from infra.engine import EngineError
from infra.estate.load import list_stacks
from infra.estate.mistakes import EstateError
from infra.plan import Plan
from infra.policy.checkpoints import CheckpointError, audit_checkpoint
from infra.policy.facts import facts_of
from infra.review.declaring import author, data_of, declare, has_edits
from infra.review.kept import Kept
from infra.review.model_items import Reasons, read_calendar, read_model
from infra.review.planned import carry_out
from infra.review.resources import read_resources, references
from infra.review.sealing import Sealer, digest_key
from infra.review.snapshot import Item, ReviewError, Snapshot
from infra.review.spec import Source, Spec, read_spec
from infra.state_objects import StateError
from infra.workspace import Workspace

_NO_MODEL = "no model of {stack} was kept as of {at}: sites, networks, services, limits and reasons are missing"
_OLD_MODEL = "the model of {stack} that was kept is of an earlier up than what was applied at {at}"
_LONGEST = timedelta(days=1)
"""Before the end of a stack's first operation its model was not kept for another one."""
_CORRUPT = "take a moment before it, or the checkpoint that the evidence holds"


class Pulumi(Protocol):
    """What a review asks of the engine."""

    def export(self, stack: str) -> dict:
        """What is applied."""

    def actual(self, stack: str) -> dict:
        """What is really there."""

    def preview(self, stack: str, config: Mapping[str, str]) -> Plan:
        """What an up would do."""

    def history(self, stack: str) -> tuple[PastDeployment, ...]:
        """What was done, oldest first."""


@dataclass(frozen=True)
class Asked:
    """How much of an estate is meant."""

    scale: str
    demand: str
    day: int
    """The stage that stands for an edition's days."""


@dataclass(frozen=True)
class Loaded:
    """A state and what the policies say about it; each finding as policy, level, resource, sentence."""

    snapshot: Snapshot
    findings: tuple[tuple[str, str, str, str], ...]


class Sources:
    """Reads states; what it needs of the outside is given to it."""

    def __init__(
        self,
        workspace: Workspace,
        pulumi: Pulumi,
        kept: Kept,
        asked: Asked,
        today: date,
    ) -> None:
        """`today` is the day by which waivers are judged."""
        self._workspace, self._pulumi, self._kept, self._asked, self._today = workspace, pulumi, kept, asked, today
        self._data = workspace.root / "stacks"
        self._key = digest_key(workspace.home)

    def load(self, text: str, judged: bool = True) -> Loaded:
        """The state that a person named; `judged` by the policies too. Raises ReviewError."""
        spec = read_spec(text)
        if spec.source is Source.REVISION:
            with data_of(self._workspace, spec.revision) as data:
                return self._declared(spec, data, spec.revision, judged)
        self._known(spec)
        if spec.source is Source.DECLARED:
            return self._declared(spec, self._data, "HEAD", judged)
        if spec.source is Source.PLAN:
            return self._planned(spec)
        return self._stored(spec, judged)

    def approval(self, text: str) -> str:
        """What the evidence says about an approval of the second state."""
        spec = read_spec(text)
        if not spec.source.is_made:
            return "none is needed for what is only declared; scripts/stage plan asks for one"
        return self._kept.approval(spec.stack)

    def stored(self) -> tuple[str, ...]:
        """The last moment of every stack at which it held something, as states."""
        return tuple(state for each in list_stacks(self._data) for state in self._last_stored(each.stack))

    def _last_stored(self, stack: str) -> Iterable[str]:
        for past in reversed(self._pulumi.history(stack)):
            if past.kind != "destroy":
                yield f"{stack}@{past.at.isoformat()}"
                return

    def _known(self, spec: Spec) -> None:
        """Of what is gone from stacks/ the past can still be read, but not what it is now."""
        if spec.source is Source.MOMENT:
            return
        try:
            stacks = [each.stack for each in list_stacks(self._data)]
        except EstateError as error:
            raise ReviewError(str(error), "mend what is named above") from None
        named = spec.stack or f"{spec.edition}-core"
        if named not in stacks:
            editions = ", ".join(sorted({each.partition("-")[0] for each in stacks}))
            raise ReviewError(
                f"there is no {'stack' if spec.stack else 'edition'} {spec.stack or spec.edition!s}",
                f"`scripts/stage list` names all stacks; there are editions {editions}",
            )

    def _declared(self, spec: Spec, data: Path, revision: str, judged: bool) -> Loaded:
        stacks = (spec.stack,) if spec.stack else (f"{spec.edition}-core", f"{spec.edition}-s{self._asked.day:02}")
        items: list[Item] = []
        findings: list[tuple[str, str, str, str]] = []
        questions: list[str] = []
        with ThreadPoolExecutor(len(stacks)) as several:
            answers = several.map(
                lambda stack: declare(self._workspace, stack, self._asked.scale, self._asked.demand, data), stacks
            )
        for stack, declared in zip(stacks, answers, strict=True):
            items += self._read(stack, declared.deployment, declared.model, questions)
            findings += self._judged(stack, declared.deployment, data) if judged else ()
        if not spec.stack:
            items += _calendar(spec.edition, data)
            questions.append(f"stage {self._asked.day} stands for the days of {spec.edition} (--day takes another)")
        if spec.source is Source.DECLARED and has_edits(self._workspace):
            questions.append("the estate or its program has edits that are in no commit")
        at, who = author(self._workspace, revision, spec.edition)
        return Loaded(_snapshot(spec, stacks, at, who, items, questions), tuple(findings))

    def _stored(self, spec: Spec, judged: bool) -> Loaded:
        stack = spec.stack
        past, since = self._last(stack, spec.moment)
        questions = self._kept.questions(stack)
        if spec.source is Source.ACTUAL:
            deployment, at, who = self._ask(lambda: self._pulumi.actual(stack)), datetime.now(UTC), "the engine"
        else:
            deployment, at = self._ask(past.read if spec.moment else lambda: self._pulumi.export(stack)), past.at
            who = self._kept.who(stack, past.at)
        model, kept_at = self._kept.model(stack, past.at)
        if model is None or kept_at < since:
            questions.append((_OLD_MODEL if model else _NO_MODEL).format(stack=stack, at=_stamp(past.at)))
        items = self._read(stack, _inner(deployment), model, questions)
        findings = self._judged(stack, _inner(deployment), self._data) if judged else ()
        if past.result != "succeeded":
            questions.append(f"the last {past.kind} of {stack} {past.result}: what is applied may be half of it")
        return Loaded(_snapshot(spec, (stack,), _stamp(at), who, items, questions), findings)

    def _planned(self, spec: Spec) -> Loaded:
        stack = spec.stack
        scale, demand = self._asked.scale, self._asked.demand
        config = {"placement": "lab", "scale": scale, "demand": demand}
        return self._carried_out(self._ask(lambda: self._pulumi.preview(stack, config)))

    def around(self, plan: Plan) -> tuple[Loaded, Loaded]:
        """What is applied now, and what carrying out a plan would leave. Raises ReviewError."""
        return self._applied(plan.stack), self._carried_out(plan)

    def _applied(self, stack: str) -> Loaded:
        """Nothing where the stack never was."""
        spec = read_spec(f"{stack}@applied")
        if self._pulumi.history(stack):
            return self._stored(spec, judged=False)
        return Loaded(_snapshot(spec, (stack,), "", "", (), ()), ())

    def _carried_out(self, plan: Plan) -> Loaded:
        stack, spec = plan.stack, read_spec(f"{plan.stack}@plan")
        scale, demand = plan.config.get("scale", self._asked.scale), plan.config.get("demand", self._asked.demand)
        declared = declare(self._workspace, stack, scale, demand, self._data)
        there = _inner(self._ask(lambda: self._pulumi.export(stack))) if self._pulumi.history(stack) else {}
        reasons, seal = Reasons(declared.model), self._sealer(there)
        wanted = read_resources(stack, declared.deployment, self._sealer(declared.deployment), reasons)
        applied = read_resources(stack, there, seal, reasons)
        items, anew = carry_out(applied, wanted, plan, references(there), seal, reasons)
        questions = [seal.question] if seal.question else []
        at, who = author(self._workspace, "HEAD", spec.edition)
        snapshot = _snapshot(spec, (stack,), at, who, [*read_model(declared.model), *items], questions)
        findings = tuple((each.policy, each.level, each.resource, each.message) for each in plan.policies)
        return Loaded(replace(snapshot, replaced=anew), findings)

    def _last(self, stack: str, moment: datetime | None) -> tuple[PastDeployment, datetime]:
        """The last operation on the stack, until the moment where there is one; and when the one before it was."""
        done = self._pulumi.history(stack)
        if not done:
            raise ReviewError(
                f"{stack} was never brought up in {self._workspace.home}",
                f"bring it up with `scripts/stage up {stack}`, or leave out what stands behind the @",
            )
        past = [each for each in done if moment is None or each.at <= moment]
        if not past:
            raise ReviewError(
                f"{stack} was not there at {moment:%Y-%m-%d %H:%M %Z}: its history begins at {_stamp(done[0].at)}",
                f"name a moment between then and {_stamp(done[-1].at)}",
            )
        return past[-1], past[-2].at if len(past) > 1 else past[-1].at - _LONGEST

    def _ask(self, call: Any) -> Any:
        try:
            return call()
        except StateError as error:
            raise ReviewError(str(error), _CORRUPT) from None
        except EngineError as error:
            raise ReviewError(error.sentence, f"{error.remedy} (log: {error.log})") from None

    def _sealer(self, deployment: Mapping[str, Any]) -> Sealer:
        path = self._workspace.home / "passphrase"
        return Sealer(self._key, deployment, path.read_text() if path.exists() else "")

    def _read(
        self, stack: str, deployment: Mapping[str, Any], model: Mapping[str, Any] | None, questions: list[str]
    ) -> list[Item]:
        seal = self._sealer(deployment)
        try:
            resources = read_resources(stack, deployment, seal, Reasons(model))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ReviewError(
                f"the checkpoint of {stack} is corrupt: {type(error).__name__} {error}",
                _CORRUPT,
            ) from None
        questions += [seal.question] if seal.question else []
        return [*(read_model(model) if model else ()), *resources]

    def _judged(self, stack: str, deployment: Mapping[str, Any], data: Path) -> tuple[tuple[str, str, str, str], ...]:
        try:
            found = audit_checkpoint({"deployment": deployment}, facts_of(stack, self._today, data))
        except EstateError:
            return (("policies", "unknown", stack, "not judged: the estate of today does not know this stack"),)
        except CheckpointError as error:
            raise ReviewError(str(error), _CORRUPT) from None
        return tuple((each.policy, each.level.value, each.resource, _sentence(each)) for each in found)


def _sentence(finding: Any) -> str:
    if finding.waiver is None:
        return finding.sentence
    return f"{finding.sentence}; waived until {finding.waiver.expires} by {finding.waiver.owner}"


def _inner(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    return deployment.get("deployment") or {}


def _calendar(edition: str, data: Path) -> Iterable[Item]:
    stages = (each.stage for each in list_stacks(data) if each.edition == int(edition) and each.stage)
    told = ("number", "date", "start", "finish", "distance_km", "kind", "profile")
    return read_calendar(edition, [{name: _plain(getattr(stage, name)) for name in told} for stage in stages])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _snapshot(
    spec: Spec, stacks: tuple[str, ...], at: str, who: str, items: Iterable[Item], questions: Iterable[str]
) -> Snapshot:
    told = tuple(f"{spec.text}: {question}" for question in dict.fromkeys(questions))
    return Snapshot(spec.text, spec.source.value, stacks, at, who, tuple(items), told)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
