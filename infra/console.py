"""scripts/shell: a shell in the checkout where pulumi, ansible-playbook and docker work on the estate.

Examples:
  scripts/shell -c 'pulumi preview -s 2017-s09'
  scripts/shell -c 'ansible-playbook -i $ETAPE_HOME/inventory/2017-s09.json playbooks/check.yml'

`scripts/stage up` makes a stack's state before it makes the stack; for one that was never up, `pulumi stack init
2017-s09` does that. A stage is plugged into its core: 2017-core comes first.
"""

import argparse
import os
import sys

from infra.engine import Engine, StateError
from infra.workspace import Toolbox, Workspace

_WELCOME = """Etape's shell: pulumi, ansible-playbook and docker work on the estate; `exit` leaves.
A stack that was never up is unknown to pulumi: `scripts/stage up` or `pulumi stack init` makes it first."""


def main(arguments: list[str]) -> None:
    """Become the shell or the command; never returns."""
    command = _parser().parse_args(arguments).command
    workspace = Workspace.from_environment()
    os.environ.update(_environment(workspace))
    os.chdir(workspace.root)
    if command is not None:
        os.execl("/bin/sh", "sh", "-c", command)
    print(_WELCOME, file=sys.stderr)
    shell = os.environ.get("SHELL", "/bin/sh")
    os.execl(shell, shell)


def _environment(workspace: Workspace) -> dict[str, str]:
    """The engine's, with the guard in front: a person's `pulumi stack rm` would take a stack's history with it."""
    try:
        environment = Engine(workspace, Toolbox.read(workspace)).environment()
    except StateError as error:
        sys.exit(f"shell: {error}")
    guard = workspace.root / "infra/guard"
    return {**environment, "PATH": os.pathsep.join([str(guard), environment["PATH"]])}


def _parser() -> argparse.ArgumentParser:
    head, more = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        "scripts/shell", description=head, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-c", dest="command", metavar="COMMAND", help="run this command instead")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
