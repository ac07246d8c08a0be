"""Runs the playbooks through ansible-runner and turns what they say into progress and one sentence."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ansible_runner

from infra.day.outcome import Failure
from infra.workspace import Workspace

_SHOWN_FAILURES = 5


@dataclass(frozen=True)
class Recap:
    """What a playbook did: number of hosts, and of hosts on which something changed."""

    hosts: int
    changed: int


def run_playbook(
    workspace: Workspace,
    verb: str,
    stacks: tuple[str, ...],
    note: Callable[[str], None] = lambda text: None,
    extra: dict | None = None,
    limit: str | None = None,
) -> Recap:
    """Run `playbooks/<verb>.yml` on the inventories of `stacks`.

    Raises Failure naming the hosts that failed and what they said; the whole log stays in ETAPE_HOME/logs.
    """
    log = workspace.home / "logs" / f"ansible-{verb}"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir(parents=True)
    troubles: list[str] = []

    def heard(event: dict) -> bool:
        kind, data = event["event"], event.get("event_data", {})
        if kind == "playbook_on_task_start":
            note(data.get("task", ""))
        elif kind in ("runner_on_failed", "runner_on_unreachable") and not data.get("ignore_errors"):
            troubles.append(f"{data['host']}: {_reason(data.get('res', {}))}")
        return True

    result = ansible_runner.run(
        private_data_dir=str(log),
        project_dir=str(workspace.root),
        playbook=f"playbooks/{verb}.yml",
        inventory=[str(workspace.inventory(stack)) for stack in stacks],
        extravars=extra or {},
        limit=limit,
        envvars={
            "ANSIBLE_CONFIG": str(workspace.root / "ansible.cfg"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        },
        event_handler=heard,
        quiet=True,
        settings={"suppress_ansible_output": True},
    )
    if result.rc != 0 or troubles:
        raise Failure(_summary(verb, troubles), f"read {_stdout(log)}, mend the cause and run the command again")
    stats = result.stats or {}
    return Recap(hosts=len(stats.get("processed", {})), changed=len(stats.get("changed", {})))


def _reason(res: dict) -> str:
    text = res.get("msg") or res.get("stderr") or res.get("module_stderr") or "no reason given"
    return " ".join(str(text).split())[:400]


def _summary(verb: str, troubles: list[str]) -> str:
    if not troubles:
        return f"the playbook {verb} did not run"
    more = len(troubles) - _SHOWN_FAILURES
    lines = troubles[:_SHOWN_FAILURES] + ([f"and {more} more"] if more > 0 else [])
    return f"the playbook {verb} failed on {len(troubles)} node(s):\n    " + "\n    ".join(lines)


def _stdout(log: Path) -> Path:
    return next(log.glob("artifacts/*/stdout"), log)
