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

Note = Callable[[str], None]
_SHOWN_FAILURES = 5
_BAD = ("runner_on_failed", "runner_on_unreachable")


@dataclass(frozen=True)
class Recap:
    """What a playbook did: number of hosts, and of hosts on which something changed."""

    hosts: int
    changed: int


def run_playbook(
    workspace: Workspace,
    verb: str,
    stacks: tuple[str, ...],
    note: Note = lambda text: None,
    extra: dict | None = None,
    limit: str | None = None,
) -> Recap:
    """Run `playbooks/<verb>.yml` on the inventories of `stacks`.

    Raises Failure naming the hosts that failed and what they said; the whole log stays in ETAPE_HOME/logs.
    """
    troubles: list[str] = []

    def heard(kind: str, data: dict) -> None:
        if kind in _BAD and not data.get("ignore_errors"):
            troubles.append(f"{data['host']}: {_reason(data.get('res', {}))}")

    log, result = _play(workspace, verb, stacks, note, extra, limit, heard)
    if result.rc != 0 or troubles:
        raise Failure(_summary(verb, troubles), f"read {_stdout(log)}, mend the cause and run the command again")
    stats = result.stats or {}
    return Recap(hosts=len(stats.get("processed", {})), changed=len(stats.get("changed", {})))


def ask_playbook(
    workspace: Workspace, verb: str, stacks: tuple[str, ...], note: Note, extra: dict, limit: str | None = None
) -> dict[str, dict | str]:
    """Run a playbook of one task that only looks; by host its result, or why it has none.

    Raises Failure where no host was reached because the playbook itself is wrong.
    """
    told: dict[str, dict | str] = {}

    def heard(kind: str, data: dict) -> None:
        if kind == "runner_on_ok":
            told[data["host"]] = data["res"]
        elif kind in _BAD:
            told[data["host"]] = _reason(data.get("res", {}))

    log, _ = _play(workspace, verb, stacks, note, extra, limit, heard)
    if not told:
        raise Failure(_summary(verb, []), f"read {_stdout(log)}, mend the cause and run the command again")
    return told


def _play(
    workspace: Workspace,
    verb: str,
    stacks: tuple[str, ...],
    note: Note,
    extra: dict | None,
    limit: str | None,
    heard: Callable[[str, dict], None],
) -> tuple[Path, ansible_runner.Runner]:
    """Run it to its end; its log's folder, and the runner. `heard` gets each event's kind and data."""
    log = workspace.home / "logs" / f"ansible-{verb}"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir(parents=True)

    def follow(event: dict) -> bool:
        kind, data = event["event"], event.get("event_data", {})
        if kind == "playbook_on_task_start":
            note(data.get("task", ""))
        heard(kind, data)
        return True

    return log, ansible_runner.run(
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
        event_handler=follow,
        quiet=True,
        settings={"suppress_ansible_output": True},
    )


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
