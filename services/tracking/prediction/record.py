"""How forecasts of the fitted model have done; who only shows it needs nothing of what makes them."""

import json
from pathlib import Path
from typing import Any

FITTED = Path(__file__).parent / "fitted.json"
"""All that was measured on training stages."""
RECORD = Path(__file__).parent / "record.json"
"""How forecasts with it have done on simulated stages that it was not fitted to."""


def load_record(file: Path = RECORD) -> dict[str, Any] | None:
    """What /api/forecasts tells of them; None where no study was made of the present model."""
    try:
        record, fitted = json.loads(file.read_bytes()), json.loads(FITTED.read_bytes())
    except (OSError, ValueError):
        return None
    return record if record.get("model") == fitted.get("name") else None


def load_judged(file: Path) -> dict[str, Any] | None:
    """What `python -m tracking.prediction.judge` has found of races that are over; None where there is nothing yet."""
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
