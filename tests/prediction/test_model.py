"""The fitted model and its record, as they come with the package."""

import copy
import json
from pathlib import Path

import pytest
from tracking.prediction.model import ModelError, from_json, load_model, to_json
from tracking.prediction.record import FITTED, load_record
from tracking.prediction.study.record import SCORED_KM


def document() -> dict:
    return json.loads(FITTED.read_bytes())


def test_the_model_of_the_package_survives_its_file() -> None:
    """Guards: a fit that cannot be read back as it was."""
    assert to_json(load_model()) == document()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fitted: fitted["basis"]["features"]["catch"].reverse(),
        lambda fitted: fitted["basis"].update(every_s=60),
        lambda fitted: fitted["catch"]["weights"].pop(),
        lambda fitted: fitted["catch"]["weights"].__setitem__(0, None),
        lambda fitted: fitted.pop("paces"),
        lambda fitted: fitted["finish"].pop(),
    ],
)
def test_a_model_of_other_features_is_refused_with_the_remedy(spoil) -> None:
    """Guards: weights that are multiplied with features they were not fitted to, which gives a number all the same."""
    fitted = copy.deepcopy(document())
    spoil(fitted)
    with pytest.raises(
        ModelError, match=r"fitted\.json: .*; fit it again with `python -m tracking\.prediction\.study`"
    ):
        from_json(fitted, "fitted.json")


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    """Guards: a traceback in the morning."""
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(tmp_path / "fitted.json")


def test_the_record_is_of_this_model_and_says_that_it_is_simulated() -> None:
    """Guards: figures of another model beside its forecasts, or figures that are taken for real races'."""
    record = load_record()
    assert record is not None
    assert record["simulated"] is True
    assert "simulated" in record["note"]
    for part in (record, record["unseen_course"]):
        catch = part["catch"]
        assert [row["km_to_go"] for row in catch["by_km_to_go"]] == list(SCORED_KM)
        assert [row["course"] for row in catch["by_course"]] == list(record["courses"])
        assert sum(row["forecasts"] for row in catch["reliability"]) == catch["overall"]["forecasts"]


def test_the_record_of_another_model_is_not_shown(tmp_path: Path) -> None:
    """Guards: a record that outlives its model."""
    other = tmp_path / "record.json"
    other.write_text(json.dumps({"model": "another"}))
    assert load_record(other) is None
