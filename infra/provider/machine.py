"""A machine that is ready: systemd has started, SSH answers, its host key is known for certain."""

import socket
import time
from collections.abc import Callable

from infra.docker_engine import DockerEngine
from infra.provider.kernel import Kernel
from infra.provider.plugin import Kind, Made, Properties, ProviderError

_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"
_PATIENCE_S = 180.0
_PAUSE_S = 0.25
_SSH_PORT = 22


def ssh_answers(address: str) -> bool:
    """Whether an SSH server greets there."""
    try:
        with socket.create_connection((address, _SSH_PORT), timeout=2.0) as connection:
            connection.settimeout(2.0)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


class MachineKind(Kind):
    """Inputs `node`, `container`, `address`.

    Outputs: `host_key`, the machine's ed25519 public key, read from its disk through Docker and not over the
    network that it is to protect; `condition`, `running` or `degraded:` with the units that failed.
    """

    token = "etape:index:Machine"
    outputs = ("host_key", "condition")
    identity = frozenset({"node"})

    def __init__(
        self,
        docker: DockerEngine,
        kernel: Kernel,
        ssh_answers: Callable[[str], bool] = ssh_answers,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._docker = docker
        self._kernel = kernel
        self._ssh_answers = ssh_answers
        self._patience_s = patience_s

    def create(self, name: str, inputs: Properties) -> Made:
        return Made(inputs["node"], self._await(inputs))

    def update(self, state: Properties, inputs: Properties) -> Properties:
        return self._await(inputs)

    def read(self, state: Properties) -> Properties | None:
        return state if self._docker.container(state["container"]) else None

    def delete(self, state: Properties) -> None:
        """It goes with its container."""

    def _await(self, inputs: Properties) -> Properties:
        node, deadline = inputs["node"], time.monotonic() + self._patience_s
        missing = self._missing(inputs)
        while missing:
            if time.monotonic() > deadline:
                raise ProviderError(
                    f"{node} is not ready after {self._patience_s:.0f} s: {missing}. Look inside with `docker exec -it "
                    f"{inputs['container'][:12]} journalctl -b`, then run the same command again"
                )
            time.sleep(_PAUSE_S)
            missing = self._missing(inputs)
        return {"host_key": self._host_key(inputs), "condition": self._condition(inputs)}

    def _missing(self, inputs: Properties) -> str:
        """What the machine still lacks, in words; empty when it is ready."""
        container = self._docker.container(inputs["container"])
        if container is None or not container.pid:
            raise ProviderError(f"{inputs['node']} stopped while it was starting: see `docker logs` of its container")
        if not self._ssh_answers(inputs["address"]):
            return f"no SSH server answers at {inputs['address']}"
        state = self._kernel.systemd(container.pid)
        if state not in ("running", "degraded"):
            return f"systemd is {state}"
        return "" if self._host_key(inputs) else f"{_HOST_KEY} does not exist"

    def _host_key(self, inputs: Properties) -> str:
        """Type and key, without the comment."""
        text = self._docker.file(inputs["container"], _HOST_KEY)
        return " ".join(text.split()[:2]) if text else ""

    def _condition(self, inputs: Properties) -> str:
        container = self._docker.container(inputs["container"])
        failed = self._kernel.failed_units(container.pid) if container else []
        return f"degraded: {', '.join(failed)}" if failed else "running"
