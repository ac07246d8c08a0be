"""Where releases are on a node, and what they are called."""

from pathlib import Path

from ansible.errors import AnsibleError

FOLDER = "/opt/etape/releases"
CURRENT = "/opt/etape/current"
_SUFFIX = ".tar.gz"


def release_name(archive: str | Path) -> str:
    """The name of a release: its archive's, which is its content's hash."""
    name = Path(archive).name
    if not name.endswith(_SUFFIX):
        raise AnsibleError(f"release {archive} is not a {_SUFFIX} archive")
    return name.removesuffix(_SUFFIX)
