"""Where things are: the checkout, what an operator keeps, and what can be built again."""

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Workspace:
    """Three lifetimes of files: `root` is versioned, `home` is state, `cache` can be deleted."""

    root: Path
    home: Path
    cache: Path

    @classmethod
    def from_environment(cls) -> "Workspace":
        """Read `ETAPE_HOME` (default ~/.local/share/etape) and `ETAPE_CACHE` (default ~/.cache/etape)."""
        user = Path.home()
        return cls(
            root=ROOT,
            home=Path(os.environ.get("ETAPE_HOME", user / ".local/share/etape")),
            cache=Path(os.environ.get("ETAPE_CACHE", user / ".cache/etape")),
        )

    @property
    def private_key(self) -> Path:
        """The operator's SSH key; its public half is beside it, with `.pub`."""
        return self.home / "ssh/id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Pinned host keys of every node that the stacks' outputs name."""
        return self.home / "ssh/known_hosts"

    @property
    def policy_pack(self) -> Path:
        """The executable that judges every preview and up of this checkout."""
        return self.root / "infra/policy/pack.py"

    def outputs(self, stack: str) -> Path:
        """The typed outputs of a stack as its last `pulumi up` left them (holds secrets, mode 0600)."""
        return self.home / "outputs" / f"{stack}.json"

    def inventory(self, stack: str) -> Path:
        """The Ansible inventory rendered from the model and the outputs (holds secrets, mode 0600)."""
        return self.home / "inventory" / f"{stack}.json"

    @property
    def toolbox(self) -> Path:
        """What set-up found or built for this checkout; several checkouts may share a cache."""
        checkout = sha256(str(self.root).encode()).hexdigest()[:12]
        return self.cache / "toolbox" / f"{checkout}.json"


@dataclass(frozen=True)
class Toolbox:
    """What set-up found or built on this machine; it writes them to `Workspace.toolbox`."""

    docker_host: str
    """Address of the Docker engine, as in DOCKER_HOST."""
    lab_image: str
    """Full id (sha256:...) of the lab node's image."""
    path: tuple[str, ...]
    """Folders that go in front of PATH: the Pulumi engine and its plugins, the virtual environment."""
    release: str
    """Archive of the services of this checkout (tar.gz); its name is its content's hash."""
    chromium: str
    """The browser for the page tests, empty where set-up was not asked for it."""

    @classmethod
    def read(cls, workspace: Workspace) -> "Toolbox":
        """Raise FileNotFoundError where set-up has not run."""
        fields = json.loads(workspace.toolbox.read_text())
        return cls(**{**fields, "path": tuple(fields["path"])})
