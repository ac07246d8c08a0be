"""The feed over a real broker: what other services publish is told, and what was published can be asked for."""

import json
import time

import httpx

from tests.feeds.races import event, forecast
from tests.tracking_transport.harness import STACK, Loopback, eventually
from tests.tracking_transport.test_path import publish


def test_what_others_publish_is_told_with_the_next_second(loopback: Loopback) -> None:
    """Guards: subjects and shapes on which services do not agree."""
    said = {"kind": "jersey", "jersey": "green", "rider": 21}
    publish(loopback.cloud, f"events.{STACK}", json.dumps(event(1)).encode())
    publish(loopback.cloud, f"forecasts.{STACK}", json.dumps(forecast(1)).encode())
    publish(loopback.cloud, f"control.{STACK}", json.dumps(said).encode())
    publish(loopback.cloud, "events.2017-s10", json.dumps({**event(2), "text": "Of another stage."}).encode())
    feed = loopback.services["feed"]
    eventually("the event is told", lambda: feed.get("/api/events")["events"])
    eventually("the forecast is told", lambda: feed.get("/api/forecasts")["forecasts"])
    with loopback.field.riding():
        eventually("a jersey is worn", lambda: any(g["jerseys"] == ["green"] for g in loopback.snapshot()["groups"]))
        eventually("the snapshot has the forecast", lambda: loopback.snapshot()["forecast"])
    assert "Of another stage." not in json.dumps(feed.get("/api/events"))


def test_a_restarted_feed_knows_what_was_told(loopback: Loopback) -> None:
    """Guards: events, jerseys and forecasts that a restart in the middle of the race forgets."""
    feed = loopback.services["feed"]
    publish(loopback.cloud, f"events.{STACK}", json.dumps(event(3)).encode())
    eventually("the event is told", lambda: event(3) in feed.get("/api/events")["events"])
    known = feed.get("/api/events"), feed.get("/api/startlist")
    feed.kill()
    feed.start()
    eventually("it tells the same again", lambda: (feed.get("/api/events"), feed.get("/api/startlist")) == known)


def test_any_second_of_the_day_can_be_asked_for(loopback: Loopback) -> None:
    """Guards: a replay that shows other seconds than were published."""
    with loopback.field.riding():
        eventually("the feed is live", loopback.is_live)
        live = loopback.snapshot()
        time.sleep(2)
    feed = loopback.services["feed"]
    eventually("the last second is told", lambda: feed.get("/api/timeline")["to_ms"] == loopback.field.clock_ms)
    past = feed.get(f"/api/moments/{live['race']['clock_ms']}")
    assert past["replay"] is True
    assert past["riders"] == live["riders"]
    span = feed.get("/api/timeline")
    assert span["from_ms"] < live["race"]["clock_ms"] < span["to_ms"]
    url = f"http://127.0.0.1:{feed.port}/api/replay?from_ms={span['from_ms']}&speed=3600"
    with httpx.stream("GET", url, timeout=20) as stream:
        idents = [int(line.removeprefix("id: ")) for line in stream.iter_lines() if line.startswith("id: ")]
    assert idents == sorted(set(idents))
    assert (idents[0], idents[-1]) == (span["from_ms"], span["to_ms"])
