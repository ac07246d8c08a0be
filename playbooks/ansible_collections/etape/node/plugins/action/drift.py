"""Finds what differs on a machine from what is declared of it; nothing is changed, nothing is installed for it."""

import json
import shlex
import tarfile
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible_collections.etape.node.plugins.module_utils.desired import parse_state
from ansible_collections.etape.node.plugins.plugin_utils import facts
from ansible_collections.etape.node.plugins.plugin_utils.drift import Expected, asked, judge
from ansible_collections.etape.node.plugins.plugin_utils.releases import FOLDER, release_name
from ansible_collections.etape.node.plugins.plugin_utils.render import Renderer


class ActionModule(ActionBase):
    """`etape.node.drift`: `roles` are names, `release` an archive, `image` a file with what facts.py says of the
    machine's image (empty where it has none), `keys` the public keys that may log in.
    """

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Render what is declared, let the machine tell what it is, and judge here: the node is not its own judge."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        _, arguments = self.validate_argument_spec(
            {
                "roles": {"type": "list", "elements": "str", "required": True},
                "release": {"type": "path", "required": True},
                "image": {"type": "path"},
                "keys": {"type": "list", "elements": "str", "required": True},
            }
        )
        expected = Expected(
            state=parse_state(Renderer(self._templar, variables).state(arguments["roles"])),
            node=variables["etape"],
            management=variables["ansible_host"],
            keys=tuple(arguments["keys"]),
            image=json.loads(Path(arguments["image"]).read_text()) if arguments["image"] else {},
            release=release_files(Path(arguments["release"])),
        )
        question = shlex.quote(json.dumps(asked(expected.state, expected.release)))
        program = Path(facts.__file__).read_bytes()
        told = self._low_level_execute_command(f"python3 -I - {question}", in_data=program, sudoable=False)
        if told["rc"] != 0:
            return {"failed": True, "msg": f"the machine does not tell what it is: {told['stderr'].strip()[-300:]}"}
        found = judge(expected, json.loads(told["stdout"]))
        return {"changed": False, "findings": [asdict(each) for each in found]}


def release_files(archive: Path) -> dict[str, str]:
    """Path on a machine -> SHA-256 of every file of a release."""
    folder = f"{FOLDER}/{release_name(archive)}"
    with tarfile.open(archive) as packed:
        members = [each for each in packed if each.isfile() and facts.COMPILED not in each.name]
        return {
            f"{folder}/{each.name.removeprefix('./')}": sha256(packed.extractfile(each).read()).hexdigest()
            for each in members
        }
