#!/usr/bin/python
"""Ansible module: see DOCUMENTATION."""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.etape.node.plugins.module_utils.converge import Change, converge, wipe
from ansible_collections.etape.node.plugins.module_utils.desired import Mistakes, parse_state
from ansible_collections.etape.node.plugins.module_utils.machine import Machine, MachineError

DOCUMENTATION = r"""
module: state
short_description: Bring a node to its desired state, or take away all that is ours
description:
  - Applies accounts, folders, files, links and units of all roles of a node in one call. Only what differs is
    written, files at once, units restart only when a file of theirs changed.
  - A run that was killed is completed by the next one.
  - In playbooks the action plugin of the same name renders I(roles) from the roles' C(desired.yml) and calls
    the module only where the node differs.
options:
  roles:
    description: Rendered desired state, one entry a role, in the order in which it is applied.
    type: list
    elements: dict
    default: []
  state:
    description: C(absent) stops and removes all that was ever applied.
    choices: [present, absent]
    default: present
    type: str
"""

EXAMPLES = r"""
- etape.node.state:
    roles: "{{ etape.roles }}"   # names: the action plugin renders them
"""

RETURN = r"""
changes:
  description: What differed, one sentence each, with its role.
  type: list
  returned: always
"""


def main() -> None:
    """Read the arguments, do it, and say what changed."""
    module = AnsibleModule(
        argument_spec={
            "roles": {"type": "list", "elements": "dict", "default": []},
            "state": {"choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    machine = Machine()
    try:
        with machine.alone():
            if module.params["state"] == "absent":
                changes = wipe(machine, only_look=module.check_mode)
            else:
                changes = converge(parse_state(module.params["roles"]), machine, only_look=module.check_mode)
    except (Mistakes, MachineError, OSError) as error:
        module.fail_json(msg=str(error))
    answer = {"diff": [_difference(change) for change in changes]} if module._diff else {}
    module.exit_json(changed=bool(changes), changes=[_sentence(change) for change in changes], **answer)


def _sentence(change: Change) -> str:
    return f"{change.role}: {change.sentence}"


def _difference(change: Change) -> dict[str, str]:
    title = _sentence(change)
    if not change.before and not change.after:
        return {"prepared": title + "\n"}
    return {"before_header": title, "after_header": title, "before": change.before, "after": change.after}


if __name__ == "__main__":
    main()
