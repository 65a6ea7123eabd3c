"""How are the probabilities of a model made to mean what they say?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit

FloatArray = npt.NDArray[np.float64]

LEAST_PROBABILITY = 1e-6
LEAST_SLOPE = 0.05


@dataclass(frozen=True)
class PlattCalibration:
    """The map p ↦ 1 / (1 + exp(−(slope · logit p + intercept))) (Platt 1999).

    With a slope above 0 it rises strictly, so whatever order the probabilities had, they keep.

    Attributes
    ----------
    slope, intercept
        1 and 0 change nothing.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Return the calibrated probabilities, of the shape given.

        >>> PlattCalibration(intercept=-1.0).apply([0.5]).round(3)
        array([0.269])
        """
        return np.asarray(expit(self.slope * log_odds(probabilities) + self.intercept), dtype=np.float64)


def log_odds(probabilities: npt.ArrayLike) -> FloatArray:
    """Return ln p/(1−p), with p kept at least 1e-6 away from 0 and 1.

    >>> log_odds([0.5, 0.75]).round(3)
    array([0.   , 1.099])
    """
    kept = np.clip(np.asarray(probabilities, dtype=np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(logit(kept), dtype=np.float64)


def fit_platt(probabilities: npt.ArrayLike, outcomes: npt.ArrayLike) -> PlattCalibration:
    """Return the Platt map that fits outcomes the model has not learned from.

    Platt's smoothed targets keep the fit finite where the probabilities separate the outcomes.

    Parameters
    ----------
    probabilities
        Of the model, shape (n,).
    outcomes
        0 or 1, shape (n,), both of them present.

    Returns
    -------
    PlattCalibration
        With a slope of at least 0.05: calibration may not turn the order round.

    Examples
    --------
    >>> fitted = fit_platt([0.2] * 100, [1] * 10 + [0] * 90)
    >>> fitted.apply([0.2]).round(1)
    array([0.1])
    """
    odds, yes = log_odds(probabilities), np.asarray(outcomes, dtype=bool)
    targets = np.where(yes, (yes.sum() + 1) / (yes.sum() + 2), 1 / ((~yes).sum() + 2))

    def negative_log_likelihood(coefficients: FloatArray) -> tuple[float, FloatArray]:
        linear = coefficients[0] * odds + coefficients[1]
        gap = expit(linear) - targets
        loss = np.mean(np.logaddexp(0.0, linear) - targets * linear)
        return float(loss), np.array([np.mean(gap * odds), np.mean(gap)])

    fitted = minimize(
        negative_log_likelihood, np.array([1.0, 0.0]), jac=True, bounds=[(LEAST_SLOPE, None), (None, None)], method="L-BFGS-B"
    )
    return PlattCalibration(slope=float(fitted.x[0]), intercept=float(fitted.x[1]))
