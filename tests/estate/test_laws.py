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
from infra.estate.documents import CableDoc, EndDoc, NodeDoc, SegmentDoc, SizeDoc
from infra.estate.layers import folders
from infra.estate.load import STACKS, list_stacks, load_estate
from infra.estate.model import Estate
from infra.estate.reading import read_edition
from infra.estate.vocabulary import ROLES
from infra.estate.written import Entry, Written

WRITTEN = {year: read_edition(STACKS, year)[0] for year in folders(STACKS)}
DAYS = st.sampled_from([(written, line.doc) for written in WRITTEN.values() for line in written.stages])
"""A stage of any edition."""
STACKS_OF_ALL = [each.stack for each in list_stacks()]
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
    size = SizeDoc(cpus=4, memory_mb=8192)
    node = NodeDoc(role=role, slot=slot, title="One more", site="truck", size=size, ports=["eno1"])
    cable = CableDoc(label="Z-99", segment=segment, a=EndDoc(node=f"{role}-{slot}", port="eno1"), b=into)
    return replace(
        written,
        nodes=inserted(written.nodes, node, position),
        cables=inserted(written.cables, cable, position),
    )


def without_growth(written: Written) -> Written:
    """The edition with all machines of its contract on every day."""
    rules = written.capacity
    return replace(written, capacities=(replace(rules, doc=rules.doc.model_copy(update={"growth": []})),))


@law
@given(day=DAYS, slot=st.integers(min_value=5, max_value=20), position=POSITION)
def test_inserting_a_machine_renumbers_nothing(day, slot, position):
    """Renumbered machines are replaced machines, and every known_hosts line is wrong."""
    written, stage = day
    grown = with_machine(written, "edge", slot, "race", EndDoc(node="switch-1", port="port24"), position)
    assert check(grown) == ()
    before, after = (addresses(build_stage(each, stage, "full")) for each in (written, grown))
    assert before.items() <= after.items()
    assert {name.split()[0] for name in after.keys() - before.keys()} == {f"edge-{slot}"}


@law
@given(day=DAYS, group=st.integers(min_value=0, max_value=4), more=st.integers(min_value=1, max_value=6))
def test_growing_a_group_of_servers_renumbers_nothing(day, group, more):
    """Scaling processors up in the middle of a stage may not touch those that run."""
    written, stage = without_growth(day[0]), day[1]
    entry = written.servers[group]
    doc = entry.doc.model_copy(update={"count": entry.doc.count + more})
    grown = replace(written, servers=(*written.servers[:group], replace(entry, doc=doc), *written.servers[group + 1 :]))
    assert check(grown) == ()
    before, after = (addresses(build_stage(each, stage, "full")) for each in (written, grown))
    assert before.items() <= after.items()
    assert len(after) - len(before) == 2 * more


@law
@given(day=DAYS, third=st.integers(min_value=100, max_value=250), position=POSITION)
def test_inserting_a_segment_renumbers_nothing(day, third, position):
    """A guest network that is added for one town may not move the race's."""
    written, stage = day
    prefix = f"10.{written.edition % 1000}.{third}.0/24"
    guests = SegmentDoc(name="guests", title="Guests", layer="stage", prefix=prefix)
    cable = CableDoc(
        label="Z-98",
        segment="guests",
        a=EndDoc(node="fabric-1", port="lan0"),
        b=EndDoc(node="switch-1", port="port23"),
    )
    fabric = next(entry for entry in written.nodes if entry.doc.role == "fabric")
    ports = fabric.doc.model_copy(update={"ports": ["wan0", "lan0"]})
    grown = replace(
        written,
        segments=inserted(written.segments, guests, position),
        cables=inserted(written.cables, cable, position),
        nodes=tuple(replace(entry, doc=ports) if entry is fabric else entry for entry in written.nodes),
    )
    assert check(grown) == ()
    before, after = (addresses(build_stage(each, stage, "full")) for each in (written, grown))
    assert before.items() <= after.items()


@law
@given(day=DAYS, seed=st.randoms(use_true_random=False))
def test_order_of_lines_means_nothing(day, seed):
    """A file that somebody sorted is the same estate."""
    written, stage = day
    nodes = list(written.nodes)
    seed.shuffle(nodes)
    shuffled = replace(written, nodes=tuple(nodes))
    assert build_stage(shuffled, stage, "full") == build_stage(written, stage, "full")


@pytest.mark.parametrize("demand", ["rest", "race"])
@pytest.mark.parametrize("scale", ["small", "full"])
@pytest.mark.parametrize("year", sorted(WRITTEN))
def test_no_two_machines_share_an_address_on_any_day(year, scale, demand):
    """2016: two machines at one address, and nobody could tell why."""
    for stack in (name for name in STACKS_OF_ALL if name.startswith(year)):
        found = list(addresses(load_estate(stack, scale, demand=demand)).values())
        assert len({address.ip for address in found}) == len(found), stack


@pytest.mark.parametrize("year", sorted(WRITTEN))
def test_no_two_segments_share_an_address_whichever_truck_is_where(year):
    """Two trucks, or a truck that is late from yesterday's town and today's: their handoffs are apart."""
    prefixes = {
        (segment.name, segment.prefix)
        for stack in STACKS_OF_ALL
        if stack.startswith(year)
        for segment in load_estate(stack, "small").everything("segments")
    }
    assert not any(one.overlaps(other) for (_, one), (_, other) in combinations(prefixes, 2))


def test_blocks_of_host_numbers_are_apart():
    """Two roles that share a number share an address as soon as they meet in a segment."""
    blocks = [range(role.first_host, role.first_host + role.slots) for role in ROLES.values()]
    assert all(one.stop <= other.start or other.stop <= one.start for one, other in combinations(blocks, 2))


@given(role=st.sampled_from(sorted(ROLES)), data=st.data())
def test_a_machine_has_the_same_number_in_every_segment(role, data):
    """Who reads 10.17.x.22 knows edge-2 in any network."""
    slot = data.draw(st.integers(min_value=1, max_value=ROLES[role].slots))
    planned = load_estate("2017-s09")
    wide = [planned.management, *(segment.prefix for segment in planned.segments if segment.prefix.prefixlen == 22)]
    parts = {int(address_in(prefix, ROLES[role], slot).ip) - int(prefix.network_address) for prefix in wide}
    assert parts == {host_number(ROLES[role], slot)}


@given(role=st.sampled_from(sorted(ROLES)), slot=st.integers().filter(lambda slot: not 1 <= slot <= 100))
def test_a_slot_outside_of_its_block_has_no_number(role, slot):
    """It would have the number of another role's machine."""
    with pytest.raises(ValueError, match="has slots 1 to"):
        host_number(ROLES[role], slot)


def test_management_leaves_the_first_addresses_to_the_engine():
    """The Docker network's own gateway sits on the first one."""
    network = load_estate("2017-s09").management
    first = min(management_address(network, role, 1) for role in ROLES.values())
    assert int(first) - int(network.network_address) == 11
