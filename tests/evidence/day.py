"""A day whose machines are not there: a real log, a real store, a state backend with one stack."""

import json
from io import StringIO
from pathlib import Path

from infra.day.context import Day
from infra.day.progress import Progress
from infra.estate.load import load_estate
from infra.estate.model import Estate
from infra.evidence.store import ObjectStore
from infra.workspace import ROOT, Workspace

AWAY = ObjectStore("http://127.0.0.1:1", "key", "secret")
SECRET = "Zq7-seeded_secret+of/the=season"
PASSPHRASE = "seeded-passphrase-of-this-home"


class QuietDay(Day):
    """A day that reports into a buffer and has the store that it is given."""

    store: ObjectStore = AWAY

    def object_store(self, estate: Estate) -> ObjectStore:
        return self.store

    def tell(self, estate: Estate, phase: str, message: str) -> None:
        """There is no hub."""

    def estate(self, stack: str) -> Estate:
        return load_estate(stack, "small")


def quiet_day(home: Path, store: ObjectStore = AWAY) -> QuietDay:
    """A day in a home that has been up: outputs with secrets, a checkpoint, a passphrase."""
    day = QuietDay(Workspace(ROOT, home, home / "cache"), Progress(out=StringIO()))
    day.store = store
    _write(home / "passphrase", PASSPHRASE)
    for stack in ("2017-core", "2017-s09"):
        latest = {"manifest": {}, "resources": [{"type": "a:b:C", "urn": f"urn:{stack}"}]}
        checkpoint = {"version": 3, "checkpoint": {"stack": stack, "latest": latest}}
        _write(home / f"state/.pulumi/stacks/etape/{stack}.json", json.dumps(checkpoint))
        _write(day.workspace.outputs(stack), json.dumps({"credentials": {"hub_password": SECRET}}))
    return day


def said(day: Day) -> str:
    """All that the command has reported."""
    assert isinstance(day.progress.out, StringIO)
    return day.progress.out.getvalue()


def write_events(day: Day, stack: str, verb: str, *events: dict) -> None:
    """The log that Pulumi leaves of an operation."""
    _write(day.workspace.home / f"logs/{stack}-{verb}.log", "".join(json.dumps(event) + "\n" for event in events))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
