#!/usr/bin/python
"""Ansible module: see DOCUMENTATION."""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.etape.node.plugins.module_utils.conditions import inspect
from ansible_collections.etape.node.plugins.module_utils.machine import Machine

DOCUMENTATION = r"""
module: conditions
short_description: Look whether conditions hold on a node
description:
  - Changes nothing. In playbooks the action plugin of the same name takes the conditions from the roles'
    C(desired.yml).
options:
  conditions:
    description: One mapping a condition, with C(role), C(kind) and what the kind needs.
    type: list
    elements: dict
    required: true
  wait_s:
    description: How long to look again at what does not hold yet.
    type: float
    default: 0
"""

RETURN = r"""
looked_at:
  description: Number of conditions.
  type: int
  returned: always
troubles:
  description: A sentence for each condition that does not hold.
  type: list
  returned: always
"""


def main() -> None:
    """Look, and fail with every trouble at once."""
    module = AnsibleModule(
        argument_spec={
            "conditions": {"type": "list", "elements": "dict", "required": True},
            "wait_s": {"type": "float", "default": 0.0},
        },
        supports_check_mode=True,
    )
    try:
        findings = inspect(module.params["conditions"], Machine(), module.params["wait_s"])
    except ValueError as error:
        module.fail_json(msg=str(error), looked_at=0, troubles=[str(error)])
    troubles = [f"{finding.role}: {finding.trouble}" for finding in findings if finding.trouble]
    if troubles:
        module.fail_json(msg="; ".join(troubles), looked_at=len(findings), troubles=troubles)
    module.exit_json(changed=False, looked_at=len(findings), troubles=[])


if __name__ == "__main__":
    main()
