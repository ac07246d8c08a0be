"""Commands on many nodes at once: paramiko in threads, pinned host keys, nothing left behind."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import paramiko

from infra.estate.model import Node
from infra.workspace import Workspace

_AT_ONCE = 16
_PATIENCE_S = 15.0


@dataclass(frozen=True)
class Answer:
    """What a node answered; `error` is empty where it answered at all."""

    node: str
    status: int
    out: str
    error: str = ""


def ask(
    workspace: Workspace, nodes: Iterable[Node], command: str, patience_s: float = _PATIENCE_S
) -> dict[str, Answer]:
    """Run `command` on every node and return its answer by node name; a node that is away is an answer too.

    `patience_s` is how long the command itself may be silent.
    """
    key = paramiko.Ed25519Key.from_private_key_file(str(workspace.private_key))
    nodes = tuple(nodes)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = pool.map(lambda node: _ask(workspace, key, node, command, patience_s), nodes)
        return {answer.node: answer for answer in answers}


def _ask(workspace: Workspace, key: paramiko.PKey, node: Node, command: str, patience_s: float) -> Answer:
    with paramiko.SSHClient() as client:
        try:
            client.load_host_keys(str(workspace.known_hosts))
            client.connect(
                str(node.management),
                username="root",
                pkey=key,
                timeout=_PATIENCE_S,
                banner_timeout=_PATIENCE_S,
                allow_agent=False,
                look_for_keys=False,
            )
            _, out, err = client.exec_command(command, timeout=patience_s)
            text, trouble = out.read().decode(), err.read().decode()
            return Answer(node.name, out.channel.recv_exit_status(), text, "" if text else trouble.strip())
        except (OSError, paramiko.SSHException) as error:
            return Answer(node.name, -1, "", f"no answer over SSH at {node.management}: {error}")
