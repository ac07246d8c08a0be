"""The provider's resources as the Pulumi program declares them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pulumi


class EtapeProvider(pulumi.ProviderResource):
    """An instance of the provider, bound to one Docker engine."""

    def __init__(self, name: str, docker_host: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("etape", name, {"docker_host": docker_host}, opts)


class _EtapeResource(pulumi.CustomResource):
    """A resource whose properties carry the same names here and in the provider."""

    hidden: tuple[str, ...] = ()
    """Properties that the state holds encrypted, whatever the program or the provider forgets to say."""

    def __init__(
        self, name: str, inputs: Mapping[str, Any], outputs: tuple[str, ...], opts: pulumi.ResourceOptions
    ) -> None:
        kind = f"etape:index:{type(self).__name__}"
        encrypted = pulumi.ResourceOptions(additional_secret_outputs=list(self.hidden))
        options = pulumi.ResourceOptions.merge(opts, encrypted)
        super().__init__(kind, name, {**inputs, **dict.fromkeys(outputs)}, options)


@dataclass(frozen=True)
class PlugArgs:
    """One end of a cable."""

    node: str
    port: str
    container: pulumi.Input[str]
    """Docker's id of the node's container; its name where another stack owns it."""


@dataclass(frozen=True)
class CableArgs:
    """A cable between the ports of two nodes; `mtu` in bytes."""

    label: str
    a: PlugArgs
    b: PlugArgs
    mtu: int


class Cable(_EtapeResource):
    """A veth pair with a real carrier, laid again whenever one of its machines has restarted."""

    def __init__(self, name: str, args: CableArgs, opts: pulumi.ResourceOptions) -> None:
        inputs = {"label": args.label, "mtu": args.mtu, "a": vars(args.a), "b": vars(args.b)}
        super().__init__(name, inputs, ("a_mac", "b_mac"), opts)


@dataclass(frozen=True)
class MachineArgs:
    """A machine to wait for, and where its SSH server will answer."""

    node: str
    container: pulumi.Input[str]
    address: str


class Machine(_EtapeResource):
    """Exists once systemd runs and SSH answers; knows the host key to pin."""

    host_key: pulumi.Output[str]
    condition: pulumi.Output[str]

    def __init__(self, name: str, args: MachineArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, vars(args), ("host_key", "condition"), opts)


@dataclass(frozen=True)
class CredentialArgs:
    """`length` in characters."""

    length: int


class Credential(_EtapeResource):
    """A random secret, generated once."""

    hidden = ("secret",)
    secret: pulumi.Output[str]

    def __init__(self, name: str, args: CredentialArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, asdict(args), ("secret",), opts)


@dataclass(frozen=True)
class StoreArgs:
    """The object store of a bucket, and the keys of the account that owns it."""

    endpoint: str
    access_key: pulumi.Input[str]
    secret_key: pulumi.Input[str]


@dataclass(frozen=True)
class StatementArgs:
    """A statement of a bucket's policy, about the bucket and everything in it."""

    name: str
    effect: str
    principals: tuple[str, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True)
class BucketArgs:
    """A bucket; `retention` is its mode and its days."""

    name: str
    versioning: bool
    retention: tuple[str, int] | None
    policy: tuple[StatementArgs, ...]
    store: StoreArgs


class Bucket(_EtapeResource):
    """A bucket of an object store; one whose store is not deployed yet waits for the `up` after that."""

    hidden = ("store",)
    condition: pulumi.Output[str]

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions) -> None:
        retention = {"mode": args.retention[0], "days": args.retention[1]} if args.retention else None
        inputs = {
            "name": args.name,
            "versioning": args.versioning,
            "retention": retention,
            "policy": [asdict(each) for each in args.policy],
            "store": pulumi.Output.secret(vars(args.store)),
        }
        super().__init__(name, inputs, ("condition",), opts)
