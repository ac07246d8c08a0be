"""Race control's decisions: said once, understood by everyone, refused where they make no sense."""

import json
import sys
from pathlib import Path

import pytest
from tracking import race_control
from tracking.race_control import BikeChange, Decision, JerseyWorn, Withdrawal, apply, decision_of

AT_MS = 1_499_596_500_000


class Tracked:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def assign(self, device: int, rider: int, from_ms: int) -> None:
        self.told.append(("assign", device, rider, from_ms))

    def withdraw(self, rider: int, at_ms: int) -> None:
        self.told.append(("withdraw", rider, at_ms))

    def set_yellow(self, rider: int | None) -> None:
        self.told.append(("yellow", rider))


DECISIONS: tuple[tuple[Decision, dict[str, object], list[tuple[object, ...]]], ...] = (
    (
        BikeChange(device=207, rider=21, from_ms=AT_MS),
        {"kind": "bike_change", "device": 207, "rider": 21, "from_ms": AT_MS},
        [("assign", 207, 21, AT_MS)],
    ),
    (
        Withdrawal(rider=45, at_ms=AT_MS),
        {"kind": "withdrawal", "rider": 45, "at_ms": AT_MS},
        [("withdraw", 45, AT_MS)],
    ),
    (
        JerseyWorn(jersey="yellow", rider=1),
        {"kind": "jersey", "jersey": "yellow", "rider": 1},
        [("yellow", 1)],
    ),
    (JerseyWorn(jersey="polka_dot", rider=1), {"kind": "jersey", "jersey": "polka_dot", "rider": 1}, []),
)


@pytest.mark.parametrize(("decision", "document", "told"), DECISIONS)
def test_a_decision_is_read_as_it_was_written_and_takes_effect(
    decision: Decision, document: dict[str, object], told: list[tuple[object, ...]]
) -> None:
    """Guards: a decision that reaches the tracker as another one."""
    assert json.loads(decision.as_json()) == document
    assert decision_of(decision.as_json()) == decision
    tracked = Tracked()
    apply(decision, tracked)
    assert tracked.told == told


def test_the_same_decision_has_one_identity_and_others_have_others() -> None:
    """Guards: a withdrawal that is counted twice, or swallowed as the double of another rider's."""
    identities = {decision.identity for decision, _, _ in DECISIONS}
    assert len(identities) == len(DECISIONS)
    assert Withdrawal(rider=45, at_ms=AT_MS).identity in identities


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "decision: invalid JSON"),
        (b"[]", "decision: "),
        (b'{"kind": "disqualification"}', "decision: input tag 'disqualification'"),
        (b'{"kind": "withdrawal", "rider": 0, "at_ms": 5}', "rider: input should be greater than or equal to 1"),
        (b'{"kind": "withdrawal", "rider": "45", "at_ms": 1499596500000}', "rider: input should be a valid integer"),
        (b'{"kind": "jersey", "jersey": "red", "rider": 1}', "jersey: input should be 'yellow', 'green'"),
        (b'{"kind": "jersey", "jersey": "green", "rider": 1, "x": 1}', "x: extra inputs are not permitted"),
        (b"\xff\xfe", "decision: invalid JSON"),
    ],
)
def test_a_bad_decision_is_refused_with_a_sentence(text: bytes, says: str) -> None:
    """Guards: a processor that dies of, or obeys, a message that nobody meant."""
    with pytest.raises(ValueError, match="correct it and publish the decision again") as refused:
        decision_of(text)
    assert says in str(refused.value)


def test_all_mistakes_of_a_decision_are_told() -> None:
    """Guards: one mistake a try while the race goes on."""
    with pytest.raises(ValueError, match="correct it") as refused:
        decision_of(b'{"kind": "bike_change", "device": 0, "rider": 70000, "from_ms": 1}')
    assert all(name in str(refused.value) for name in ("device: ", "rider: ", "from_ms: "))


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    """The command with these arguments, for a broker that is not there."""
    config = folder / "processor.json"
    broker = {"url": "nats://127.0.0.1:9", "user": "etape", "password": "none"}
    config.write_text(json.dumps({"stack": "2017-s09", "broker": broker, "health_port": 0}))
    monkeypatch.setattr(sys, "argv", ["race_control", "--config", str(config), *arguments])
    return race_control.main()


def test_the_command_says_when_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards: a decision that seems published; also a config of another service that is not accepted."""
    assert run(monkeypatch, tmp_path, "withdraw", "--rider", "45") == 1
    assert "publish it again when it is back" in capsys.readouterr().err


def test_the_command_refuses_a_time_without_offset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards: a withdrawal two hours off."""
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path, "withdraw", "--rider", "45", "--at", "2017-07-09T14:05:00")
    assert "--at" in capsys.readouterr().err
