"""The image of a lab node: Debian with systemd, what every node runs, and the runtime of our services.

Built by mmdebstrap from Debian's packages, so that no image registry is needed. `tools/image` holds its packages and
the files that are laid over them.
"""

import platform
import shutil
from pathlib import Path

from infra.workspace import Workspace
from tools.setup.docker import docker_host
from tools.setup.engines import NATS, OBJECT_STORE
from tools.setup.python import install_into
from tools.setup.shell import Shell, answer
from tools.setup.step import Stamp, Step, fingerprint, scratch

RECIPE = "tools/image"
RUNTIME_PINS = "services/requirements.lock"
SUITE = "bookworm"
TAG = "etape/lab-node"
LABEL = "etape.image=lab-node"
KEPT = 3
"""Images of so many recipes stay: checkouts that differ share an engine."""
IMPORT = ('CMD ["/sbin/lab-init"]', "ENV container=docker", f"LABEL {LABEL}")
"""`container=docker` tells systemd where it runs."""


def lab_image(workspace: Workspace) -> Step:
    """Build the image and import it into the engine; it is known by its full id."""
    stamp = _stamp(workspace)

    def done() -> bool:
        image = image_id(workspace)
        return bool(image) and _inspect(docker_host(workspace), image) == image

    def make(shell: Shell) -> None:
        with scratch(workspace.cache / "build") as folder:
            build_root(shell, workspace, folder / "root")
            shell.run("tar", "--numeric-owner", "-C", folder / "root", "-cf", folder / "root.tar", ".")
            shutil.rmtree(folder / "root")
            docker = ("docker", "--host", docker_host(workspace))
            changes = [word for change in IMPORT for word in ("--change", change)]
            tag = f"{TAG}:{stamp.inputs()[:12]}"
            stamp.write(image=shell.run(*docker, "import", *changes, folder / "root.tar", tag).strip())
        known = shell.run(*docker, "image", "ls", "--quiet", "--filter", f"label={LABEL}").split()
        for old in known[KEPT:]:
            shell.try_run(*docker, "image", "rm", old)  # stays while a node runs on it

    return Step("image", "Lab node's image", done, make, disk_mb=4000, seconds=150)


def image_id(workspace: Workspace) -> str:
    """Full id of the image for the recipe as it is now, empty where it has not been built."""
    return _stamp(workspace).facts().get("image", "")


def build_root(shell: Shell, workspace: Workspace, root: Path) -> None:
    """Lay out a node's whole file system in `root`."""
    recipe = workspace.root / RECIPE
    names = [line.split("#")[0].strip() for line in (recipe / "packages.txt").read_text().splitlines()]
    include = ",".join(filter(None, names))
    early = f"--essential-hook=copy-in {recipe}/before/crowdsec /etc"  # what a package asks for while it is installed
    debootstrap = ("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={include}", early)
    shell.run(*debootstrap, SUITE, root, *(("-",) if (mirrors := host_mirrors()) else ()), stdin=mirrors)
    runtime(shell, workspace, root)
    for program in (NATS, OBJECT_STORE):
        (root / "opt/etape/bin").mkdir(parents=True, exist_ok=True)
        shutil.copy(program.executable(workspace), root / "opt/etape/bin")
    shutil.copytree(recipe / "files", root, dirs_exist_ok=True)
    settle(shell, root, (recipe / "masked.txt").read_text().split())


def host_mirrors() -> str:
    """The Debian mirrors of this machine as lines of a sources.list; empty where it has none for the suite."""
    line = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    told = answer("apt-get", "indextargets", "--format", line, "Created-By: Packages", "Origin: Debian") or ""
    lines = sorted({text for text in told.splitlines() if text.split()[2].startswith(SUITE)})
    return "\n".join(lines) if any(f" {SUITE} main" in text for text in lines) else ""


def runtime(shell: Shell, workspace: Workspace, root: Path) -> None:
    """The environment that services run in, at /opt/etape/runtime; compiled, so that 80 nodes need not."""
    inside = ("chroot", root)
    shell.run(*inside, "python3", "-m", "venv", "--without-pip", "/opt/etape/runtime")
    packages = "opt/etape/runtime/lib/python3.11/site-packages"
    target = ("--python-version", "3.11", "--python-platform", f"{platform.machine()}-manylinux_2_36")
    install_into(shell, workspace, RUNTIME_PINS, root / packages, *target, "--only-binary", ":all:")
    shutil.rmtree(root / packages / "bin", ignore_errors=True)
    shell.run(*inside, "python3", "-m", "compileall", "-q", "-j", "0", f"/{packages}")


def settle(shell: Shell, root: Path, masked: list[str]) -> None:
    """What every node must have of its own is left to its first start; what only costs time never starts."""
    inside = ("chroot", root)
    shell.run(*inside, "systemctl", "preset-all")
    shell.run(*inside, "systemctl", "mask", *masked)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (root / "etc/machine-id").write_text("")
    for leftover in ("etc/hostname", "etc/resolv.conf"):
        (root / leftover).unlink(missing_ok=True)
    for cached in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / cached, ignore_errors=True)


def _stamp(workspace: Workspace) -> Stamp:
    programs = (program.stamp(workspace).inputs() for program in (NATS, OBJECT_STORE))
    sources = (workspace.root / RECIPE, workspace.root / RUNTIME_PINS, Path(__file__))
    recipe = fingerprint(*sources, *programs)
    return Stamp(workspace.cache / "stamps" / f"image-{recipe[:12]}.json", lambda: recipe)


def _inspect(host: str, image: str) -> str | None:
    return answer("docker", "--host", host, "image", "inspect", "--format", "{{.Id}}", image)
