"""The environment in which plain `pulumi` and `ansible-playbook` work: python3 -m tools.shell [-c COMMAND]."""

import argparse
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.workspace import Toolbox, Workspace

EXAMPLE = """example:
  scripts/shell -c 'pulumi preview -s 2017-s09'
  scripts/shell                                     then: ansible-playbook playbooks/check.yml
"""


def main(arguments: Sequence[str]) -> int:
    """Become the shell or the command; returns only where the set-up has not run."""
    parser = argparse.ArgumentParser(
        "scripts/shell",
        description="Open a shell in the checkout where pulumi, ansible-playbook and docker work on the estate.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-c", dest="command", metavar="COMMAND", help="run this command instead")
    command = parser.parse_args(arguments).command
    workspace = Workspace.from_environment()
    shell = os.environ.get("SHELL", "/bin/sh")
    os.chdir(workspace.root)
    os.environ.update(environment(workspace, Toolbox.read(workspace), os.environ))
    if command is None:
        print("Etape's shell: pulumi, ansible-playbook and docker work on the estate; `exit` leaves.", file=sys.stderr)
        os.execl(shell, shell)
    os.execl("/bin/sh", "sh", "-c", command)


def environment(workspace: Workspace, toolbox: Toolbox, outside: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment outside. Makes the operator's state folder and passphrase where missing."""
    state, passphrase = workspace.home / "state", workspace.home / "passphrase"
    state.mkdir(parents=True, exist_ok=True)
    _make_passphrase(passphrase)
    return {
        "PATH": os.pathsep.join((*toolbox.path, outside.get("PATH", os.defpath))),
        "DOCKER_HOST": toolbox.docker_host,
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def _make_passphrase(file: Path) -> None:
    """Linked into place when whole, so that no crash and no second shell leaves two secrets, or half a one."""
    if file.exists():
        return
    fresh = file.with_name(f".passphrase.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(32))
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
