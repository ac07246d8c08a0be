"""What is there and was never declared: containers, networks, volumes and buckets. Pure."""

from collections.abc import Collection, Iterable, Iterator

from infra.docker_engine import Listed
from infra.drift.difference import MENDED, Difference

_HOME, _STACK = "etape.home", "etape.stack"
_BY_HAND = "nobody declared it"


def undeclared_things(
    listed: Iterable[Listed], home: str, stacks: Collection[str], known: Collection[str]
) -> Iterator[Difference]:
    """Things of Docker that carry this home's labels, or are attached to the stacks' networks, and no state knows.

    `home` is the label of the ETAPE_HOME, `stacks` those that were looked at, `known` Docker's ids in their states.
    """
    listed = tuple(listed)
    networks = {each.name: each.labels[_STACK] for each in listed if each.kind == "network" and each.id in known}
    for each in listed:
        if each.id in known:
            continue
        stack = each.labels.get(_STACK, "") if each.labels.get(_HOME) == home else ""
        if stack in stacks and each.kind == "volume":
            yield _stranger(
                each, stack, f"with our labels, {_BY_HAND}", f"`docker volume rm {each.name}` if it is empty"
            )
        elif stack in stacks:
            yield _stranger(each, stack, f"{each.state} with our labels, {_BY_HAND}".strip(), MENDED)
        elif attached := sorted(networks.keys() & {*each.networks}):
            found = f"{each.state} on {', '.join(attached)}, {_BY_HAND}"
            remedy = f"`docker rm -f {each.name}`, or declare it in stacks/"
            yield _stranger(each, networks[attached[0]], found, remedy)


def _stranger(thing: Listed, stack: str, found: str, remedy: str) -> Difference:
    return Difference(stack, thing.kind, thing.name, "not there", found, thing.created[:19], remedy)


def undeclared_buckets(found: Iterable[str], declared: Collection[str]) -> Iterator[Difference]:
    """Buckets of the season's store that its estate does not have."""
    for name in sorted({*found} - {*declared}):
        remedy = "remove it once its objects are copied, or declare it under `buckets:`"
        yield Difference("object store", "bucket", name, "not there", _BY_HAND, remedy=remedy)


_WATCHED = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/boot/", "/opt/etape/runtime/")
_COMPILED = "/__pycache__"
_SHOWN = 3


def changed_programs(node: str, container: str, paths: Iterable[str]) -> Iterator[Difference]:
    """Programs and libraries of a machine that are not those of its image, from what Docker says differs.

    One difference a machine: a package brings hundreds of files, and it is named by its own name.
    """
    kept = sorted(path for path in paths if path.startswith(_WATCHED) and _COMPILED not in path)
    folders = {path.rpartition("/")[0] for path in kept}
    leaves = [path for path in kept if path not in folders]
    if leaves:
        more = f" and {len(leaves) - _SHOWN} more" if len(leaves) > _SHOWN else ""
        found = f"added, edited or removed: {', '.join(leaves[:_SHOWN])}{more}"
        remedy = f"put it back, or `docker rm -f {container}` and `scripts/stage up` makes the machine anew"
        yield Difference(node, "programs", f"{len(leaves)} path(s)", "as in its image", found, remedy=remedy)
