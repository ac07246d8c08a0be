"""What a place holds of a race day, small enough to compare: how many readings of each device, and a digest.

The digest does not depend on the order in which readings came, and a reading that came twice counts once. So two
places with equal manifests hold the same readings, whatever way these took.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracking.records import READING
from tracking.service import Mistakes, load_config
from tracking.transport.spans import ALWAYS_MS, MINUTE_MS, SPAN, from_rows, lacking, spans_of, to_rows, told
from tracking.transport.wire import plausible

_SMALLEST_SHELF = 4096


@dataclass(frozen=True)
class DeviceCount:
    """One device's part of a manifest."""

    readings: int
    digest: int
    """Sum modulo 2^64 of the digests of its readings."""


@dataclass(frozen=True)
class Manifest:
    """All devices of one run of the race."""

    run: int
    """See `tracking.transport.wire.Batch.run`; 0 where nothing has arrived yet."""
    devices: Mapping[int, DeviceCount]
    minutes: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, SPAN), compare=False)
    """SPAN rows of a minute each, where they were asked for: they tell when a difference is."""

    @property
    def readings(self) -> int:
        return sum(device.readings for device in self.devices.values())

    @property
    def digest(self) -> int:
        return sum(device.digest for device in self.devices.values()) % 2**64

    def to_json(self) -> dict[str, Any]:
        """Digests as 16 hexadecimal digits: JSON numbers do not hold 64 bits."""
        devices = {
            str(number): {"readings": device.readings, "digest": f"{device.digest:016x}"}
            for number, device in sorted(self.devices.items())
        }
        document = {"run": self.run, "readings": self.readings, "digest": f"{self.digest:016x}", "devices": devices}
        return {**document, "minutes": to_rows(self.minutes)} if len(self.minutes) else document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Manifest":
        """Reverse of `to_json`; KeyError, TypeError or ValueError for what is no manifest."""
        devices = {
            int(number): DeviceCount(int(device["readings"]), int(device["digest"], 16))
            for number, device in document["devices"].items()
        }
        return cls(int(document["run"]), devices, from_rows(document.get("minutes", ())))


def compare(truck: Manifest, archive: Manifest) -> tuple[str, ...]:
    """What differs, one sentence each; empty when both hold the same readings."""
    if truck.run != archive.run:
        return (f"the truck's run is {truck.run}, the archive's {archive.run}: these are two different races",)
    differences = []
    for number in sorted(truck.devices.keys() | archive.devices.keys()):
        here = truck.devices.get(number, DeviceCount(0, 0))
        there = archive.devices.get(number, DeviceCount(0, 0))
        if here.readings != there.readings:
            sentence = f"device {number}: {here.readings} readings on the truck, {there.readings} archived"
        elif here.digest != there.digest:
            sentence = f"device {number}: {here.readings} readings on either side, but not the same ones"
        else:
            continue
        differences.append(sentence + _when(truck.minutes, archive.minutes, number))
    return tuple(differences)


def _when(truck: np.ndarray, archive: np.ndarray, device: int) -> str:
    """When these two differ, as the end of a sentence; nothing where one of them does not tell minutes."""
    if not len(truck) or not len(archive):
        return ""
    here, there = (spans[spans["device"] == device] for spans in (truck, archive))
    return f"; they differ in {told(np.union1d(lacking(here, there), lacking(there, here)), MINUTE_MS)}"


