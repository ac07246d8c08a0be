"""Logged forecasts, held against a race of five riders that can be drawn on paper."""

import json
from pathlib import Path

import polars as pl
import pytest
from tracking.prediction.judge.__main__ import UNUSABLE, main
from tracking.prediction.record import load_judged

START_MS = 1_499_598_900_000
LENGTH_M = 6_000.0
SECONDS = 620
CAUGHT = ((1, 500.0, 10.0), (2, 0.0, 11.5), (3, -5.0, 11.5), (4, -10.0, 11.5), (5, -15.0, 11.5))
"""(number, metres at the start, m/s): the first is reached after 340 s, 2 wins."""
STAYED = ((1, 900.0, 10.5), (2, 0.0, 11.5), (3, -5.0, 11.5), (4, -10.0, 11.5), (5, -15.0, 11.5))


def states(folder: Path, riders: tuple[tuple[int, float, float], ...], name: str) -> Path:
    """As scripts/replay writes them."""
    rows = []
    for second in range(SECONDS):
        at = {number: start + speed * second for number, start, speed in riders}
        head = max(at.values())
        for number, start, speed in riders:
            home = at[number] >= LENGTH_M
            rows.append(
                {
                    "time_ms": START_MS + second * 1000,
                    "rider": number,
                    "km_to_go": max(LENGTH_M - at[number], 0.0) / 1000,
                    "gap_s": (head - at[number]) / speed,
                    "group": 0 if home else 1 if head - at[number] < 20 else 2,
                    "quality": "finished" if home else "fresh",
                    "seen_ms": START_MS + round((LENGTH_M - start) / speed * 1000) if home else 0,
                }
            )
    file = folder / f"{name}.parquet"
    pl.DataFrame(rows).with_columns(pl.col("quality").cast(pl.Categorical)).write_parquet(file)
    return file


def forecast(second: int, probability: float, finish_s: tuple[float, float, float]) -> dict:
    low, median, high = (START_MS + round(one * 1000) for one in finish_s)
    return {
        "clock_ms": START_MS + second * 1000,
        "km_to_go": 4.0,
        "catch": {"probability": probability, "baselines": {"base_rate": 0.5, "chapatte": 0.0}},
        "winner": [{"rider": 2, "probability": 0.6}],
        "finish": {"median_ms": median, "p10_ms": low, "p90_ms": high},
        "model": "x",
        "simulated": True,
    }


def log(folder: Path, name: str, *told: dict) -> Path:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in told))
    return file


def test_forecasts_are_scored_by_what_became_of_each(tmp_path: Path) -> None:
    """Guards: a log that nobody can hold against the race, and scores of other definitions than the forecasts'."""
    finish_s = LENGTH_M / 11.5
    caught = log(tmp_path, "one", forecast(100, 0.9, (500, 520, 530)), forecast(200, 0.7, (510, finish_s, 515)))
    stayed = log(tmp_path, "two", forecast(100, 0.2, (400, 480, 500)), {**forecast(110, 0.1, (1, 2, 3)), "catch": None})
    out = tmp_path / "judged.json"
    pairs = [(caught, states(tmp_path, CAUGHT, "a")), (stayed, states(tmp_path, STAYED, "b"))]
    asked = [word for told, seen in pairs for word in ("--log", str(told), "--states", str(seen))]
    assert main([*asked, "--out", str(out)]) == 0
    judged = load_judged(out)
    assert judged is not None
    assert judged["simulated"] is True
    one, two = judged["by_stage"]
    assert (one["stage"], one["catch"]["caught"]) == ("one", 1.0)
    assert one["catch"]["brier"] == pytest.approx((0.01 + 0.09) / 2)
    assert one["winner"]["log_loss"] == pytest.approx(0.5108)  # 0.6 was given to the winner
    assert one["finish"]["coverage_of_80_percent"] == 0.5
    assert (two["forecasts"], two["catch"]["forecasts"], two["catch"]["caught"]) == (2, 1, 0.0)
    assert two["winner"]["log_loss"] == pytest.approx(2.3026)  # a tenth, of the rest for four
    assert judged["overall"]["catch"]["brier"] == pytest.approx((0.01 + 0.09 + 0.04) / 3, abs=1e-4)
    assert sum(row["forecasts"] for row in judged["overall"]["catch"]["reliability"]) == 3


def test_the_archive_s_log_is_judged_like_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards: forecasts that can be judged only while the broker still has them."""
    told = forecast(100, 0.9, (500, 520, 530))
    pl.DataFrame({"seq": [1], "text": [json.dumps(told)]}).write_parquet(tmp_path / "s.parquet")
    seen = str(states(tmp_path, CAUGHT, "a"))
    assert main(["--log", str(tmp_path / "s.parquet"), "--states", seen]) == 0
    archived = capsys.readouterr().out
    assert main(["--log", str(log(tmp_path, "s", told)), "--states", seen]) == 0
    assert archived == capsys.readouterr().out


def test_what_cannot_be_judged_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards: one mistake after the other, and a race judged before it is over."""
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    over = states(tmp_path, CAUGHT, "a")
    going_on = tmp_path / "b.parquet"
    pl.read_parquet(over).filter(pl.col("km_to_go") > 0).write_parquet(going_on)
    early = log(tmp_path, "early", forecast(100, 0.9, (500, 520, 530)))
    asked = ["--log", str(broken), "--states", str(over), "--log", str(early), "--states", str(going_on)]
    assert main(asked) == UNUSABLE
    told = capsys.readouterr().err.splitlines()
    assert "line 1 has no clock_ms, catch, winner, finish" in told[0]
    assert "nobody has finished" in told[1]
