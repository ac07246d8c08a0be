"""How soon the race's page says something, what it weighs, and how soon a fix is on it.

The whole path on loopback: 198 riders, two relays, the truck's broker, forwarder, the cloud's broker, processor, and
the Race Centre as it is deployed; Chromium reads the page, each time with nothing in its cache. All clocks are one.

*First paint* is the browser's own `first-contentful-paint`; *filled* is when the live table of riders has all of them.
Both are counted from the request for the page.

*Fix to browser* is counted for each fix of each rider: from the moment at which the device sends it to the first
picture of a page whose figures hold it, or a newer one of the rider. A page is asked what its clock shows whenever
it changes; which fixes are in that second of the race says the feed. The peer polls the snapshot once a second.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np

from tests.bench.figure import Figure

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

    from tests.tracking_transport.harness import Field

LOADS = 15
PAINT_GOAL_MS, BYTES_GOAL, FIX_GOAL_MS = 1000.0, 500_000, 2000.0
SETTLING_S, MEASURED_S = 10.0, 60.0
NEWEST_MS = 3000.0
"""Fixes of so long before the last look may be on their way yet."""
VIEWPORT: "ViewportSize" = {"width": 1440, "height": 900}
FILLED = """
new MutationObserver((_, watch) => {
    if (document.querySelectorAll('.riders tbody tr').length < 198) return
    performance.mark('filled')
    watch.disconnect()
}).observe(document, { childList: true, subtree: true })
"""
PAINTED = """async () => {
    const at = async (name) => {
        for (;;) {
            const [entry] = performance.getEntriesByName(name)
            if (entry) return entry.startTime
            await new Promise((again) => setTimeout(again, 20))
        }
    }
    return [await at('first-contentful-paint'), await at('filled')]
}"""
WATCH = """() => {
    window.shown = []
    const clock = document.querySelector('header time')
    new MutationObserver(() => {
        const moment = Date.parse(clock.dateTime)
        requestAnimationFrame(() => shown.push([moment, Date.now()]))
    }).observe(clock, { attributeFilter: ['datetime'] })
}"""
"""Keeps what the clock says, and the Unix milliseconds of the picture in which it says so."""
POLLING = """<!doctype html><header><time></time></header><script>
setInterval(async () => {
    const { race } = await (await fetch('/api/snapshot')).json()
    const said = new Date(race.clock_ms).toISOString(), clock = document.querySelector('time')
    if (clock.dateTime !== said) clock.dateTime = clock.textContent = said
}, 1000)
</script>"""
PEER = "a page that polls the snapshot once a second"


def figures() -> list[Figure]:
    """First paint and the filled table, median and worst; bytes before the map; fix to browser beside the peer."""
    from tests.browser.chromium import NO_WEBGL, SOFTWARE_WEBGL, launcher
    from tests.browser.race_pages import transferred

    with _race() as (address, ride), launcher() as launch:
        space, flat = launch(*SOFTWARE_WEBGL), launch(*NO_WEBGL)
        loads = np.array([_load(space, address) for _ in range(LOADS)])
        weight = sum(size for _, size in transferred(space, address))
        space.close()
        ours, peer = _fix_to_browser(flat, address, ride)
        flat.close()
        widget, whole = (_bytes_per_s(f"{address}/api/stream{query}") for query in ("?view=groups", ""))
    print(f"first paint and filled, ms: {loads.round().astype(int).tolist()}", file=sys.stderr)
    return [
        *_of_loads("race.first_paint", loads[:, 0], PAINT_GOAL_MS),
        *_of_loads("race.filled", loads[:, 1], None),
        Figure("race.bytes_before_map", weight, "bytes", goal=BYTES_GOAL),
        Figure("race.widget_bytes_per_s", widget, "bytes/s", peer=whole, peer_name="the whole stream"),
        Figure("tracking.fix_to_browser_p99", ours, "ms", goal=FIX_GOAL_MS, peer=peer, peer_name=PEER),
    ]


def _of_loads(name: str, milliseconds: np.ndarray, goal: float | None) -> list[Figure]:
    return [
        Figure(f"{name}_ms", round(float(np.median(milliseconds)), 1), "ms", goal=goal),
        Figure(f"{name}_worst_ms", round(float(milliseconds.max()), 1), "ms", goal=goal),
    ]


def _load(browser: "Browser", address: str) -> tuple[float, float]:
    """(first paint, filled) in milliseconds of one reader who comes for the first time."""
    context = browser.new_context(viewport=VIEWPORT)
    context.add_init_script(FILLED)
    page = context.new_page()
    page.goto(address, wait_until="commit")
    painted, filled = page.evaluate(PAINTED)
    context.close()
    return painted, filled


class Ride:
    """198 riders, each of whose devices fixes and sends at every full second of the wall's clock."""

    def __init__(self, field: "Field") -> None:
        self.sent_ms: dict[int, float] = {}
        """Unix milliseconds at which the fixes of a second of the race were sent."""
        self._field = field
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._ride, daemon=True)

    def __enter__(self) -> "Ride":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _ride(self) -> None:
        while not self._stopping.wait(1 - time.time() % 1):
            self.sent_ms[self._field.clock_ms + 1000] = time.time() * 1000
            self._field.ride()


