"""What the model says about a stack, as policies ask for it."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from infra.estate.build import runs_on, segment_prefix
from infra.estate.cabling import Machine, machines
from infra.estate.layers import folders
from infra.estate.load import STACKS, load_estate
from infra.estate.model import Estate
from infra.estate.reading import read_edition
from infra.estate.written import Written
from infra.policy.model import Claim, Facts


def facts_of(stack: str, today: date, root: Path = STACKS) -> Facts:
    """The facts of `2017-s09` on a day. Raises EstateError where stacks/ is wrong.

    The machines are those of the contract: a small lab, and a stage at rest, run some of them.
    """
    estate = load_estate(stack, "full", root)
    written, _ = read_edition(root, str(estate.edition))
    contracted = [machine for machine in machines(written, "full") if machine.layer is estate.layer]
    return Facts(
        stack=estate.stack,
        layer=estate.layer,
        today=today,
        node_roles={machine.name: machine.role for machine in contracted},
        listeners={machine.name: _ports(written, machine) for machine in contracted},
        contract=Counter(machine.role for machine in contracted),
        management=estate.management,
        supernets=estate.supernets,
        segments=_own(estate),
        others=tuple(_others(estate, root)),
        waivers=estate.waivers,
    )


def _ports(written: Written, machine: Machine) -> frozenset[int]:
    return frozenset(each.doc.port for each in written.services if each.doc.port and runs_on(each.doc, machine))


def _own(estate: Estate) -> tuple[Claim, ...]:
    segments = estate.everything("segments")
    return tuple(Claim(f"{estate.edition} {segment.name}", segment.prefix) for segment in segments)


def _others(estate: Estate, root: Path) -> Iterator[Claim]:
    """What the rest of the fleet uses: the other years' segments, and this one's on the other days.

    A handoff changes with the day because the towns give it: it is theirs, so it may come again in another year.
    """
    own = {segment.name for segment in estate.everything("segments")}
    for edition in folders(root):
        written, _ = read_edition(root, edition)
        for entry in written.segments:
            here = int(edition) == estate.edition
            handoff = "{stage}" in entry.doc.prefix
            if (entry.doc.name in own) if here else handoff:
                continue
            days = [line.doc.number for line in written.stages] if handoff else [0]
            for prefix in {segment_prefix(entry.doc, day) for day in days}:
                yield Claim(f"{edition} {entry.doc.name}", prefix)
