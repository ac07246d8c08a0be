"""What the machines told of themselves, as differences. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from infra.drift.difference import MENDED, Difference

_BY_HAND = {
    "file": "put it back there or remove it, or declare it in the role that it belongs to",
    "unit": "`systemctl stop` it there, or `systemctl daemon-reload` where its files changed",
    "package": "`apt-get` it away or back there, or put it into tools/image/packages.txt",
    "account": "`userdel` or `usermod` there",
    "key": "mend that account's files in /etc/ssh/authorized_keys.d there",
    "sysctl": "`systemctl restart etape-sysctl` there",
    "port": "pull it: `ip link delete dev PORT` there, or declare the cable",
    "address": "`ip address del ADDRESS dev PORT` there, or `systemctl restart systemd-networkd` where one is missing",
    "route": "`ip route del` there, or `systemctl restart systemd-networkd` where one is missing",
    "listener": "end the program there, or declare the service",
}


def machine_differences(node: str, told: Mapping | str) -> Iterator[Difference]:
    """Of one machine: the findings of `etape.node.drift`, or why it could not be looked at."""
    if isinstance(told, str):
        remedy = "run `scripts/stage check`; what it holds is not known until it answers"
        yield Difference(node, "machine", node, "can be looked at", told, remedy=remedy)
        return
    for each in told["findings"]:
        remedy = MENDED if each["mended"] else _BY_HAND[each["kind"]]
        since = datetime.fromtimestamp(each["since"], UTC).isoformat(timespec="seconds")[:19] if each["since"] else ""
        yield Difference(node, each["kind"], each["what"], each["declared"], each["found"], since, remedy)
