"""What every long-running service has in common: its config file, its health, its log lines, its end.

A service is a `Program`; `main` is its whole command line:

    if __name__ == "__main__":
        main(RelayConfig, Relay)
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import uvicorn
import uvloop
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from tracking.briefing.start_order import Kind
from tracking.door import Door, DoorConfig, raise_file_limit

MAX_WORD = 4096
"""Bytes of what a client may say over a WebSocket."""

M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    """A part of a config file; what it does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceConfig(Section):
    """The part that all config files share."""

    stack: str = Field(pattern=r"^\d{4}-(core|s\d{2})$")
    health_port: int = Field(ge=0, le=65535)
    """TCP port of `GET /healthz` and of whatever else the service answers; 0 lets the kernel choose."""
    listen: str = "0.0.0.0"
    door: DoorConfig = DoorConfig()


class StageConfig(Section):
    """The race day as the services know it."""

    edition: int
    number: int
    start: str
    finish: str
    race_start: AwareDatetime
    official_km: float = Field(gt=0)
    course: Path
    """Course file on this node."""
    kind: Kind = "road"

    @property
    def start_ms(self) -> int:
        """Unix milliseconds of the start of the race."""
        return round(self.race_start.timestamp() * 1000)


C = TypeVar("C", bound=ServiceConfig)


@dataclass(frozen=True)
class Health:
    """Whether a service does its work, why not, and what it has counted."""

    ok: bool
    detail: str
    counts: dict[str, Any] = field(default_factory=dict)

    def as_response(self) -> JSONResponse:
        """200 or 503 with {"status", "detail", ...counts}."""
        status = "ok" if self.ok else "failing"
        return JSONResponse({"status": status, "detail": self.detail, **self.counts}, 200 if self.ok else 503)


class Program(Protocol):
    """A service between its start and SIGTERM."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What it answers beside /healthz."""

    async def health(self) -> Health:
        """How it is at this moment."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then finish cleanly and return."""


class Mistakes(Exception):
    """A config file that cannot be used: one sentence for each mistake."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = tuple(sentences)


def load_config(model: type[M], file: Path) -> M:
    """Read a JSON config file; raise `Mistakes` with all that is wrong in it."""
    try:
        return model.model_validate_json(file.read_bytes())
    except OSError as error:
        raise Mistakes([f"{file}: cannot be read ({error.strerror}); deploy the service's role again."]) from None
    except ValidationError as error:
        raise Mistakes([_sentence(file, mistake) for mistake in error.errors()]) from None


def _sentence(file: Path, mistake: Any) -> str:
    where = ".".join(str(part) for part in mistake["loc"]) or "the file"
    remedy = {"missing": "add it", "extra_forbidden": "remove it"}.get(mistake["type"], "correct it")
    return f"{file}: {where}: {mistake['msg'].rstrip('.').lower()}; {remedy}."


def log(event: str, **fields: Any) -> None:
    """One line of JSON to the journal."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
    print(json.dumps(line, default=str), flush=True)


async def until(stopping: asyncio.Event, work: Awaitable[None]) -> None:
    """Let `work` go on until `stopping` is set, then cancel it; an error of `work` is raised here."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        await cancel(working, waiting)


async def cancel(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel what still runs and wait until it has ended; what it raises on its way out is dropped."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def together(*works: Awaitable[None]) -> None:
    """Do all of these at the same time; the first error ends them all and is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        await cancel(*tasks)


class _HealthServer(uvicorn.Server):
    """uvicorn without its signal handlers: the service decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(program: Program, config: ServiceConfig, stopping: asyncio.Event) -> None:
    """Run a program with its health endpoint until `stopping` is set and it has finished."""

    door = Door(config.door)

    async def healthz(request: Request) -> JSONResponse:
        health = await program.health()
        return replace(health, counts={**health.counts, "door": door.counts()}).as_response()

    app = Starlette(routes=[Route("/healthz", healthz), *program.routes])
    http, web_socket = door.protocols()
    raise_file_limit()
    server = _HealthServer(
        uvicorn.Config(
            app,
            host=config.listen,
            port=config.health_port,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            http=http,
            ws=web_socket,
            ws_max_size=MAX_WORD,
            ws_per_message_deflate=False,  # it would compress the same message for each reader
        )
    )
    listening = asyncio.create_task(_listen(server, stopping))
    try:
        await program.run(stopping)
    finally:
        server.should_exit = True
        if not await listening:
            log("no-listener", listen=config.listen, port=config.health_port, remedy="free the port or choose another")
            sys.exit(1)


async def _listen(server: uvicorn.Server, stopping: asyncio.Event) -> bool:
    """Serve until told to end; False where the port could not be had, which also stops the program."""
    try:
        await server.serve()
        return True
    except SystemExit:  # uvicorn's way to say that it cannot bind
        stopping.set()
        return False


async def _serve_until_terminated(program: Program, config: ServiceConfig) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    name = type(program).__name__.lower()
    log("start", service=name, stack=config.stack, health_port=config.health_port)
    await serve(program, config, stopping)
    log("stop", service=name)


def main(model: type[C], program: Callable[[C], Program]) -> None:
    """Command line of a service: `--config FILE`; exits 2 with a sentence for each mistake in it."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file; unknown keys are refused")
    try:
        config = load_config(model, parser.parse_args().config)
        made = program(config)
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)
        sys.exit(2)
    uvloop.run(_serve_until_terminated(made, config))