@contextmanager
def _race() -> Iterator[tuple[str, Ride]]:
    """The address of a Race Centre behind brokers and services, and the race that it shows."""
    from tests.tracking_transport.harness import STACK, Process, estate_on_loopback, eventually, free_port, stage_config

    with tempfile.TemporaryDirectory(prefix="etape-bench-") as name, estate_on_loopback(Path(name)) as estate:
        folder, port = Path(name), free_port()
        address = f"http://127.0.0.1:{port}"
        config = {"stack": STACK, "health_port": port, "broker": estate.cloud.config(), "stage": stage_config()}
        (folder / "race_centre.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "race_centre", "--config", str(folder / "race_centre.json")]
        centre = Process(command, folder / "race_centre.log")
        centre.start()
        try:
            with Ride(estate.field) as ride:
                eventually(
                    "the page's race is live",
                    lambda: httpx.get(f"{address}/api/snapshot").json()["race"]["status"] == "live",
                )
                time.sleep(SETTLING_S)
                yield address, ride
        finally:
            centre.kill()


def _fix_to_browser(browser: "Browser", address: str, ride: Ride) -> tuple[float, float]:
    """The 99th percentile in milliseconds: (of the page, of the peer)."""
    page = browser.new_page(viewport=VIEWPORT)
    page.goto(address)
    peer = browser.new_page()
    peer.route("**/polling", lambda route: route.fulfill(body=POLLING, content_type="text/html"))
    peer.goto(f"{address}/polling")
    pages = page, peer
    for one in pages:
        one.wait_for_selector("header time[datetime]")
        one.evaluate(WATCH)
    seen = _Seen(address)
    page.wait_for_timeout(MEASURED_S * 1000)
    ours, peers = (_p99(_shown(one), seen, ride) for one in pages)
    return ours, peers


def _bytes_per_s(stream: str) -> float:
    """What a reader of a stream takes in a second, as it is sent, once it has the first second whole."""
    with httpx.stream("GET", stream, timeout=30) as told:
        parts = told.iter_raw()
        end = time.monotonic() + SETTLING_S
        while time.monotonic() < end:
            next(parts)
        begin, taken = time.monotonic(), 0
        while time.monotonic() < begin + 2 * SETTLING_S:
            taken += len(next(parts))
        return round(taken / (time.monotonic() - begin), 1)


def _shown(page: "Page") -> np.ndarray:
    """(k, 2): race clock, and Unix milliseconds since which it was on the page."""
    return np.array(page.evaluate("shown"))


class _Seen:
    """Which fix is the newest of each rider, at every second that the feed tells from now on."""

    def __init__(self, address: str) -> None:
        self.by_clock: dict[int, dict[int, int]] = {}
        threading.Thread(target=self._listen, args=(address,), daemon=True).start()

    def _listen(self, address: str) -> None:
        with suppress(httpx.HTTPError), httpx.stream("GET", f"{address}/api/stream", timeout=30) as events:
            for line in events.iter_lines():
                if line.startswith("data: "):
                    told = json.loads(line.removeprefix("data: "))
                    riders = {rider["rider"]: rider["seen_ms"] for rider in told["riders"]}
                    self.by_clock[told["race"]["clock_ms"]] = riders


def _p99(shown: np.ndarray, seen: _Seen, ride: Ride) -> float:
    """Of all fixes that were sent while the page was looked at, but for the last that cannot be there yet."""
    known = [(at_ms, seen.by_clock[clock_ms]) for clock_ms, at_ms in shown.tolist() if clock_ms in seen.by_clock]
    at_ms = np.array([at for at, _ in known])
    fixes = [(fix, sent) for fix, sent in ride.sent_ms.items() if at_ms[0] < sent < at_ms[-1] - NEWEST_MS]
    fix_ms, sent_ms = np.array(fixes).T
    lags = []
    for rider in known[0][1]:
        first = np.searchsorted([riders[rider] for _, riders in known], fix_ms)
        lags.append(np.append(at_ms, np.inf)[first] - sent_ms)
    spread = np.concatenate(lags)
    missing = np.isinf(spread)
    print(f"{len(spread)} fixes, {missing.sum()} never shown", file=sys.stderr)
    print(f"p50 {np.median(spread):.0f}, worst {spread[~missing].max():.0f} ms", file=sys.stderr)
    return round(float(np.percentile(np.where(missing, MEASURED_S * 1000, spread), 99)), 1)
