"""Takes a node's conditions from its roles' `desired.yml` and lets the node look at all of them in one call."""

import time

from ansible.plugins.action import ActionBase
from ansible_collections.etape.node.plugins.plugin_utils.render import CONDITIONS, Renderer


class ActionModule(ActionBase):
    """`etape.node.conditions`: `facet` is requires, checks or drained; `wait_s` bounds the patience."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Render the conditions and hand them to the module."""
        super().run(tmp, task_vars)
        variables = {**(task_vars or {}), "controller_clock": time.time()}
        _, arguments = self.validate_argument_spec(
            {
                "roles": {"type": "list", "elements": "str", "required": True},
                "facet": {"choices": list(CONDITIONS), "required": True},
                "wait_s": {"type": "float", "default": 0.0},
            }
        )
        conditions = Renderer(self._templar, variables).conditions(arguments["roles"], arguments["facet"])
        if not conditions:
            return {"changed": False, "looked_at": 0, "troubles": []}
        given = {"conditions": conditions, "wait_s": arguments["wait_s"]}
        result = self._execute_module("etape.node.conditions", module_args=given, task_vars=variables)
        result.pop("invocation", None)
        return result
