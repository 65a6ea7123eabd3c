"""How is a probability turned into log-odds that stay finite?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logit

FloatArray = npt.NDArray[np.float64]

LEAST_PROBABILITY = 1e-6


def log_odds(probabilities: npt.ArrayLike) -> FloatArray:
    """Return ln p/(1−p), with p kept at least 1e-6 away from 0 and 1.

    >>> log_odds([0.5, 0.75]).round(3)
    array([0.   , 1.099])
    """
    kept = np.clip(np.asarray(probabilities, dtype=np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(logit(kept), dtype=np.float64)
