"""What a machine is against what it is to be: the files of its image and those of its roles, nothing else. Pure.

A machine's `/etc` is its image's, with the files of its roles laid over it; so whatever was edited, added or taken
away is found without a list of places to look at. The same holds for packages and accounts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_interface
from pathlib import PurePosixPath

from ansible_collections.etape.node.plugins.module_utils.desired import State

ROOTS = ("/etc", "/opt/etape/bin", "/usr/local")
_UNITS = "/etc/systemd/system/"
_MADE_BY_ITSELF = (
    *(f"/etc/{name}" for name in ("machine-id", "hostname", "hosts", "resolv.conf", "mtab", ".updated", ".pwd.lock")),
    *(f"/etc/{name}{kept}" for name in ("passwd", "shadow", "group", "gshadow") for kept in ("", "-")),
    *(f"/etc/{name}" for name in ("ld.so.cache", "adjtime", "subuid", "subgid", "subuid-", "subgid-")),
    "/etc/ssh/ssh_host_",
    "/etc/ssh/authorized_keys.d/root",
)
"""What every machine has of its own; accounts and keys are judged one by one."""
_KERNEL_LINKS = ("tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0", "teql0")
_MANAGEMENT = "eth0"
_ALWAYS_LISTENS = {("tcp", 22), ("udp", 123), ("udp", 323)}
_CONTAINER_DNS = "127.0.0.11"
_EPHEMERAL = range(32768, 61000)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between a machine and what is declared."""

    kind: str
    """file, unit, package, account, key, sysctl, port, address, route or listener."""
    what: str
    declared: str
    found: str
    since: float = 0.0
    """Seconds since 1970; 0 where nobody knows."""
    mended: bool = False
    """Whether a deploy puts it back."""


@dataclass(frozen=True, slots=True)
class Expected:
    """All that is declared of one machine."""

    state: State
    node: Mapping
    """Its variables in the inventory: interfaces, ports, routes, services."""
    management: str
    keys: tuple[str, ...]
    """Public keys that may log in as root."""
    image: Mapping
    """What facts.py says of the image; empty where the machine has none."""
    release: Mapping[str, str]
    """Path -> SHA-256 of the running release's files."""


def judge(expected: Expected, facts: Mapping) -> tuple[Finding, ...]:
    """Every difference, in the order in which people look: programs and files, what runs, who may, what is plugged."""
    return (
        *_files(expected, facts["files"]),
        *_units(expected.state, facts["units"]),
        *(_packages(expected.image["packages"], facts["packages"]) if expected.image else ()),
        *(_accounts(expected, facts["accounts"]) if expected.image else ()),
        *_keys(expected.keys, facts["accounts"]),
        *_sysctls(expected.state, facts["sysctls"]),
        *_interfaces(expected, facts["interfaces"]),
        *_routes(expected.node["routes"], facts["routes"]),
        *_listeners(expected.node["services"], facts["listeners"]),
    )


def asked(state: State, release: Iterable[str]) -> dict:
    """What facts.py is to tell for a judgement: the places, units and settings that matter."""
    folders = {str(PurePosixPath(*PurePosixPath(path).parts[:5])) for path in release}
    return {
        "roots": [*ROOTS, *sorted(folders)],
        "paths": sorted(path for path in _wanted_files(state) if not path.startswith(ROOTS)),
        "units": [unit.name for unit in state.every("units")],
        "sysctls": sorted(_settings(state)),
    }


def _files(expected: Expected, found: Mapping[str, Mapping]) -> Iterator[Finding]:
    wanted = _wanted_files(expected.state)
    release = {path: _plain_file(digest) for path, digest in expected.release.items()}
    known = {**expected.image.get("files", {}), **release, **wanted}
    enabled = {unit.name for unit in expected.state.every("units")}
    for path in sorted({*known, *found}):
        is_own = path in wanted
        if path.startswith(_MADE_BY_ITSELF) or _enables(path, found.get(path) or known.get(path) or {}, enabled):
            continue
        if path not in known and not expected.image:
            continue
        yield from _file(path, known.get(path), found.get(path), is_own)


