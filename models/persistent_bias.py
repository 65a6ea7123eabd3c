"""Is a bias that no single week proves proven by several weeks in a row?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_ALLOWANCE = 1.0
"""Standard errors a week that never add up: half of the shift of two that it is tuned to find (Page 1954)."""

LEAST_ERROR = 1e-6
"""Of a logarithm; a bias without any error is one of very few rows."""


@dataclass(frozen=True)
class Accumulated:
    """A cumulative sum of biases.

    Attributes
    ----------
    total
        Standard errors beyond the allowance, added up since they began; above 0 forecasts are too high.
    weeks
        Over how many weeks.
    mean
        Mean bias of these weeks, a share.
    """

    total: float
    weeks: int
    mean: float


def accumulated_bias(biases: Sequence[float], errors: Sequence[float], harmless: float) -> Accumulated:
    """Add up biases week by week, each in its standard errors less an allowance, and begin anew whenever the sum falls to 0.

    The cumulative sum of Page (1954) of z = log(1 + bias) ÷ its error, to both sides. Its allowance is half of the bias to be found, the
    harmless one, and at least one standard error. A run whose mean bias is harmless counts as 0, however many retailers tell of it.

    Parameters
    ----------
    biases
        Relative biases, the newest last.
    errors
        Their standard errors.
    harmless
        Bias that does no harm, a share.

    Returns
    -------
    Accumulated
        Of the side that has more.

    Examples
    --------
    >>> accumulated_bias([0.02, -0.35, -0.35], [0.08, 0.06, 0.06], 0.2)
    Accumulated(total=-7.33, weeks=2, mean=-0.35)
    """
    logs = np.log(np.maximum(1.0 + np.asarray(biases, dtype=np.float64), LEAST_ERROR))
    spreads = np.maximum(np.asarray(errors, dtype=np.float64) / np.exp(logs), LEAST_ERROR)
    allowances = np.maximum(np.log1p(harmless) / 2 / spreads, LEAST_ALLOWANCE)
    sides = [_one_side(sign * logs / spreads - allowances) for sign in (1.0, -1.0)]
    (total, weeks), sign = max((sides[0], 1.0), (sides[1], -1.0))
    mean = float(np.expm1(np.mean(logs[len(logs) - weeks :]))) if weeks else 0.0
    matters = abs(np.log1p(mean)) > np.log1p(harmless)
    return Accumulated(round(sign * total, 2) if matters else 0.0, weeks, round(mean, 4))


def _one_side(steps: np.ndarray) -> tuple[float, int]:
    """Return the sum that never falls below 0, and over how many weeks it has been above."""
    total, weeks = 0.0, 0
    for step in steps:
        total = max(total + float(step), 0.0)
        weeks = weeks + 1 if total > 0 else 0
    return total, weeks
