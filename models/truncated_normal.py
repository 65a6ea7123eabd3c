"""Moments and quantiles of a normal law cut to an interval, which the EM of recovery asks for; stable far out in the tails.

With a = (lower - mu) / sd, b = (upper - mu) / sd, Z = P(a <= N <= b) and the inverse Mills ratio m = (phi(a) - phi(b)) / Z:

    E[X]   = mu + sd · m
    Var[X] = sd² · (1 + (a·phi(a) - b·phi(b)) / Z - m²)

(Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1, 1994, §10.1; for b = inf this is mu + sd · lambda(a).)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtri

from models.stacking import Floats

LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)
FARTHEST = 30.0
"""Standard deviations beyond which bounds are taken as this far: densities there underflow, and no estimate depends on them."""


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
    log_mass = _log_mass(a, b)
    at_a, at_b = _over_mass(a, log_mass), _over_mass(b, log_mass)
    ratio = at_a - at_b
    finite = np.isfinite(a), np.isfinite(b)
    drift = np.where(finite[0], a, 0.0) * at_a - np.where(finite[1], b, 0.0) * at_b
    variance = np.clip(1.0 + drift - ratio**2, 0.0, 1.0)
    return mu + sd * np.where(mirrored, -ratio, ratio), sd**2 * variance


def quantile(probability: float, lower: Floats, upper: Floats, mu: Floats, sd: Floats) -> Floats:
    """Return a quantile of a normal law given that it lies in [lower, upper].

    >>> round(float(quantile(0.5, np.array([0.0]), np.array([np.inf]), np.array([0.0]), np.array([1.0]))[0]), 4)
    0.6745
    """
    a, b, mirrored = _standard_bounds(lower, upper, mu, sd)
    beyond = np.where(mirrored, 1.0 - probability, probability)
    upper_tail = np.exp(log_ndtr(-a)) * (1.0 - beyond) + np.exp(log_ndtr(-b)) * beyond
    z = np.clip(-ndtri(upper_tail), a, b)
    return mu + sd * np.where(mirrored, -z, z)


def _standard_bounds(lower: Floats, upper: Floats, mu: Floats, sd: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Bounds in standard units, mirrored where the interval lies below the mean, so that tails are always upper ones."""
    a, b = (lower - mu) / sd, (upper - mu) / sd
    mirrored = a + b < 0
    a, b = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    return np.minimum(a, FARTHEST), np.where(np.isfinite(b), np.minimum(b, FARTHEST + 1.0), b), mirrored


def _log_mass(a: Floats, b: Floats) -> Floats:
    """log P(a <= N <= b) from upper tails."""
    tail_a, tail_b = log_ndtr(-a), log_ndtr(-b)
    return tail_a + np.log1p(-np.exp(np.minimum(tail_b - tail_a, -1e-12)))


def _over_mass(bound: Floats, log_mass: Floats) -> Floats:
    finite = np.where(np.isfinite(bound), bound, 0.0)
    return np.where(np.isfinite(bound), np.exp(-0.5 * finite**2 - LOG_ROOT_2PI - log_mass), 0.0)
