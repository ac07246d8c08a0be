"""What a forecast has to beat: how often breakaways are caught from here, and Robert Chapatte's rule of thumb."""

from dataclasses import dataclass

import numpy as np

CHAPATTE_S_PER_KM = 6.0
"""A peloton takes back one minute in ten kilometres."""


@dataclass(frozen=True, slots=True)
class BaseRate:
    """Share of breakaways that were caught in the training stages, by the distance that they had to go."""

    km: np.ndarray
    """(n,) upper ends of the distances, ascending; beyond the last its share holds."""
    share: np.ndarray
    """(n,)"""

    def at(self, to_go_km: np.ndarray) -> np.ndarray:
        """Shares at distances to go, same shape."""
        return self.share[np.minimum(np.searchsorted(self.km, to_go_km), len(self.km) - 1)]


BASE_RATE_KM = (2.0, 4.0, 7.0, 12.0, 20.0, 30.0, 40.0, 60.0, 80.0, 110.0, 150.0, 300.0)


def fit_base_rate(to_go_km: np.ndarray, caught: np.ndarray) -> BaseRate:
    """Counts (n,) training forecasts; a distance with few of them leans towards a half."""
    bins = np.minimum(np.searchsorted(BASE_RATE_KM, to_go_km), len(BASE_RATE_KM) - 1)
    count = np.bincount(bins, minlength=len(BASE_RATE_KM))
    hits = np.bincount(bins, weights=caught.astype(float), minlength=len(BASE_RATE_KM))
    return BaseRate(np.array(BASE_RATE_KM), (hits + 1) / (count + 2))


def chapatte(gap_s: np.ndarray, to_go_km: np.ndarray) -> np.ndarray:
    """1 where the rule says caught, 0 where it says not, same shape."""
    return (np.asarray(gap_s) <= CHAPATTE_S_PER_KM * np.asarray(to_go_km)).astype(float)