class Tally:
    """The manifest of what was added so far; knows each reading, 16 bytes of memory a reading.

    Known identities lie on sorted shelves, each at least twice as long as the next, so that adding a batch
    costs a few binary searches and now and then a merge. Where one device gave two positions for one time, the
    one with the smaller digest is counted: the same at every place, whichever came first there.
    """

    def __init__(self) -> None:
        self._shelves: list[tuple[np.ndarray, np.ndarray]] = []
        self._readings = np.zeros(1 << 16, np.uint64)
        self._digests = np.zeros(1 << 16, np.uint64)

    def add(self, readings: np.ndarray) -> np.ndarray:
        """Count READING rows, shape (n,); returns the mask of those that were not known before.

        What cannot be a fix (`wire.plausible`) is not counted, and so neither stored nor missed anywhere.
        """
        sound = np.flatnonzero(plausible(readings))
        added = np.zeros(len(readings), bool)
        added[sound[self._add(readings[sound])]] = True
        return added

    def _add(self, readings: np.ndarray) -> np.ndarray:
        """The places of the rows that were not known before."""
        identities = (readings["device"].astype(np.uint64) << np.uint64(48)) | readings["time_ms"].astype(np.uint64)
        digests = digest(readings)
        order = np.lexsort((digests, identities))
        first = np.ones(len(order), bool)
        first[1:] = np.diff(identities[order]) != 0
        order = order[first]  # one row an identity, the one with the smaller digest
        fresh = np.ones(len(order), bool)
        for shelf in self._shelves:
            fresh &= ~self._meet(shelf, identities[order], digests[order])
        order = order[fresh]
        self._count(identities[order], digests[order], np.ones(len(order), np.uint64))
        self._put(identities[order], digests[order])
        return order

    def manifest(self, run: int, by_minutes: bool = False) -> Manifest:
        """What was counted so far."""
        numbers = np.flatnonzero(self._readings)
        devices = {int(n): DeviceCount(int(self._readings[n]), int(self._digests[n])) for n in numbers}
        return Manifest(run, devices, self.spans(MINUTE_MS)) if by_minutes else Manifest(run, devices)

    def spans(self, span_ms: int, before_ms: int = ALWAYS_MS) -> np.ndarray:
        """SPAN rows, sorted, of what was counted so far and has a fix time before `before_ms`."""
        nothing = np.zeros(0, np.uint64)
        identities = np.concatenate([nothing, *(known for known, _ in self._shelves)])
        digests = np.concatenate([nothing, *(counted for _, counted in self._shelves)])
        due = identities & np.uint64(ALWAYS_MS - 1) < np.uint64(before_ms)
        return spans_of(identities[due], np.ones(int(due.sum()), np.uint64), digests[due], span_ms)

    def _meet(self, shelf: tuple[np.ndarray, np.ndarray], identities: np.ndarray, digests: np.ndarray) -> np.ndarray:
        """Mask of the identities on this shelf; a smaller digest takes the place of the one there."""
        known, counted = shelf
        places = np.minimum(np.searchsorted(known, identities), len(known) - 1)
        met = known[places] == identities
        smaller = met & (digests < counted[places])
        if smaller.any():
            changed = places[smaller]
            self._count(known[changed], digests[smaller] - counted[changed], np.zeros(len(changed), np.uint64))
            counted[changed] = digests[smaller]
        return met

    def _count(self, identities: np.ndarray, digests: np.ndarray, readings: np.ndarray) -> None:
        devices = (identities >> np.uint64(48)).astype(np.int64)
        np.add.at(self._digests, devices, digests)
        np.add.at(self._readings, devices, readings)

    def _put(self, identities: np.ndarray, digests: np.ndarray) -> None:
        """Lay sorted rows on a shelf of their own, or together with all that are too small beside them."""
        if not len(identities):
            return
        shelf = (identities, digests)
        while self._shelves and len(self._shelves[-1][0]) < max(2 * len(shelf[0]), _SMALLEST_SHELF):
            below = self._shelves.pop()
            merged = np.concatenate((below[0], shelf[0]))
            order = np.argsort(merged, kind="stable")
            shelf = (merged[order], np.concatenate((below[1], shelf[1]))[order])
        self._shelves.append(shelf)


def digest(readings: np.ndarray) -> np.ndarray:
    """A 64-bit digest of each READING row, shape (n,), uint64."""
    mixed = readings["device"].astype(np.uint64)
    for field in ("time_ms", "lat", "lon"):
        mixed = _mix(mixed ^ np.ascontiguousarray(readings[field]).view(np.uint64))
    return mixed


def _mix(x: np.ndarray) -> np.ndarray:
    """The finalizer of splitmix64, with the golden-ratio step in front so that zero does not stay zero."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def read_manifest(file: Path) -> Manifest:
    """A manifest as `to_json` wrote it; raises `Mistakes` for what is none."""
    try:
        return Manifest.from_json(json.loads(file.read_text()))
    except (OSError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Mistakes([f"{file}: is no manifest ({type(error).__name__}: {error}); fetch it again."]) from None


def read_archive(config: Path, run: int | None) -> Manifest:
    """Read the stored Parquet again and count it; the last run where none is named. Raises `Mistakes`."""
    from tracking.archive import ArchiveConfig  # pyarrow, boto3: the truck does without
    from tracking.store.parts import STORE_TROUBLE, PartStore, Shelf

    settings = load_config(ArchiveConfig, config)
    stage = (settings.stage.edition, settings.stage.number)
    store = PartStore(settings.object_store)
    tally = Tally()
    try:
        run = run or store.newest_run("readings", *stage) or 0
        for rows in store.read(Shelf("readings", *stage, run), READING):
            tally.add(rows)
    except STORE_TROUBLE as error:
        where = settings.object_store.endpoint
        raise Mistakes([f"{config}: object_store: {where} does not answer ({error}); start it first."]) from None
    return tally.manifest(run)


def main() -> None:
    """`compare TRUCK ARCHIVE` exits 0 when equal, 1 when not; `archive --config FILE` prints; 2 on a mistake."""
    parser = argparse.ArgumentParser(description="Manifests of a race day.")
    commands = parser.add_subparsers(dest="command", required=True)
    comparing = commands.add_parser("compare", help="what the truck recorded with what the archive stored")
    comparing.add_argument("truck", type=Path, help="JSON as the recorder's GET /manifest gives it")
    comparing.add_argument("archive", type=Path, help="JSON as the archive's GET /manifest gives it")
    reading = commands.add_parser("archive", help="read the stored Parquet again and print its manifest")
    reading.add_argument("--config", type=Path, required=True, help="the archive's own config file")
    reading.add_argument("--run", type=int, help="run of the stage; the last where it is left out")
    asked = parser.parse_args()
    try:
        if asked.command == "archive":
            print(json.dumps(read_archive(asked.config, asked.run).to_json()))
            return
        truck, archive = read_manifest(asked.truck), read_manifest(asked.archive)
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)
        sys.exit(2)
    differences = compare(truck, archive)
    print("\n".join(differences) or f"equal: {truck.readings} readings of {len(truck.devices)} devices")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
