"""Pulumi's provider framework, wrapped: the only module that knows it.

A `Kind` is one resource type in plain Python values. Everything that the protocol needs around it (unknown
values in previews, echoing inputs into the state, diffs property by property, errors as sentences) is here.
"""

import asyncio
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from pulumi.provider.experimental import provider as framework
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2_grpc

from infra.docker_engine import DockerError

Properties = dict[str, Any]
"""Names to None, bool, float, str, UNKNOWN, lists and dictionaries of those."""

UNKNOWN = rpc.UNKNOWN
"""A value that only an `up` can tell, as the protocol writes it."""

_VERSION = "0.1.0"
_AT_ONCE = 64
_ORPHAN_CHECK_S = 1.0


class ProviderError(Exception):
    """One sentence for the person at the terminal: what failed and what to do."""


@dataclass(frozen=True)
class Mistake:
    """An input that cannot be right: the property's path and why."""

    field: str
    reason: str


@dataclass(frozen=True)
class Made:
    """A resource as it now exists: its id and what it has beyond its inputs."""

    id: str
    outputs: Properties = field(default_factory=dict)


class Kind(ABC):
    """One type of resource. Methods block; each call has a thread of its own."""

    token: str
    outputs: tuple[str, ...] = ()
    """Properties that `create` and `update` add to the inputs; unknown in previews."""
    hidden: frozenset[str] = frozenset()
    """Properties that the state encrypts and the display hides."""
    identity: frozenset[str] = frozenset()
    """Inputs whose change makes another resource instead of changing this one."""

    def check(self, inputs: Properties) -> Sequence[Mistake]:
        """Everything that is wrong with the inputs; values may be UNKNOWN."""
        return ()

    def observe(self, inputs: Properties) -> Properties:
        """Further inputs that say what reality is now; one that differs from the output of its name is a change.

        Every preview and up looks, without a refresh, and the diff shows both values.
        """
        return {}

    @abstractmethod
    def create(self, name: str, inputs: Properties) -> Made:
        """Make it, or adopt what a crash left of an earlier attempt."""

    def update(self, state: Properties, inputs: Properties) -> Properties:
        """Change it in place and return its outputs."""
        return {name: state[name] for name in self.outputs}

    def read(self, state: Properties) -> Properties | None:
        """The state as it really is; None for what is gone."""
        return state

    @abstractmethod
    def delete(self, state: Properties) -> None:
        """Take it away; what is gone already is no error."""


class EtapeProvider(framework.Provider):
    """Serves kinds; `connect` makes them once the provider's configuration is known."""

    def __init__(self, connect: Callable[[Properties], Sequence[Kind]]) -> None:
        self._connect = connect
        self._kinds: Mapping[str, Kind] = {}

    async def configure(self, request: framework.ConfigureRequest) -> framework.ConfigureResponse:
        kinds = await asyncio.to_thread(self._connect, _plain(request.args))
        self._kinds = {kind.token: kind for kind in kinds}
        return await super().configure(request)

    async def check(self, request: framework.CheckRequest) -> framework.CheckResponse:
        kind, inputs = self._kind(request.type), _plain(request.new_inputs)
        mistakes = await asyncio.to_thread(kind.check, inputs)
        if mistakes:
            failures = [_failure(mistake) for mistake in mistakes]
            return framework.CheckResponse(inputs=request.new_inputs, failures=failures)
        observed = await asyncio.to_thread(kind.observe, inputs)
        return framework.CheckResponse(inputs={**request.new_inputs, **_wrapped_all(observed)})

    async def diff(self, request: framework.DiffRequest) -> framework.DiffResponse:
        kind, state, inputs = self._kind(request.type), _plain(request.old_state), _plain(request.new_inputs)
        before = {name: value for name, value in state.items() if name in inputs or name not in kind.outputs}
        changes = {
            path: _property_diff(what, replace=path.split(".")[0] in kind.identity)
            for path, what in compare(before, inputs).items()
        }
        replaced = sorted({path.split(".")[0] for path in changes} & kind.identity)
        return framework.DiffResponse(
            changes=bool(changes),
            diffs=sorted({path.split(".")[0] for path in changes}),
            detailed_diff=changes,
            replaces=replaced,
            delete_before_replace=bool(replaced),
        )

    async def create(self, request: framework.CreateRequest) -> framework.CreateResponse:
        kind, inputs = self._kind(request.type), _plain(request.properties)
        if request.preview:
            return framework.CreateResponse(None, self._state(kind, inputs, dict.fromkeys(kind.outputs, UNKNOWN)))
        made = await asyncio.to_thread(kind.create, request.name, inputs)
        return framework.CreateResponse(made.id, self._state(kind, inputs, made.outputs))

    async def update(self, request: framework.UpdateRequest) -> framework.UpdateResponse:
        kind, inputs = self._kind(request.type), _plain(request.news)
        if request.preview:
            outputs = dict.fromkeys(kind.outputs, UNKNOWN)
        else:
            outputs = await asyncio.to_thread(kind.update, _plain(request.olds), inputs)
        return framework.UpdateResponse(self._state(kind, inputs, outputs))

    async def read(self, request: framework.ReadRequest) -> framework.ReadResponse:
        kind = self._kind(request.type)
        state = await asyncio.to_thread(kind.read, _plain(request.properties))
        if state is None:
            return framework.ReadResponse("", {}, {})
        outputs = {name: state[name] for name in kind.outputs}
        inputs = {name: value for name, value in state.items() if name not in kind.outputs}
        return framework.ReadResponse(request.resource_id, self._state(kind, inputs, outputs), request.inputs)

    async def delete(self, request: framework.DeleteRequest) -> None:
        await asyncio.to_thread(self._kind(request.type).delete, _plain(request.properties))

    def _kind(self, qualified: str) -> Kind:
        """By the type of a URN, which names the parents' types too (`etape:lab:Node$etape:index:Machine`)."""
        token = qualified.rpartition("$")[2]
        if token not in self._kinds:
            raise ProviderError(f"the provider etape has no resource type {token}: it has {', '.join(self._kinds)}")
        return self._kinds[token]

    @staticmethod
    def _state(kind: Kind, inputs: Properties, outputs: Properties) -> dict[str, PropertyValue]:
        state = _wrapped_all({**inputs, **outputs})
        return {name: value.with_secret(name in kind.hidden) for name, value in state.items()}


