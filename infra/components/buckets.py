"""The buckets of the season's object store."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.lab import Lab
from infra.components.node import Node
from infra.estate.storage import Bucket as BucketModel
from infra.provider.resources import Bucket, BucketArgs, StatementArgs, StoreArgs


@dataclass(frozen=True)
class BucketsArgs:
    """The buckets, and the machine and the address of their store."""

    buckets: tuple[BucketModel, ...]
    machine: Node
    store: StoreArgs


class Buckets(pulumi.ComponentResource):
    """What the object store keeps apart; `conditions` says of each whether it is as declared."""

    conditions: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: BucketsArgs, lab: Lab) -> None:
        super().__init__("etape:lab:Buckets", name)
        # A store that goes takes its buckets along: nobody has to empty what is locked, or ask what is dead.
        with_store = pulumi.ResourceOptions(depends_on=[args.machine.ready], deleted_with=args.machine.resource)
        options = pulumi.ResourceOptions.merge(lab.etape_options(self, protect=True), with_store)
        made = {each.name: Bucket(each.name, _args(each, args.store), options) for each in args.buckets}
        self.conditions = {each: bucket.condition for each, bucket in made.items()}
        self.register_outputs({})


def _args(bucket: BucketModel, store: StoreArgs) -> BucketArgs:
    retention = (bucket.retention.mode.value, bucket.retention.days) if bucket.retention else None
    policy = tuple(StatementArgs(each.name, each.effect.value, each.principals, each.actions) for each in bucket.policy)
    return BucketArgs(bucket.name, bucket.versioning, retention, policy, store)
