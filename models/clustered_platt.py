"""How are log-odds made to mean what they say, and how sure is that, when a retailer's rows of many origins tell much the same?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

FloatArray = npt.NDArray[np.float64]

LEAST_SLOPE = 0.05
"""Calibration may flatten the order of the log-odds, not turn it round."""

PRIOR_SPREAD = (0.3, 0.7)
"""Standard deviations of slope and intercept around 1 and 0 before any outcome is seen: trees of some hundred events are off by so much."""


@dataclass(frozen=True)
class ClusteredPlatt:
    """The map z ↦ slope · z + intercept of log-odds (Platt 1999), with the covariance of its two numbers.

    With a slope above 0 it rises strictly, so whatever order the log-odds had, they keep: one map for all horizons keeps theirs.

    Attributes
    ----------
    slope, intercept
        1 and 0 change nothing.
    covariance
        Of slope and intercept: variance of the slope, covariance, variance of the intercept. None where it is not known.
    retailers
        With a yes among the rows of the fit.
    """

    slope: float = 1.0
    intercept: float = 0.0
    covariance: tuple[float, float, float] | None = None
    retailers: int = 0

    def apply(self, odds: npt.ArrayLike) -> FloatArray:
        """Return calibrated log-odds, of the shape given.

        >>> ClusteredPlatt(slope=2.0, intercept=-1.0).apply([0.5, 1.0])
        array([0., 1.])
        """
        return np.asarray(self.slope * np.asarray(odds, dtype=np.float64) + self.intercept, dtype=np.float64)

    def variance(self, odds: npt.ArrayLike) -> FloatArray:
        """Return the variance of the calibrated log-odds, (z, 1) Σ (z, 1)ᵀ (delta method); NaN where Σ is not known.

        >>> ClusteredPlatt(covariance=(0.01, 0.0, 0.04)).variance([0.0, 2.0])
        array([0.04, 0.08])
        """
        z = np.asarray(odds, dtype=np.float64)
        if self.covariance is None:
            return np.full(z.shape, np.nan)
        slope, both, intercept = self.covariance
        return np.asarray(slope * z**2 + 2 * both * z + intercept, dtype=np.float64)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``dataclasses.asdict`` and JSON made of a map; an earlier version knew no covariance.

        >>> ClusteredPlatt.from_json({"slope": 1.1, "intercept": 0.2}).covariance is None
        True
        """
        covariance = stored.get("covariance")
        known = tuple(covariance) if covariance is not None else None
        return cls(stored["slope"], stored["intercept"], known, stored.get("retailers", 0))


def fit_clustered_platt(odds: npt.ArrayLike, outcomes: npt.ArrayLike, retailers: npt.ArrayLike) -> ClusteredPlatt:
    """Return the map that fits outcomes which the log-odds have not learned from.

    Rows of a retailer repeat each other, so that the likelihood claims more than it knows. Where g_r is the gradient of a retailer's rows,
    H the curvature of all and B = Σ g_r g_rᵀ, the claim is divided by tr(H⁻¹B)/2, if that is above 1, before the prior is added (λ, its
    precision): the most likely numbers have then the covariance (H' + λ)⁻¹ (B' + λ) (H' + λ)⁻¹ (sandwich; Liang and Zeger 1986).

    Parameters
    ----------
    odds
        Log-odds, shape (n,).
    outcomes
        0 or 1, shape (n,).
    retailers
        To which retailer a row belongs, shape (n,).

    Returns
    -------
    ClusteredPlatt
        With a slope of at least 0.05: calibration may not turn the order round. Without rows the prior.

    Examples
    --------
    >>> fitted = fit_clustered_platt([-1.4] * 500, [1] * 50 + [0] * 450, range(500))
    >>> expit(fitted.apply([-1.4])).round(1)
    array([0.1])
    """
    z, yes = np.asarray(odds, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    cluster = pd.factorize(np.asarray(retailers), use_na_sentinel=False)[0]
    precision = np.diag(1 / np.square(PRIOR_SPREAD))
    weight = 1.0
    for _ in range(2):
        slope, intercept = _most_likely(z, yes, weight, precision)
        curvature, spread = _curvature_and_spread(z, slope * z + intercept, yes, cluster)
        excess = float(np.trace(np.linalg.lstsq(curvature, spread, rcond=None)[0])) / 2 if len(z) else 1.0
        weight = 1 / max(excess, 1.0)
    inverse = np.linalg.inv(weight * curvature + precision)
    covariance = inverse @ (weight**2 * spread + precision) @ inverse
    n_yes = int(np.unique(cluster[yes > 0]).size)
    return ClusteredPlatt(slope, intercept, (float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])), n_yes)


def _most_likely(z: FloatArray, yes: FloatArray, weight: float, precision: FloatArray) -> tuple[float, float]:
    """Slope and intercept of greatest penalised likelihood."""

    def loss_and_gradient(numbers: FloatArray) -> tuple[float, FloatArray]:
        linear = numbers[0] * z + numbers[1]
        gap, off = weight * (expit(linear) - yes), numbers - np.array([1.0, 0.0])
        loss = weight * np.sum(np.logaddexp(0.0, linear) - yes * linear) + 0.5 * off @ precision @ off
        return float(loss), np.array([np.sum(gap * z), np.sum(gap)]) + precision @ off

    fitted = minimize(loss_and_gradient, np.array([1.0, 0.0]), jac=True, bounds=[(LEAST_SLOPE, None), (None, None)], method="L-BFGS-B")
    return float(fitted.x[0]), float(fitted.x[1])


def _curvature_and_spread(
    z: FloatArray, linear: FloatArray, yes: FloatArray, cluster: npt.NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """H, and B with the factor G/(G−1) of G retailers."""
    terms = np.column_stack([z, np.ones_like(z)])
    p = expit(linear)
    curvature = terms.T @ (terms * (p * (1 - p))[:, None])
    n_clusters = int(cluster.max()) + 1 if cluster.size else 0
    gradients = np.column_stack([np.bincount(cluster, weights=(p - yes) * term, minlength=n_clusters) for term in terms.T])
    spread = gradients.T @ gradients * (n_clusters / max(n_clusters - 1, 1))
    return np.asarray(curvature, dtype=np.float64), np.asarray(spread, dtype=np.float64)
