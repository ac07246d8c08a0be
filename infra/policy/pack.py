#!/usr/bin/env python3
"""The policies as Pulumi runs them: `pulumi preview --policy-pack $PWD/infra/policy/pack.py`, and the same for `up`.

It translates and reports; what is right is decided in `rules`. Pulumi asks it about each resource before anything is
done to it, the stack itself first, and about all of them together at the end.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from threading import Thread
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from infra.estate.mistakes import EstateError
from infra.policy.model import STACK, Facts, Finding, Policy, PolicyItem, Secret
from infra.policy.rules import POLICIES, check, judge, refused
from infra.policy.waivers import WAIVERS


def _model() -> Callable[[str, date], Facts]:
    """Reads facts from the model. Loaded late: the engine waits for the pack, and the pack then for the program."""
    from infra.policy.facts import facts_of

    return facts_of


@cache
def _facts(stack: str) -> Facts | None:
    """The model's facts, read once; None where there is no estate of which the program would declare anything."""
    try:
        return _model()(stack, date.today())
    except EstateError:
        return None


def item_of(resource: ResourceValidationArgs | PolicyResource) -> PolicyItem:
    """A resource as policies read it.

    The library unwraps secrets: which ones are, the declared secret outputs say. For the outputs of the stack nothing
    says it, so they are left out here; the stored checkpoint, where secrets are marked, is held to the same policies.
    """
    hidden = frozenset(resource.opts.additional_secret_outputs)
    known = {} if resource.resource_type == STACK else _known(resource.props)
    properties = {name: Secret(value) if name in hidden else value for name, value in known.items()}
    return PolicyItem(resource.resource_type, resource.name, resource.urn, properties, resource.opts.protect, hidden)


def _known(value: Any) -> Any:
    """A value without what only the engine will know: reading that raises."""
    if isinstance(value, Mapping):
        return dict(_entries(value, value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [each for _, each in _entries(value, range(len(value)))]
    return value


def _entries(container: Any, keys: Iterable) -> Iterator[tuple[Any, Any]]:
    for key in keys:
        try:
            yield key, _known(container[key])
        except UnknownValueError:
            continue


def _each(policy: Policy) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if facts := _facts(_stack(args.urn)):
            _report(refused(judge(policy, [item_of(args)], facts)), report)

    return ResourceValidationPolicy(policy.name, policy.risk, validate, EnforcementLevel.MANDATORY)


def _together(policy: Policy) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        if facts := _facts_of_all(args):
            _report(refused(judge(policy, _items(args), facts)), report)

    return StackValidationPolicy(policy.name, policy.risk, validate, EnforcementLevel.MANDATORY)


def _waivers_in_use() -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        if facts := _facts_of_all(args):
            _report((each for each in check(_items(args), facts) if each.policy == WAIVERS), report)

    return StackValidationPolicy(WAIVERS, "What is allowed for a time.", validate, EnforcementLevel.ADVISORY)


def _items(args: StackValidationArgs) -> list[PolicyItem]:
    return [item_of(each) for each in args.resources]


def _facts_of_all(args: StackValidationArgs) -> Facts | None:
    return _facts(_stack(args.resources[0].urn)) if args.resources else None


def _stack(urn: str) -> str:
    """`urn:pulumi:2017-s09::etape::...` is of 2017-s09."""
    return urn.split(":")[2]


def _report(findings: Iterable[Finding], report: ReportViolation) -> None:
    for finding in findings:
        report(f"{finding.sentence}. {finding.remedy[0].upper()}{finding.remedy[1:]}.", finding.urn or None)


if __name__ == "__main__":
    # The engine ends a pack by SIGINT. Python would act on it in the main thread, which sleeps through a signal that
    # another thread was given, and the engine would wait five seconds before it kills.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_model, daemon=True).start()
    policies = [_together(each) if each.whole_stack else _each(each) for each in POLICIES]
    PolicyPack("etape", [*policies, _waivers_in_use()], EnforcementLevel.MANDATORY)
