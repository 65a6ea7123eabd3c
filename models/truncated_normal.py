"""Moments and quantiles of a normal law cut to an interval, which the EM of recovery asks for; stable far out in the tails.

With a = (lower - mu) / sd, b = (upper - mu) / sd, Z = P(a <= N <= b) and the inverse Mills ratio m = (phi(a) - phi(b)) / Z:

    E[X]   = mu + sd · m
    Var[X] = sd² · (1 + (a·phi(a) - b·phi(b)) / Z - m²)

(Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1, 1994, §10.1; for b = inf this is mu + sd · lambda(a).)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, log_ndtr, ndtri

from models.stacking import Floats

LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)
FARTHEST = 30.0
"""Standard deviations beyond which bounds are taken as this far, since densities underflow; the law then sits at the nearer bound."""


def moments(lower: Floats, upper: Floats, mu: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of a normal law given that it lies in [lower, upper]; bounds may be infinite.

    Parameters
    ----------
    lower, upper, mu, sd
        Arrays of one shape, lower < upper, sd > 0.

    Examples
    --------
    >>> mean, variance = moments(np.array([0.0]), np.array([np.inf]), np.array([0.0]), np.array([1.0]))
    >>> round(float(mean[0]), 4), round(float(variance[0]), 4)
    (0.7979, 0.3634)
    """
    a, b, mirrored = _standard_bounds(lower, upper, mu, sd)
    ratio, variance = _tail_moments(a)
    bounded = np.isfinite(b)
    ratio[bounded], variance[bounded] = _interval_moments(a[bounded], b[bounded])
    return np.clip(mu + sd * np.where(mirrored, -ratio, ratio), lower, upper), sd**2 * np.clip(variance, 0.0, 1.0)


def quantile(probability: float, lower: Floats, upper: Floats, mu: Floats, sd: Floats) -> Floats:
    """Return a quantile of a normal law given that it lies in [lower, upper].

    >>> round(float(quantile(0.5, np.array([0.0]), np.array([np.inf]), np.array([0.0]), np.array([1.0]))[0]), 4)
    0.6745
    """
    a, b, mirrored = _standard_bounds(lower, upper, mu, sd)
    beyond = np.where(mirrored, 1.0 - probability, probability)
    upper_tail = np.exp(log_ndtr(-a)) * (1.0 - beyond) + np.exp(log_ndtr(-b)) * beyond
    z: Floats = np.clip(-ndtri(upper_tail), a, b)
    return np.clip(mu + sd * np.where(mirrored, -z, z), lower, upper)


def _standard_bounds(lower: Floats, upper: Floats, mu: Floats, sd: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Bounds in standard units, mirrored where the interval lies below the mean, so that tails are always upper ones."""
    a, b = (lower - mu) / sd, (upper - mu) / sd
    mirrored = a < -b
    a, b = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    return np.minimum(a, FARTHEST), np.where(np.isfinite(b), np.minimum(b, FARTHEST + 1.0), b), mirrored


def _tail_moments(a: Floats) -> tuple[Floats, Floats]:
    """Mean and variance beyond ``a``: the inverse Mills ratio sqrt(2/pi) / erfcx(a / sqrt 2) neither over- nor underflows there."""
    ratio = np.sqrt(2.0 / np.pi) / erfcx(a / np.sqrt(2.0))
    return ratio, 1.0 + np.where(np.isfinite(a), a, 0.0) * ratio - ratio**2


def _interval_moments(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Mean and variance between ``a`` and a finite ``b``; ``a`` may be -inf only where ``b`` is far above 0."""
    tail_a, tail_b = log_ndtr(-a), log_ndtr(-b)
    log_mass = tail_a + np.log1p(-np.exp(np.minimum(tail_b - tail_a, -1e-12)))
    at_a, at_b = np.exp(-0.5 * a**2 - LOG_ROOT_2PI - log_mass), np.exp(-0.5 * b**2 - LOG_ROOT_2PI - log_mass)
    ratio = at_a - at_b
    return ratio, 1.0 + a * at_a - b * at_b - ratio**2
