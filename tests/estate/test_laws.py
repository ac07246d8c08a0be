"""Laws of addressing: identity is role and slot, and nothing else moves an address."""

from dataclasses import replace
from ipaddress import IPv4Interface
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.estate.addressing import address_in, host_number, management_address
from infra.estate.build import build_stage
from infra.estate.checks import check
from infra.estate.documents import CableDoc, EndDoc, NodeDoc, SegmentDoc
from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.model import Estate
from infra.estate.reading import read_edition
from infra.estate.vocabulary import ROLES
from infra.estate.written import Entry, Written

WRITTEN, _ = read_edition(STACKS, "2017")
STAGE = next(line.doc for line in WRITTEN.stages if line.doc.number == 9)
PLANNED = build_stage(WRITTEN, STAGE, "full")
# Without rules of growth: every stage has all that its contract allows.
RULES = WRITTEN.capacity
ALL = replace(WRITTEN, capacities=(replace(RULES, doc=RULES.doc.model_copy(update={"growth": []})),))
# Each example builds two estates; a shared machine may take its time over one.
law = settings(max_examples=12, deadline=None)
POSITION = st.integers(min_value=0, max_value=100)


def addresses(estate: Estate) -> dict[str, IPv4Interface]:
    """Every address by machine and interface, out-of-band ones too."""
    nodes = estate.everything("nodes")
    found = {f"{node.name} {i.name}": i.address for node in nodes for i in node.interfaces}
    return found | {f"{node.name} management": IPv4Interface(node.management) for node in nodes}


def inserted(entries: tuple[Entry, ...], doc, position: int) -> tuple[Entry, ...]:
    where = position % (len(entries) + 1)
    return (*entries[:where], Entry("stacks/2017/truck.yaml", "nodes[99]", doc), *entries[where:])


def with_machine(written: Written, role: str, slot: int, segment: str, into: EndDoc, position: int) -> Written:
    """The edition with one more machine and its cable, both written at `position`."""
    like = next(entry.doc for entry in written.nodes if entry.doc.role == "display")
    node = NodeDoc.model_validate({**like.model_dump(), "role": role, "slot": slot, "ports": ["eno1"]})
    cable = CableDoc(label="Z-99", segment=segment, a=EndDoc(node=f"{role}-{slot}", port="eno1"), b=into)
    return replace(
        written,
        nodes=inserted(written.nodes, node, position),
        cables=inserted(written.cables, cable, position),
    )


@law
@given(slot=st.integers(min_value=4, max_value=20), position=POSITION)
def test_inserting_a_machine_renumbers_nothing(slot, position):
    """Renumbered machines are replaced machines, and every known_hosts line is wrong."""
    grown = with_machine(WRITTEN, "edge", slot, "race", EndDoc(node="switch-1", port="port24"), position)
    assert check(grown) == ()
    before, after = addresses(PLANNED), addresses(build_stage(grown, STAGE, "full"))
    assert before.items() <= after.items()
    assert {name.split()[0] for name in after.keys() - before.keys()} == {f"edge-{slot}"}


@law
@given(group=st.integers(min_value=0, max_value=4), more=st.integers(min_value=1, max_value=8))
def test_growing_a_group_of_servers_renumbers_nothing(group, more):
    """Scaling processors up in the middle of a stage may not touch those that run."""
    entry = WRITTEN.servers[group]
    doc = entry.doc.model_copy(update={"count": entry.doc.count + more})
    grown = replace(ALL, servers=(*ALL.servers[:group], replace(entry, doc=doc), *ALL.servers[group + 1 :]))
    assert check(grown) == ()
    before, after = addresses(build_stage(ALL, STAGE, "full")), addresses(build_stage(grown, STAGE, "full"))
    assert before.items() <= after.items()
    assert len(after) - len(before) == 2 * more


@law
@given(third=st.integers(min_value=100, max_value=250), position=POSITION)
def test_inserting_a_segment_renumbers_nothing(third, position):
    """A guest network that is added for one town may not move the race's."""
    guests = SegmentDoc(name="guests", title="Guests", layer="stage", prefix=f"10.17.{third}.0/24")
    grown = replace(WRITTEN, segments=inserted(WRITTEN.segments, guests, position))
    cable = CableDoc(
        label="Z-98",
        segment="guests",
        a=EndDoc(node="fabric-1", port="lan0"),
        b=EndDoc(node="cec-wifi-1", port="port4"),
    )
    fabric = next(entry for entry in grown.nodes if entry.doc.role == "fabric")
    ports = fabric.doc.model_copy(update={"ports": ["wan0", "lan0"]})
    grown = replace(
        grown,
        cables=inserted(grown.cables, cable, position),
        nodes=tuple(replace(entry, doc=ports) if entry is fabric else entry for entry in grown.nodes),
    )
    assert check(grown) == ()
    assert addresses(PLANNED).items() <= addresses(build_stage(grown, STAGE, "full")).items()


@law
@given(order=st.permutations(range(len(WRITTEN.nodes))))
def test_order_of_lines_means_nothing(order):
    """A file that somebody sorted is the same estate."""
    shuffled = replace(WRITTEN, nodes=tuple(WRITTEN.nodes[index] for index in order))
    assert build_stage(shuffled, STAGE, "full") == PLANNED


@pytest.mark.parametrize("scale", ["small", "full"])
@pytest.mark.parametrize("stack", [each.stack for each in list_stacks()])
def test_no_two_machines_share_an_address(stack, scale):
    """2016: two machines at one address, and nobody could tell why."""
    found = list(addresses(load_estate(stack, scale)).values())
    assert len({address.ip for address in found}) == len(found)


def test_blocks_of_host_numbers_are_apart():
    """Two roles that share a number share an address as soon as they meet in a segment."""
    blocks = [range(role.first_host, role.first_host + role.slots) for role in ROLES.values()]
    assert all(one.stop <= other.start or other.stop <= one.start for one, other in combinations(blocks, 2))


@given(role=st.sampled_from(sorted(ROLES)), data=st.data())
def test_a_machine_has_the_same_number_in_every_segment(role, data):
    """Who reads 10.17.x.22 knows edge-2 in any network."""
    slot = data.draw(st.integers(min_value=1, max_value=ROLES[role].slots))
    wide = [PLANNED.management, *(segment.prefix for segment in PLANNED.segments if segment.prefix.prefixlen == 22)]
    parts = {int(address_in(prefix, ROLES[role], slot).ip) - int(prefix.network_address) for prefix in wide}
    assert parts == {host_number(ROLES[role], slot)}


@given(role=st.sampled_from(sorted(ROLES)), slot=st.integers().filter(lambda slot: not 1 <= slot <= 100))
def test_a_slot_outside_of_its_block_has_no_number(role, slot):
    """It would have the number of another role's machine."""
    with pytest.raises(ValueError, match="has slots 1 to"):
        host_number(ROLES[role], slot)


def test_management_leaves_the_first_addresses_to_the_engine():
    """The Docker network's own gateway sits on the first one."""
    network = PLANNED.management
    first = min(management_address(network, role, 1) for role in ROLES.values())
    assert int(first) - int(network.network_address) == 11
