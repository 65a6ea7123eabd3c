"""Between which bounds does a probability of churn lie?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import beta, norm

FloatArray = npt.NDArray[np.float64]

LEVEL = 0.90
"""Share of the intervals that are to hold the probability that the model would give if it knew endlessly many retailers."""


@dataclass(frozen=True)
class Curves:
    """Probabilities by horizon with their bounds, each of shape (retailers, horizons); none of the three rises with the horizon."""

    p: FloatArray
    low: FloatArray
    high: FloatArray


def curves_of_odds(odds: FloatArray, variance: FloatArray) -> Curves:
    """Return probabilities and their bounds from calibrated log-odds that do not rise with the horizon, shape (retailers, horizons)."""
    low, high = nested(*odds_bounds(odds, variance))
    return Curves(np.asarray(expit(odds), dtype=np.float64), low, high)


def odds_bounds(odds: npt.ArrayLike, variance: npt.ArrayLike, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of probabilities whose log-odds are normal around an estimate.

    Parameters
    ----------
    odds, variance
        Calibrated log-odds and their variance, of one shape; NaN where it is not known.
    level
        Share that the bounds hold.

    Examples
    --------
    >>> low, high = odds_bounds([0.0], [1.0])
    >>> low.round(2), high.round(2)
    (array([0.16]), array([0.84]))
    """
    z, reach = np.asarray(odds, dtype=np.float64), norm.ppf((1 + level) / 2) * np.sqrt(np.asarray(variance, dtype=np.float64))
    return np.asarray(expit(z - reach), dtype=np.float64), np.asarray(expit(z + reach), dtype=np.float64)


def rate_bounds(rates: npt.ArrayLike, retailers: npt.ArrayLike, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of rates observed on so many retailers: quantiles of Beta(n p + ½, n (1 − p) + ½) (Jeffreys), holding the rate.

    >>> low, high = rate_bounds([0.1], [100])
    >>> low.round(3), high.round(3)
    (array([0.059]), array([0.158]))
    """
    p, n = np.asarray(rates, dtype=np.float64), np.asarray(retailers, dtype=np.float64)
    low, high = (beta.ppf(q, n * p + 0.5, n * (1 - p) + 0.5) for q in ((1 - level) / 2, (1 + level) / 2))
    return np.minimum(low, p), np.maximum(high, p)


def nested(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return bounds that do not rise with the horizon, none narrower than given.

    As the probabilities do not rise either, each of them stays within its bounds.

    Parameters
    ----------
    low, high
        Shape (retailers, horizons), horizons rising.

    Examples
    --------
    >>> nested(np.array([[0.1, 0.2]]), np.array([[0.3, 0.4]]))
    (array([[0.1, 0.1]]), array([[0.4, 0.4]]))
    """
    return np.minimum.accumulate(low, axis=1), np.maximum.accumulate(high[:, ::-1], axis=1)[:, ::-1]
