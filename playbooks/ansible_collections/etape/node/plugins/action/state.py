"""Renders a node's whole desired state once, and calls the module only where the node differs."""

import shlex
from hashlib import sha256

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.etape.node.plugins.module_utils.desired import Mistakes, State, parse_state
from ansible_collections.etape.node.plugins.module_utils.record import APPLIED, SUMS
from ansible_collections.etape.node.plugins.plugin_utils.render import Renderer


class ActionModule(ActionBase):
    """`etape.node.state`: `roles` are names; `release` is the archive that the state needs on the node."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Render, compare by one command, and apply where needed."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _, arguments = self.validate_argument_spec(
            {
                "roles": {"type": "list", "elements": "str", "default": []},
                "release": {"type": "path"},
                "state": {"choices": ["present", "absent"], "default": "present"},
            }
        )
        if arguments["state"] == "absent":
            return self._module({"state": "absent"}, variables)
        rendered = self._render(arguments["roles"], variables)
        if self._is_reached(rendered[1]):
            return {"changed": False, "changes": []}
        if arguments["release"] and not self._task.check_mode:
            pulled = self._pull(arguments["release"], variables)
            if pulled.get("failed"):
                return pulled
        return self._module({"roles": rendered[0]}, variables)

    def _render(self, roles: list[str], variables: dict) -> tuple[list[dict], State]:
        rendered = Renderer(self._templar, variables).state(roles)
        try:
            return rendered, parse_state(rendered)
        except Mistakes as mistakes:
            raise AnsibleError("the desired state is wrong: " + "; ".join(mistakes.sentences)) from None

    def _is_reached(self, state: State) -> bool:
        """Whether the node says that this very state was applied, its files are intact and its units run."""
        return self._low_level_execute_command(probe(state), sudoable=False)["rc"] == 0

    def _pull(self, release: str, variables: dict) -> dict:
        task = self._task.copy()
        task.args = {"archive": release}
        action = self._shared_loader_obj.action_loader.get(
            "etape.node.release",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return action.run(task_vars=variables)

    def _module(self, arguments: dict, variables: dict) -> dict:
        result = self._execute_module("etape.node.state", module_args=arguments, task_vars=variables)
        result.pop("invocation", None)
        return result


def probe(state: State) -> str:
    """A shell command that succeeds only on a node that has reached `state`."""
    running = [shlex.quote(unit.name) for unit in state.every("units") if unit.running]
    enabled = [shlex.quote(unit.name) for unit in state.every("units") if unit.enabled]
    rights = {item.path: item for what in ("directories", "files") for item in state.every(what)}
    tests = [
        f'[ "$(cat {APPLIED} 2>/dev/null)" = {state.digest()} ]',
        f"sha256sum --check --status {SUMS}",
        *(f'[ "$(readlink {shlex.quote(link.path)})" = {shlex.quote(link.target)} ]' for link in state.every("links")),
        *(f"[ -d {shlex.quote(directory.path)} ]" for directory in state.every("directories")),
    ]
    if rights:
        lines = "".join(f"{item.owner}:{item.group} {int(item.mode, 8):o} {path}\n" for path, item in rights.items())
        listed = f"stat --format='%U:%G %a %n' {' '.join(map(shlex.quote, rights))}"
        tests.append(f'[ "$({listed} | sha256sum)" = "{sha256(lines.encode()).hexdigest()}  -" ]')
    if enabled:
        wrong = "disabled|masked|masked-runtime"
        tests.append(
            f"! systemctl is-enabled {' '.join(enabled)} | grep --quiet --extended-regexp --line-regexp '{wrong}'"
        )
    if running:
        tests.append(f"! systemctl is-active {' '.join(running)} | grep --quiet --invert-match --line-regexp active")
    return " && ".join(tests)
