"""Where a review is made: reads both states, compares and judges them, and keeps what was found as evidence."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from ipaddress import IPv4Network
from typing import Any

from infra.checkpoint import PastDeployment
from infra.day.record import Phase, Record, Records
from infra.engine import Engine
from infra.estate.load import load_estate
from infra.estate.mistakes import EstateError
from infra.evidence.log import EvidenceError
from infra.evidence.seasons import Evidence
from infra.identity import SignatureError
from infra.plan import Plan
from infra.review.change import Comparison
from infra.review.compare import compare
from infra.review.kept import Kept, fingerprints
from infra.review.report.words import clean
from infra.review.review import Finding, Review, canonical, content_hash
from infra.review.risk import Scene, judge
from infra.review.rules import RULES
from infra.review.snapshot import ReviewError, Snapshot, together
from infra.review.sources import Asked, Loaded, Sources
from infra.review.spec import read_spec
from infra.workspace import Toolbox, Workspace


@dataclass(frozen=True, slots=True)
class Audit:
    """What the policies say about stored checkpoints, by state."""

    findings: Mapping[str, tuple[Finding, ...]]

    @property
    def refused(self) -> bool:
        """Whether any finding would have kept the stack from being made."""
        return any(each.level == "mandatory" for found in self.findings.values() for each in found)

    def as_dict(self) -> dict[str, Any]:
        """The findings by state."""
        return {
            state: [{name: getattr(each, name) for name in each.__slots__} for each in found]
            for state, found in self.findings.items()
        }

    def as_json(self) -> str:
        """One object."""
        return json.dumps({"audit": self.as_dict(), "refused": self.refused}, indent=1, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """A line for each finding."""
        lines = []
        for state, found in self.findings.items():
            lines += [f"{state}: {len(found)} findings" if found else f"{state}: nothing to object to"]
            lines += [clean(f"  {each.level}: {each.policy}: {each.resource}: {each.sentence}") for each in found]
        return "\n".join(lines) + "\n"


class Desk:
    """One command of scripts/review."""

    def __init__(self, workspace: Workspace, scale: str | None, demand: str | None, day: int) -> None:
        """Scale and part of the day are those of a stack that was made where one is compared, unless asked for."""
        self._workspace = workspace
        self._records = Records(workspace)
        self._evidence = Evidence(workspace)
        self._pulumi = Pulumi(workspace)
        self._scale, self._demand, self._day = scale, demand, day
        self._kept = Kept(self._evidence, self._people())

    def _sources(self, *states: str) -> Sources:
        """For states that are looked at together: both are declared at the same scale."""
        specs = map(read_spec, states)
        made = [self._records.read(each.stack) for each in specs if each.source.is_made]
        record = made[0] if made else Record(stack="")
        asked = Asked(self._scale or record.scale, self._demand or record.demand.value, self._day)
        return Sources(self._workspace, self._pulumi, self._kept, asked, date.today())

    def review(self, a: str, b: str, why: str) -> Review:
        """Compare two states. Raises ReviewError."""
        sources = self._sources(a, b)
        with ThreadPoolExecutor(2) as both:
            before, after = both.map(sources.load, (a, b), (False, True))
        judged = self._compared(before.snapshot, after.snapshot)
        return Review(judged, _findings(after), why, sources.approval(b))

    def plans(self, plans: Sequence[Plan], why: str) -> Review:
        """What carrying out the plans of all layers would do to what is applied. Raises ReviewError."""
        sources = self._sources()
        with ThreadPoolExecutor(len(plans)) as several:
            pairs = tuple(several.map(sources.around, plans))
        before, after = (together([pair[side].snapshot for pair in pairs]) for side in (0, 1))
        findings = tuple(finding for _, loaded in pairs for finding in _findings(loaded))
        return Review(self._compared(before, after), findings, why, "this is what has to be approved")

    def _compared(self, a: Snapshot, b: Snapshot) -> Comparison:
        return judge(compare(a, b), self._scene(a, b), RULES)

    def audit(self, states: Sequence[str]) -> Audit:
        """Hold states to the policies; without any the last deployment of every stack that ever was."""
        wanted = states or self._sources().stored()
        if not wanted:
            raise ReviewError(
                f"no stack was ever brought up in {self._workspace.home}", "bring one up: `scripts/stage up`"
            )
        return Audit({state: _findings(self._sources(state).load(state)) for state in wanted})

    def record(self, review: Review) -> EvidenceError | None:
        """Keep a review as evidence; the trouble where that fails."""
        document = review.document()
        facts = {
            "a": document["a"]["title"],
            "b": document["b"]["title"],
            "content_hash": content_hash(document),
            "risk": document["summary"]["risk"],
            "why": review.why,
        }
        stack = review.comparison.b.stacks[-1]
        return self._append("review", stack, facts, {"review.json": canonical(document)})

    def record_audit(self, audit: Audit) -> EvidenceError | None:
        """Keep an audit as evidence, in the season of its first state."""
        stack = next(iter(audit.findings)).partition("@")[0]
        return self._append("policy", stack, {"outcome": "refused" if audit.refused else "held", **audit.as_dict()}, {})

    def _append(
        self, kind: str, stack: str, facts: Mapping[str, object], files: Mapping[str, bytes]
    ) -> EvidenceError | None:
        try:
            self._evidence.append(kind, stack, facts, files)
            self._evidence.log(stack).seal()
        except EvidenceError as error:
            return error
        except SignatureError as error:
            return EvidenceError(error.sentence, error.remedy)
        return None

    def _scene(self, a: Snapshot, b: Snapshot) -> Scene:
        up = self._records.up()
        live = {each.stack for each in up if each.phase is Phase.LIVE and not each.stack.endswith("-core")}
        live |= {f"{stack.partition('-')[0]}-core" for stack in live}
        years = {stack.partition("-")[0] for stack in (*a.stacks, *b.stacks)}
        others = [each for each in up if each.stack.partition("-")[0] not in years]
        return Scene(a, b, frozenset(live), {name: prefix for each in others for name, prefix in _prefixes(each)})

    def _people(self) -> dict[str, str]:
        try:
            return fingerprints(person for stack in self._sources_of_people() for person in load_estate(stack).people)
        except (EstateError, ValueError):
            return {}

    def _sources_of_people(self) -> list[str]:
        return sorted({f"{each.stack.partition('-')[0]}-core" for each in self._records.up()})


def _prefixes(record: Record) -> list[tuple[str, IPv4Network]]:
    estate = load_estate(record.stack)
    return [(f"{estate.edition} {segment.name}", segment.prefix) for segment in estate.segments]


def _findings(loaded: Loaded) -> tuple[Finding, ...]:
    return tuple(Finding(*each) for each in loaded.findings)


class Pulumi:
    """The engine, made when it is first needed: most reviews never ask it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def _engine(self) -> Engine:
        try:
            return Engine(self._workspace, Toolbox.read(self._workspace), policies=self._workspace.policy_pack)
        except FileNotFoundError:
            raise ReviewError("this machine is not set up", "run `python3 -m tools.setup`") from None

    def export(self, stack: str) -> dict:
        return self._engine.export(stack)

    def actual(self, stack: str) -> dict:
        return self._engine.actual(stack, _quiet)

    def preview(self, stack: str, config: Mapping[str, str]) -> Plan:
        return self._engine.preview(stack, config, _quiet)

    def history(self, stack: str) -> tuple[PastDeployment, ...]:
        return self._engine.history(stack)


def _quiet(note: str) -> None:
    """A review tells what it found, not what it does."""