def _file(path: str, wanted: Mapping | None, found: Mapping | None, mended: bool) -> Iterator[Finding]:
    if wanted is None and found is not None:
        if found["kind"] != "folder":
            yield Finding("file", path, "not there", f"a {found['kind']} that nobody declared", found["since"])
    elif found is None and wanted is not None:
        yield Finding("file", path, f"a {wanted['kind']}", "not there", mended=mended)
    elif wanted and found and (wanted["kind"], wanted["holds"]) != (found["kind"], found["holds"]):
        yield Finding("file", path, _content(wanted), f"edited: {_content(found)}", found["since"], mended)
    elif wanted and found and wanted["rights"] != found["rights"]:
        yield Finding("file", path, wanted["rights"], found["rights"], found["since"], mended)


def _content(entry: Mapping) -> str:
    if entry["kind"] == "file":
        return f"SHA-256 {entry['holds'][:12]}"
    return f"a link to {entry['holds']}" if entry["kind"] == "link" else f"a {entry['kind']}"


def _enables(path: str, entry: Mapping, units: set[str]) -> bool:
    """Whether it is a link by which systemd enables or masks a unit that is judged as such."""
    if not path.startswith(_UNITS) or entry.get("kind") != "link":
        return False
    return (PurePosixPath(path) if entry["holds"] == "/dev/null" else PurePosixPath(entry["holds"])).name in units


def _plain_file(digest: str, rights: str = "root:root 0644") -> dict[str, str]:
    return {"kind": "file", "holds": digest, "rights": rights}


def _wanted_files(state: State) -> dict[str, dict]:
    def rights(item) -> str:
        return f"{item.owner}:{item.group} {item.mode}"

    return {
        **{item.path: {"kind": "folder", "holds": "", "rights": rights(item)} for item in state.every("directories")},
        **{
            item.path: _plain_file(sha256(item.content.encode()).hexdigest(), rights(item))
            for item in state.every("files")
        },
        **{item.path: {"kind": "link", "holds": item.target, "rights": ""} for item in state.every("links")},
    }


def _units(state: State, found: Mapping[str, Mapping]) -> Iterator[Finding]:
    declared = {unit.name: unit for unit in state.every("units")}
    for name, unit in declared.items():
        there = found.get(name, {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""})
        stopped = _moment(there.get("InactiveEnterTimestamp"))
        if unit.running and there["ActiveState"] != "active":
            yield Finding("unit", name, "running", there["ActiveState"], stopped, mended=True)
        if unit.enabled and there["UnitFileState"] in ("", "disabled", "masked", "masked-runtime"):
            yield Finding("unit", name, "enabled", there["UnitFileState"] or there["LoadState"], mended=True)
        elif there.get("NeedDaemonReload") == "yes":
            yield Finding("unit", name, "as its files say", "its files changed and systemd was not told", mended=False)
    for name, there in found.items():
        if name not in declared and there["ActiveState"] == "active" and there.get("Transient") == "yes":
            yield Finding("unit", name, "not there", "started by hand", _moment(there.get("ActiveEnterTimestamp")))


def _moment(timestamp: str | None) -> float:
    """Of systemd's `@1763850642`; 0 where it has none."""
    return float(timestamp[1:]) if timestamp and timestamp.startswith("@") else 0.0


def _packages(image: Mapping, found: Mapping) -> Iterator[Finding]:
    for name in sorted({*image, *found}):
        wanted, there = image.get(name), found.get(name)
        if wanted is None:
            yield Finding("package", name, "not in the image", f"version {there['version']}", there["since"])
        elif there is None:
            yield Finding("package", name, f"version {wanted['version']}", "removed")
        elif wanted["version"] != there["version"]:
            declared, since = f"version {wanted['version']}", there["since"]
            yield Finding("package", name, declared, f"version {there['version']}", since)


def _accounts(expected: Expected, found: Mapping) -> Iterator[Finding]:
    ours = {
        each.name: {"uid": each.uid, "shell": "/usr/sbin/nologin", "password": "none", "groups": []}
        for each in expected.state.every("accounts")
    }
    known = {**expected.image["accounts"], **ours}
    for name in sorted({*known, *found}):
        if name not in known:
            yield Finding("account", name, "not there", f"an account with the shell {found[name]['shell']}")
        elif name not in found:
            yield Finding("account", name, "there", "removed", mended=name in ours)
        else:
            for field in ("uid", "shell", "password", "groups"):
                if known[name][field] != found[name][field]:
                    yield Finding("account", name, *(_field(field, each[name][field]) for each in (known, found)))


