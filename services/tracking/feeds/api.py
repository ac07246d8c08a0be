"""Endpoints: what is asked for, checked and counted at the gate, and answered as JSON with a sentence for each refusal.

An `Endpoint` says all that a route, its check of parameters and its part of OpenAPI need to know.
"""

import gzip
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from tracking.feeds.documents import Refusal
from tracking.feeds.gate import Caller, Gate, Refused

JSON = "application/json"
WORTH_PACKING = 1024
"""Bytes from which an answer is compressed."""
PACKING = 6
MAX_QUERY = 2048
CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after"),
)
PREFLIGHT = (
    *CORS,
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"x-api-key, last-event-id"),
    (b"access-control-max-age", b"86400"),
)


class Parameters(BaseModel):
    """What an endpoint can be asked with; anything else is left alone, as clients add numbers against caches."""

    model_config = ConfigDict(frozen=True)


P = TypeVar("P", bound=Parameters)


class Answer:
    """JSON for whoever asks; compressed at most once."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    @classmethod
    def of(cls, document: Any) -> "Answer":
        """The answer that says this document."""
        return cls(orjson.dumps(document))

    @cached_property
    def packed(self) -> bytes:
        """As gzip."""
        return gzip.compress(self.body, PACKING, mtime=0)


@dataclass(frozen=True)
class Asked(Generic[P]):
    """One request, past the gate."""

    parameters: P
    caller: Caller
    connection: HTTPConnection
    receive: Receive
    send: Send


Handler = Callable[[P], Answer | Awaitable[Answer]]
Teller = Callable[[Asked[P]], Awaitable[None]]


@dataclass(frozen=True)
class Endpoint(Generic[P]):
    """A path, what it takes, what it answers and who answers it."""

    path: str
    summary: str
    answer: Any
    """Type of the JSON, or of the data of a stream's events."""
    parameters: type[P]
    answers: Handler[P] | None = None
    tells: Teller[P] | None = None
    """For a stream, which sends its answer itself."""
    events: Sequence[str] = field(default=())
    """Names of a stream's events."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of an example."""

    def route(self, gate: Gate) -> BaseRoute:
        """Where the endpoint is served."""
        return Route(self.path, _Served(self, gate))


class _Served(Generic[P]):
    """An endpoint as ASGI application."""

    def __init__(self, endpoint: Endpoint[P], gate: Gate) -> None:
        self._endpoint = endpoint
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        try:
            if scope["method"] == "OPTIONS":
                await respond(send, 204, PREFLIGHT, b"")
                return
            if scope["method"] not in ("GET", "HEAD"):
                raise Refused(405, f"{scope['method']} means nothing here; use GET.", {"allow": "GET, HEAD, OPTIONS"})
            caller = self._gate.admit(*credentials(connection))
            parameters = parsed(self._endpoint.parameters, connection)
            await self._answer(Asked(parameters, caller, connection, receive, send))
        except Refused as refused:
            await refuse(send, refused)

    async def _answer(self, asked: Asked[P]) -> None:
        if self._endpoint.tells:
            with self._gate.streaming(asked.caller):
                await self._endpoint.tells(asked)
            return
        assert self._endpoint.answers is not None
        answer = self._endpoint.answers(asked.parameters)
        await say(asked, await answer if inspect.isawaitable(answer) else answer)


def credentials(connection: HTTPConnection) -> tuple[str, str | None]:
    """Who is asking: (address, key if one was given)."""
    host = connection.client.host if connection.client else ""
    return host, connection.headers.get("x-api-key") or _query(connection).get("key")


def parsed(model: type[P], connection: HTTPConnection) -> P:
    """The parameters of a request; `Refused` with a sentence for each that cannot be used."""
    try:
        return model.model_validate({**_query(connection), **connection.path_params})
    except ValidationError as error:
        sentences = [
            f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg'].rstrip('.').lower()}; correct it."
            for mistake in error.errors(include_input=False, include_url=False)
        ]
        raise Refused(400, " ".join(sentences)) from None


def accepts_gzip(headers: Headers) -> bool:
    """Whether a client can unpack gzip."""
    offers = headers.get("accept-encoding", "").replace(" ", "").split(",")
    return any(offer.partition(";")[0] in ("gzip", "*") and not offer.endswith(";q=0") for offer in offers)


async def say(asked: Asked[Any], answer: Answer) -> None:
    """Send a whole answer."""
    packed = len(answer.body) >= WORTH_PACKING and accepts_gzip(asked.connection.headers)
    headers = [(b"content-type", b"application/json"), (b"vary", b"accept-encoding"), (b"cache-control", b"no-cache")]
    if packed:
        headers.append((b"content-encoding", b"gzip"))
    await respond(asked.send, 200, (*CORS, *headers), answer.packed if packed else answer.body)


async def refuse(send: Send, refused: Refused) -> None:
    """Say why there is no answer."""
    body = orjson.dumps(Refusal(detail=refused.sentence))
    headers = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
    await respond(send, refused.status, (*CORS, (b"content-type", b"application/json"), *headers), body)


async def respond(send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
    """Send one response."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def _query(connection: HTTPConnection) -> QueryParams:
    query = connection.scope["query_string"]
    if len(query) > MAX_QUERY:
        raise Refused(414, f"The query is longer than {MAX_QUERY} bytes; ask for less.")
    return QueryParams(query)
