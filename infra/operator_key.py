"""The operator's SSH key pair, made on first use."""

import os

from infra.workspace import Workspace


def public_key(workspace: Workspace) -> str:
    """The public half as in an authorized_keys file, without line end. Makes the pair where there is none."""
    public = workspace.private_key.with_suffix(".pub")
    if not public.exists():
        _make(workspace)
    return public.read_text().strip()


def _make(workspace: Workspace) -> None:
    """The public half is written last: where it is, the private half is whole."""
    # Imported here because it is slow, and every preview reads a key that exists.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    private = workspace.private_key
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    private.with_suffix(".pub").write_bytes(line + b" etape\n")