def _field(field: str, value: object) -> str:
    if field == "password":
        return "no password" if value == "none" else "a password"
    return f"{field} {', '.join(value) or 'none' if isinstance(value, list) else value}"


def _keys(allowed: tuple[str, ...], accounts: Mapping) -> Iterator[Finding]:
    root = {_key(each) for each in allowed}
    for name, account in accounts.items():
        expected = root if name == "root" else set()
        there = {_key(each) for each in account["keys"]}
        for key in sorted(there - expected):
            yield Finding("key", f"{name}: {key[-12:]}", "may not log in", f"may log in as {name}")
        for key in sorted(expected - there):
            yield Finding("key", f"{name}: {key[-12:]}", "the operator's key", "taken away")


def _key(line: str) -> str:
    """The key itself, without its comment; what stands before a key changes what it may do, so it stays."""
    words = line.split()
    kinds = (index for index, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-")))
    return " ".join(words[: next(kinds, len(words)) + 2])


def _settings(state: State) -> dict[str, str]:
    """What the state's sysctl.d files say."""
    lines = (
        line
        for file in state.every("files")
        if file.path.startswith("/etc/sysctl.d/")
        for line in file.content.splitlines()
    )
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _sysctls(state: State, found: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in _settings(state).items():
        if found.get(name) != value:
            yield Finding("sysctl", name, value, found.get(name) or "not known here")


def _interfaces(expected: Expected, found: Mapping[str, Mapping]) -> Iterator[Finding]:
    ports = {each["name"] for each in expected.node["ports"]}
    wanted = {each["name"]: {each["address"]} for each in expected.node["interfaces"]}
    wanted |= {_MANAGEMENT: {expected.management}, "lo": {"127.0.0.1/8", "::1/128"}}
    for name, there in found.items():
        if name not in {*ports, *wanted, *_KERNEL_LINKS}:
            yield Finding("port", name, "not there", f"{_link(there)} that no cable plan knows")
        for address in there["addresses"]:
            if not _has(wanted.get(name, set()), address):
                yield Finding("address", f"{name} {address}", "not there", "an address that nobody declared")
    for name in (each["name"] for each in expected.node["interfaces"]):
        for address in wanted[name]:
            if not _has(set(found.get(name, {}).get("addresses", ())), address):
                yield Finding("address", f"{name} {address}", "there", "taken away")


def _link(there: Mapping) -> str:
    return "a cable's end" if there["kind"] == "veth" else f"an interface of kind {there['kind'] or 'unknown'}"


def _has(wanted: set[str], address: str) -> bool:
    """The management address is declared without its prefix length."""
    return address in wanted or str(ip_interface(address).ip) in wanted


def _routes(declared: Iterable[Mapping], found: Iterable[Mapping]) -> Iterator[Finding]:
    wanted = {(each["destination"], each["gateway"]) for each in declared}
    there = {(each["to"], each["via"]) for each in found if each["dev"] != _MANAGEMENT}
    for to, via in sorted(there - wanted):
        yield Finding("route", to, "not there", f"through {via or 'the link itself'}, which nobody declared")
    for to, via in sorted(wanted - there):
        yield Finding("route", to, f"through {via}", "taken away")


def _listeners(services: Iterable[Mapping], found: Iterable[Mapping]) -> Iterator[Finding]:
    wanted = {("tcp", port) for each in services for port in (each["port"], each["health_port"])}
    wanted |= {("udp", each["port"]) for each in services} | _ALWAYS_LISTENS
    told = set()
    for each in found:
        socket = each["protocol"], each["port"]
        is_client = each["protocol"] == "udp" and each["port"] in _EPHEMERAL
        if socket in wanted or socket in told or is_client or each["address"] == _CONTAINER_DNS:
            continue
        told.add(socket)
        who = each["program"] or each["unit"] or "a program that cannot be named"
        yield Finding(
            "listener", f"{each['protocol']} {each['port']}", "nothing listens", f"{who} listens on {each['address']}"
        )
