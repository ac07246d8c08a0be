"""Brings a release of our own services onto a node, unpacked beside the others; nothing runs it yet."""

import hashlib
import shlex
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.etape.node.plugins.plugin_utils.releases import CURRENT, FOLDER, release_name


class ActionModule(ActionBase):
    """`etape.node.release`: `archive` is a tar.gz on the controller, named after its content."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Ask whether the release is there; send the archive over the open connection where it is not."""
        super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec({"archive": {"type": "path", "required": True}})
        archive = Path(arguments["archive"])
        if not archive.is_file():
            raise AnsibleError(f"release {archive} does not exist: build it, then give its path with -e release=PATH")
        name = release_name(archive)
        there = self._low_level_execute_command(f"[ -d {shlex.quote(f'{FOLDER}/{name}')} ]", sudoable=False)["rc"] == 0
        if there or self._task.check_mode:
            return {"changed": not there, "name": name}
        content = archive.read_bytes()
        done = self._low_level_execute_command(unpack(name, content), in_data=content, sudoable=False)
        if done["rc"] != 0:
            return {"failed": True, "msg": f"release {name} was not unpacked: {done['stderr'].strip()}"}
        return {"changed": True, "name": name}


def unpack(name: str, content: bytes, folder: str = FOLDER, current: str = CURRENT) -> str:
    """A shell command that reads an archive from its input and leaves it unpacked, whole or not at all.

    Releases other than this one and the one in use are removed.
    """
    fresh, digest = f"{folder}/.{name}", hashlib.sha256(content).hexdigest()
    steps = (
        f"mkdir -p {folder} && exec 9< {folder} && flock 9",  # a killed controller's transfer may still be under way
        f"if [ -d {folder}/{name} ]; then cat > /dev/null; exit 0; fi",
        f"rm -rf {folder}/.[!.]* && mkdir -p {fresh}",
        f"cat > {fresh}.tar.gz",
        f"echo '{digest}  {fresh}.tar.gz' | sha256sum --check --status",
        f"tar --extract --gzip --no-same-owner --file {fresh}.tar.gz --directory {fresh}",
        f"mv --no-target-directory {fresh} {folder}/{name}",
        f"rm {fresh}.tar.gz",
        f'find {folder} -mindepth 1 -maxdepth 1 ! -name {name} ! -path "$(readlink --canonicalize {current})"'
        " -exec rm -rf {} +",
    )
    return "umask 022 && " + " && ".join(steps)
