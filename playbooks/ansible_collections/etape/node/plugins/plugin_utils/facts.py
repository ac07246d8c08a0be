"""Says what a machine is, as JSON; runs on the machine itself, with nothing but Python's standard library.

    python3 -I - '{"roots": ["/etc"], "paths": [], "units": ["chrony.service"], "sysctls": []}' < facts.py

Judges nothing and changes nothing. The same program tells what an image holds, so that both can be compared.
"""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys

DPKG = "/var/lib/dpkg"
UNIT_PROPERTIES = (
    "Id,LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,Transient,"
    "ActiveEnterTimestamp,InactiveEnterTimestamp"
)
COMPILED = "__pycache__"
"""Python writes these by itself."""


def text(path: str) -> str:
    """Of a file; empty where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def output(*command: str) -> str:
    """Of a command; empty where it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def files(roots: list, paths: list) -> dict:
    """Of `paths`, and of all that is below `roots`: what it holds, its rights, and when it last changed."""
    places = [*paths, *roots]
    for root in roots:
        for folder, folders, names in () if os.path.islink(root) else os.walk(root):
            folders[:] = [name for name in folders if name != COMPILED]
            places += [os.path.join(folder, name) for name in (*folders, *names)]
    found = {}
    for place in places:
        with contextlib.suppress(OSError):
            found[place] = entry(place)
    return found


def entry(path: str) -> dict:
    """Of one path; OSError where it has just gone."""
    info = os.lstat(path)
    told = {"rights": rights(info), "since": info.st_mtime}
    if stat.S_ISLNK(info.st_mode):
        return {"kind": "link", "holds": os.readlink(path), "rights": "", "since": info.st_mtime}
    if stat.S_ISDIR(info.st_mode):
        return {"kind": "folder", "holds": "", **told}
    if not stat.S_ISREG(info.st_mode):
        return {"kind": "special", "holds": "", **told}
    with open(path, "rb") as file:
        return {"kind": "file", "holds": hashlib.sha256(file.read()).hexdigest(), **told}


def rights(info: os.stat_result) -> str:
    """As `root:etape 0640`."""
    owner, group = str(info.st_uid), str(info.st_gid)
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(info.st_uid).pw_name
    with contextlib.suppress(KeyError):
        group = grp.getgrgid(info.st_gid).gr_name
    return f"{owner}:{group} {stat.S_IMODE(info.st_mode):04o}"


def packages() -> dict:
    """Version and time of installation of every installed package."""
    found = {}
    for block in text(f"{DPKG}/status").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Status", "").endswith(" installed"):
            name, times = fields["Package"], []
            for each in (f"{name}.list", f"{name}:{fields['Architecture']}.list"):
                with contextlib.suppress(OSError):
                    times.append(os.stat(f"{DPKG}/info/{each}").st_mtime)
            found[name] = {"version": fields["Version"], "since": max(times, default=0.0)}
    return found


def accounts() -> dict:
    """What matters of every account: number, shell, whether and with which password, its groups."""
    secrets = {line.split(":")[0]: line.split(":")[1] for line in text("/etc/shadow").splitlines() if ":" in line}
    members = {}
    for group in grp.getgrall():
        for member in group.gr_mem:
            members.setdefault(member, []).append(group.gr_name)
    return {
        each.pw_name: {
            "uid": each.pw_uid,
            "shell": each.pw_shell,
            "password": password(secrets.get(each.pw_name, "")),
            "groups": sorted(members.get(each.pw_name, [])),
            "keys": keys(each.pw_name, each.pw_dir),
        }
        for each in pwd.getpwall()
    }


def password(secret: str) -> str:
    """`none`, `empty`, or a short digest: that it was changed can be seen, what it is cannot."""
    if secret[:1] in ("!", "*"):
        return "none"
    return hashlib.sha256(secret.encode()).hexdigest()[:12] if secret else "empty"


def keys(name: str, home: str) -> list:
    """The public keys that may log in: where this estate keeps them, and where a machine's own sshd would look."""
    estate, own = f"/etc/ssh/authorized_keys.d/{name}", f"{home}/.ssh/authorized_keys"
    files = (estate, f"{estate}.operators", own, f"{own}2")
    lines = (line.strip() for file in files for line in text(file).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def units(names: list) -> dict:
    """The units of `names`, and every other that runs or failed, in systemd's own words."""
    command = ("systemctl", "show", "--timestamp=unix", f"--property={UNIT_PROPERTIES}", "--")
    found = {}
    for block in output(*command, *names, "*.service", "*.timer", "*.socket", "*.path").split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if fields.get("Id"):
            found[fields["Id"]] = fields
    return found


def interfaces() -> dict:
    """Every network interface with its addresses; `peer` is the far end of a veth pair."""
    found = {}
    for each in json.loads(output("ip", "-json", "-details", "address") or "[]"):
        found[each["ifname"]] = {
            "kind": each.get("linkinfo", {}).get("info_kind", each.get("link_type", "")),
            "peer": each.get("link_index"),
            "alias": each.get("ifalias", ""),
            "addresses": [f"{ip['local']}/{ip['prefixlen']}" for ip in each["addr_info"] if ip["scope"] != "link"],
        }
    return found


def routes() -> list:
    """Routes that the kernel did not make by itself."""
    listed = json.loads(output("ip", "-json", "-4", "route") or "[]")
    return [
        {"to": each["dst"], "via": each.get("gateway", ""), "dev": each.get("dev", "")}
        for each in listed
        if each.get("protocol") != "kernel"
    ]


def listeners() -> list:
    """Every listening TCP and bound UDP socket with the program and the unit that holds it."""
    found = []
    for line in output("ss", "--no-header", "--listening", "--numeric", "--tcp", "--udp", "--processes").splitlines():
        fields = line.split()
        address, port = fields[4].rsplit(":", 1)
        program, process = holder(fields[6] if len(fields) > 6 else "")
        unit = text(f"/proc/{process}/cgroup").strip().rpartition("/")[2] if process else ""
        found.append({"protocol": fields[0], "address": address, "port": int(port), "program": program, "unit": unit})
    return found


def holder(users: str) -> tuple:
    """Program and process from ss's `users:(("sshd",pid=72,fd=3))`."""
    if "pid=" not in users:
        return "", ""
    return users.split('"')[1], users.split("pid=")[1].split(",")[0]


def tell(asked: dict) -> dict:
    """Everything."""
    return {
        "files": files(asked["roots"], asked["paths"]),
        "packages": packages(),
        "accounts": accounts(),
        "units": units(asked["units"]),
        "interfaces": interfaces(),
        "routes": routes(),
        "listeners": listeners(),
        "sysctls": {name: text("/proc/sys/" + name.replace(".", "/")).strip() for name in asked["sysctls"]},
    }


if __name__ == "__main__":
    print(json.dumps(tell(json.loads(sys.argv[1]))))
