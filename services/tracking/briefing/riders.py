"""Who starts: numbers as on the riders' backs. No names: the riders are simulated."""

import numpy as np

TEAMS = 22
RIDERS_A_TEAM = 9


def start_list() -> np.ndarray:
    """Numbers of the 198 starters (u2), ascending: 1-9, 11-19, ... 211-219; also the numbers on their devices."""
    teams = np.arange(TEAMS)[:, None] * 10
    return (teams + np.arange(1, RIDERS_A_TEAM + 1)).ravel().astype(np.uint16)
