"""Every machine is what node_base made of it."""

import json

from tests.hosts.conftest import Deployed


def test_the_machine_is_the_one_that_the_inventory_means(node: Deployed) -> None:
    """Guards: two addresses that were swapped."""
    assert node.host.check_output("hostname") == node.etape["node"]["name"]
    assert json.loads(node.host.file("/etc/etape/estate.json").content_string)["stack"] == node.etape["stack"]


def test_every_interface_has_its_address(node: Deployed) -> None:
    """Guards: an address that networkd was told and did not set."""
    shown = json.loads(node.host.check_output("ip -json address"))
    has = {link["ifname"]: [f"{at['local']}/{at['prefixlen']}" for at in link["addr_info"]] for link in shown}
    for interface in node.etape["interfaces"]:
        assert has[interface["name"]] == [interface["address"]]


def test_every_port_of_a_segment_is_in_its_bridge(node: Deployed) -> None:
    """Guards: a port with carrier that leads nowhere."""
    shown = json.loads(node.host.check_output("ip -json link"))
    bridge_of = {link["ifname"]: link.get("master") for link in shown}
    for interface in node.etape["interfaces"]:
        assert {bridge_of[port] for port in interface["members"]} <= {interface["name"]}


def test_every_route_leads_to_its_gateway(node: Deployed) -> None:
    """Guards: a segment that cannot be reached from here."""
    shown = json.loads(node.host.check_output("ip -json route"))
    has = {(route["dst"], route.get("gateway")) for route in shown}

    assert {(route["destination"], route["gateway"]) for route in node.etape["routes"]} <= has


def test_only_routers_forward(node: Deployed) -> None:
    """Guards: a way around the gateway."""
    assert node.host.sysctl("net.ipv4.ip_forward") == int(node.etape["forwards"])


def test_no_unit_has_failed(node: Deployed) -> None:
    """Guards: something that nobody promised and that is broken all the same."""
    assert node.host.check_output("systemctl list-units --failed --plain --no-legend") == ""


def test_our_files_are_as_they_were_deployed(node: Deployed) -> None:
    """Guards: drift since the deploy."""
    assert node.host.run("sha256sum --check --status /var/lib/etape-node/files.sha256").rc == 0
