"""Exit 0 where the stack may be removed, 2 where its history would be lost."""

import sys

from infra.backend import Backend
from infra.checkpoint import read_history
from infra.engine_error import StateError
from infra.evidence.seasons import Evidence
from infra.guard import is_kept, stack_to_remove
from infra.workspace import Workspace


def main(arguments: list[str]) -> int:
    """`arguments` are Pulumi's."""
    if {"-h", "--help"} & set(arguments):
        return 0
    stack = stack_to_remove(arguments)
    if not stack:
        return _refuse("`pulumi stack rm` names no stack", "name it: `pulumi stack rm 2017-s09`")
    workspace = Workspace.from_environment()
    try:
        history = read_history(Backend.of(workspace.home).objects, stack)
    except StateError as error:
        return _refuse(error.sentence, error.advice)
    if is_kept(stack, history, Evidence(workspace).log(stack).entries()):
        return 0
    return _refuse(
        f"`pulumi stack rm` deletes the history of {stack}, and the evidence log does not hold all of its"
        f" {len(history)} operations",
        f"keep them first with `scripts/stage keep {stack}`, then run the same command again",
    )


def _refuse(sentence: str, remedy: str) -> int:
    print(f"pulumi: {sentence}\n  To go on: {remedy}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
