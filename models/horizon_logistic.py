"""How does a logistic regression give one risk curve, which never rises with the horizon?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

FloatArray = npt.NDArray[np.float64]

MIDDLE_WEEKS = 13
"""The horizon at which the curve is anchored: there it is a plain logistic regression."""

STEPS, TOLERANCE = 500, 1e-8
"""Of L-BFGS: steps at most, and the share by which a step must lower the loss to go on."""


@dataclass(frozen=True)
class HorizonLogistic:
    """logit P(no order in h weeks) = a + b·x + min(0, c + d·x) · ln(h/13).

    The second half is the slope in the logarithm of the horizon, each retailer's own; the minimum keeps the curve from rising.
    At 13 weeks it is the plain logistic regression on x.

    Attributes
    ----------
    level, slope
        (a, b…) and (c, d…): the constant first, then a number per column of x.
    """

    level: tuple[float, ...]
    slope: tuple[float, ...]

    def predict(self, columns: FloatArray, horizon_weeks: npt.ArrayLike) -> FloatArray:
        """Return the probability of no order, shape (rows,).

        Parameters
        ----------
        columns
            x, shape (rows, columns).
        horizon_weeks
            One number, or shape (rows,).

        Examples
        --------
        >>> curve = HorizonLogistic(level=(0.0, 1.0), slope=(-1.0, 2.0))
        >>> [curve.predict(np.array([[0.0], [1.0]]), weeks).round(2).tolist() for weeks in (4, 13)]
        [[0.76, 0.73], [0.5, 0.73]]
        """
        stretch = np.log(np.asarray(horizon_weeks, dtype=np.float64) / MIDDLE_WEEKS)
        slope = np.minimum(_linear(columns, self.slope), 0.0)
        return np.asarray(expit(_linear(columns, self.level) + slope * stretch), dtype=np.float64)


def fit_horizon_logistic(
    columns: FloatArray,
    places: npt.NDArray[np.intp],
    horizon_weeks: npt.ArrayLike,
    no_order: npt.ArrayLike,
    penalty: float,
    start: HorizonLogistic | None = None,
) -> HorizonLogistic:
    """Return the curve of greatest penalised likelihood.

    The fit leaves the minimum out: a slope above 0 is cut where the curve is read.

    Parameters
    ----------
    columns
        Standard scores of each retailer and origin, shape (retailers at origins, columns): the horizons share them.
    places
        Which of those each outcome belongs to, shape (rows,).
    horizon_weeks, no_order
        Shape (rows,).
    penalty
        λ of Σ loss + λ/2 · (Σb² + Σd²); the constants go free.
    start
        A curve to begin with, as that of a larger penalty; it saves steps.
    """
    yes = np.asarray(no_order, dtype=np.float64)
    stretch = np.log(np.asarray(horizon_weeks, dtype=np.float64) / MIDDLE_WEEKS)
    width = columns.shape[1] + 1
    penalised = np.tile(np.append(0.0, np.full(width - 1, penalty)), 2)

    def loss_and_gradient(coefficients: FloatArray) -> tuple[float, FloatArray]:
        both = coefficients.reshape(2, width)
        linear = columns @ both[:, 1:].T + both[:, 0]
        odds = linear[places, 0] + stretch * linear[places, 1]
        gap = expit(odds) - yes
        gaps = np.column_stack([np.bincount(places, weights=part, minlength=len(columns)) for part in (gap, gap * stretch)])
        gradient = np.vstack([gaps.sum(axis=0), columns.T @ gaps]).T.ravel() + penalised * coefficients
        loss = np.sum(np.logaddexp(0.0, odds) - yes * odds) + 0.5 * np.sum(penalised * coefficients**2)
        return float(loss) / len(yes), gradient / len(yes)

    begin = np.zeros((2, width))
    begin[:, 0] = _log_odds_of_mean(yes), -1.0
    if start is not None:
        begin = np.array([start.level, start.slope])
    options = {"maxiter": STEPS, "maxcor": 30, "ftol": TOLERANCE, "gtol": 1e-7}
    fitted = minimize(loss_and_gradient, begin.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(2, width)
    return HorizonLogistic(tuple(map(float, fitted[0])), tuple(map(float, fitted[1])))


def log_loss(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the mean of −ln of the probability that was given to what came, with probabilities kept 1e-6 from 0 and 1.

    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    yes = np.asarray(outcomes, dtype=bool)
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-6, 1 - 1e-6)
    return float(-np.mean(np.log(np.where(yes, p, 1 - p))))


def _linear(columns: FloatArray, coefficients: Sequence[float]) -> FloatArray:
    return np.asarray(columns @ np.asarray(coefficients[1:], dtype=np.float64) + coefficients[0], dtype=np.float64)


def _log_odds_of_mean(yes: FloatArray) -> float:
    """Log-odds of the share of yeses, with half a row of each added."""
    return float(np.log((yes.sum() + 0.5) / (len(yes) - yes.sum() + 0.5)))
