"""The hub may be away: the day goes on."""

import socket

from infra.day.hub import Hub


def test_a_hub_that_is_away_is_an_answer_and_no_traceback(caplog, capfd):
    """Guards against a page of the client's traceback each time a season ends whose machines are dead."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        hub = Hub(f"nats://127.0.0.1:{closed.getsockname()[1]}", "a password")
        assert hub.phase("2017-s09", "live", "race-ready") is False
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