def compare(before: Any, after: Any, path: str = "") -> dict[str, str]:
    """Paths of the differing leaves (`a.container`), each with `add`, `delete` or `update`."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: dict[str, str] = {}
        for name in sorted({*before, *after}):
            found |= compare(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        return found
    if before == after:
        return {}
    return {path: "add" if before is None else "delete" if after is None else "update"}


def serve(provider: EtapeProvider) -> None:
    """Run as the plugin of the Pulumi engine that started this process, and end with it."""
    asyncio.run(_serve(provider, os.getppid()))


async def _serve(provider: EtapeProvider, engine: int) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_AT_ONCE))
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    servicer = _Servicer([], _VERSION, provider, engine_address=sys.argv[1] if len(sys.argv) > 1 else "")
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    # A killed engine does not end its plugins; without this they would stay for ever.
    while os.getppid() == engine:
        await asyncio.sleep(_ORPHAN_CHECK_S)
    await server.stop(grace=None)


def _as_sentence(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    """The framework's method of that name, with an error's sentence as the answer instead of a traceback."""
    method = getattr(ProviderServicer, name)

    async def answer(self: ProviderServicer, request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await method(self, request, context)
        except (ProviderError, DockerError) as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    return answer


class _Servicer(ProviderServicer):
    """The framework's server; what a kind raises reaches people as its sentence alone."""

    Configure = _as_sentence("Configure")
    Check = _as_sentence("Check")
    Diff = _as_sentence("Diff")
    Create = _as_sentence("Create")
    Update = _as_sentence("Update")
    Read = _as_sentence("Read")
    Delete = _as_sentence("Delete")


def _failure(mistake: Mistake) -> framework.CheckFailure:
    """The engine shows the value of a plain property; for a path it would show that there is none."""
    if "." in mistake.field:
        return framework.CheckFailure("", f"{mistake.field}: {mistake.reason}")
    return framework.CheckFailure(mistake.field, mistake.reason)


def _property_diff(what: str, *, replace: bool) -> framework.PropertyDiff:
    kind = framework.PropertyDiffKind[f"{what.upper()}{'_REPLACE' if replace else ''}"]
    return framework.PropertyDiff(kind, input_diff=False)


def _plain(value: Any) -> Any:
    """Framework values as plain ones."""
    if isinstance(value, PropertyValue):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _wrapped_all(properties: Properties) -> dict[str, PropertyValue]:
    return {name: _wrapped(value) for name, value in properties.items()}


def _wrapped(value: Any) -> PropertyValue:
    """Plain values as the framework's; its numbers are floats."""
    if isinstance(value, dict):
        return PropertyValue(_wrapped_all(value))
    if isinstance(value, list | tuple):
        return PropertyValue([_wrapped(each) for each in value])
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    return PropertyValue(value)
