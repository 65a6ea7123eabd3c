"""How should a mean move when only an interval of a count is known? Likelihood of interval-censored negative binomial counts.

Y is NB2 with mean mu = exp(eta) and variance mu(1 + alpha·mu); alpha -> 0 is Poisson. What is known is a <= Y <= b: exact (a = b), at a cap
(b = inf), at a floor (a = 0), or both bounds. With p the probability of a count, B = a·p(a), C = (b + 1)·p(b + 1), P = P(a <= Y <= b):

    -dlogP/deta   = g = -(B - C) / P
    -d2logP/deta2 = h = g² - [B(a - mu) - C(b + 1 - mu)] / ((1 + alpha·mu) P)
    E[Y | a <= Y <= b] = mu - (1 + alpha·mu)·g

and for an exact count g = (mu - y) / (1 + alpha·mu), h = mu(1 + alpha·y) / (1 + alpha·mu)². They follow from dp(y)/deta =
p(y)(y - mu) / (1 + alpha·mu), whose sum over y telescopes; for b = inf they are those of a truncated sample (Terza 1985, A Tobit-type
estimator for the censored Poisson regression model; Caudill and Mixon 1995, for the negative binomial).

Sizes of orders are known only where something was ordered, so no count is ever 0 and the law is the one given Y >= 1: with
``ordered=True`` log P(Y >= 1) is taken off, g and h change accordingly, and a lower bound of 0 becomes 1. ``mu`` stays the mean of the
whole law; the mean of an order is ``order_mean``. Without it a size of 12 at alpha = 1 would count 8 % of weeks that are never seen.

h is a difference of terms of the size of g², so that for an interval ten thousand times below the mean a millionth of it is rounding.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from models.negative_binomial import log_interval, log_pmf, log_survival, tail_ratio
from models.stacking import Floats

ALPHA_RANGE = (1e-4, 20.0)
"""Dispersions that are looked for: from Poisson to far lumpier than orders in packs."""


def negative_log_likelihood(lower: Floats, upper: Floats, mu: Floats, alpha: Floats, *, ordered: bool) -> Floats:
    """Return -log P(lower <= Y <= upper), given that anything was ordered if ``ordered``.

    Parameters
    ----------
    lower, upper
        Units (n,), 0 <= lower <= upper; equal is an exact count, ``inf`` no upper bound.
    mu, alpha
        Mean (units) and dispersion (n,).

    Examples
    --------
    >>> known = np.array([0.0, 3.0]), np.array([0.0, np.inf]), np.ones(2), np.ones(2)
    >>> np.exp(-negative_log_likelihood(*known, ordered=False)).round(4).tolist()
    [0.5, 0.125]
    """
    if not ordered:
        return -log_interval(lower, upper, mu, alpha)
    return _log_any(mu, alpha) - log_interval(np.maximum(lower, 1.0), upper, mu, alpha)


def gradient_and_hessian(lower: Floats, upper: Floats, mu: Floats, alpha: Floats, *, ordered: bool) -> tuple[Floats, Floats]:
    """Return first and second derivative of ``negative_log_likelihood`` in log(mu), (n,) each; parameters as there.

    The second derivative of a right-censored count falls to 0 where mu is far below the cap, and where ``ordered`` it may be below 0.

    Examples
    --------
    >>> known = np.array([12.0, 12.0]), np.array([12.0, np.inf]), np.full(2, 12.0), np.full(2, 0.5)
    >>> gradient, hessian = gradient_and_hessian(*known, ordered=False)
    >>> gradient.round(4).tolist(), hessian.round(4).tolist()
    ([0.0, -1.1729], [1.7143, 1.3758])
    """
    if ordered:
        gradient, hessian = gradient_and_hessian(np.maximum(lower, 1.0), upper, mu, alpha, ordered=False)
        any_gradient, any_hessian = _any_derivatives(mu, alpha)
        return gradient - any_gradient, hessian - any_hessian
    exact, far = lower == upper, np.isinf(upper) & (lower > mu)
    spread = 1.0 + alpha * mu
    gradient, hessian = (mu - lower) / spread, mu * (1.0 + alpha * lower) / spread**2
    rate = lower[far] / tail_ratio(lower[far], mu[far], alpha[far])
    gradient[far], hessian[far] = -rate, rate * (rate - (lower[far] - mu[far]) / spread[far])
    rest = ~(exact | far)
    gradient[rest], hessian[rest] = _interval_derivatives(lower[rest], upper[rest], mu[rest], alpha[rest])
    return gradient, hessian


def _interval_derivatives(a: Floats, b: Floats, mu: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    log_mass, spread = log_interval(a, b, mu, alpha), 1.0 + alpha * mu
    at_a, at_b = np.zeros(a.shape), np.zeros(a.shape)
    low, high = a > 0, np.isfinite(b)
    at_a[low] = a[low] * np.exp(log_pmf(a[low], mu[low], alpha[low]) - log_mass[low])
    at_b[high] = (b[high] + 1.0) * np.exp(log_pmf(b[high] + 1.0, mu[high], alpha[high]) - log_mass[high])
    beyond = np.where(high, b, 0.0) + 1.0 - mu
    gradient = at_b - at_a
    return gradient, gradient**2 - (at_a * (a - mu) - at_b * beyond) / spread


def _log_any(mu: Floats, alpha: Floats) -> Floats:
    """Return log P(Y >= 1) = log(1 - (1 + alpha·mu)^(-1 / alpha))."""
    return np.asarray(np.log(-np.expm1(-_nothing(mu, alpha))), dtype=np.float64)


def _any_derivatives(mu: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Return those of -log P(Y >= 1): the formulas of a right-censored count at 1, in closed form."""
    spread = 1.0 + alpha * mu
    rate = mu / spread / np.expm1(np.minimum(_nothing(mu, alpha), 700.0))
    return -rate, rate * (rate - (1.0 - mu) / spread)


def _nothing(mu: Floats, alpha: Floats) -> Floats:
    """Return -log P(Y = 0); mu for a Poisson law."""
    scaled = alpha * mu
    return np.where(scaled > 1e-12, mu * np.log1p(scaled) / np.maximum(scaled, 1e-12), mu)


def order_mean(mu: Floats, alpha: Floats) -> Floats:
    """Return E[Y | Y >= 1], the mean size of an order, units.

    >>> order_mean(np.array([1.0]), np.array([1.0])).round(4).tolist()
    [2.0]
    """
    return np.asarray(mu / -np.expm1(-_nothing(mu, alpha)), dtype=np.float64)


def expected_units(lower: Floats, upper: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return E[Y | lower <= Y <= upper], units (n,), never outside the bounds.

    Given that something was ordered, ask with a lower bound of 1: the condition then changes nothing more.

    Examples
    --------
    At a cap of 12 a geometric law expects its mean once more:

    >>> expected_units(np.array([12.0]), np.array([np.inf]), np.array([5.0]), np.array([1.0])).round(4).tolist()
    [17.0]
    """
    gradient, _ = gradient_and_hessian(lower, upper, mu, alpha, ordered=False)
    return np.clip(mu - (1.0 + alpha * mu) * gradient, lower, upper)


def conditional_quantile(probability: float, lower: Floats, upper: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return the least whole number of steps above ``lower`` with P(Y <= it | lower <= Y <= upper) >= probability, units (n,).

    By bisection. Where there is no upper bound it starts from Markov's: P(Y > E / (1 - q)) <= 1 - q.

    Examples
    --------
    >>> conditional_quantile(0.5, np.array([12.0]), np.array([np.inf]), np.array([5.0]), np.array([1.0])).tolist()
    [15.0]
    """
    mean = expected_units(lower, upper, mu, alpha)
    least = np.zeros(lower.shape)
    most = np.ceil(np.minimum(upper, mean / (1.0 - probability)) - lower) + 1.0
    wanted = np.log(probability) + log_interval(lower, upper, mu, alpha)
    while (least < most).any():
        middle = np.floor((least + most) / 2.0)
        enough = log_interval(lower, np.minimum(lower + middle, upper), mu, alpha) >= wanted - 1e-12
        least, most = np.where(enough | (least >= most), least, middle + 1.0), np.where(enough, np.minimum(most, middle), most)
    return np.minimum(lower + least, upper)


def profiled_alpha(lower: Floats, upper: Floats, mu: Floats, weight: Floats, *, ordered: bool) -> float:
    """Return the dispersion with the greatest censored likelihood at the given means, within ``ALPHA_RANGE``.

    Profiled over all rows: on the uncensored ones alone it would be too low, for the large counts are those that a cap hid
    (Lawless 1987, Negative binomial and mixed Poisson regression, for the profile).

    Parameters
    ----------
    lower, upper, mu, weight
        As in ``negative_log_likelihood``, with how much each row counts (n,).
    """

    def loss(log_alpha: float) -> float:
        alpha = np.full(mu.shape, np.exp(log_alpha))
        return float(weight @ negative_log_likelihood(lower, upper, mu, alpha, ordered=ordered))

    found = minimize_scalar(loss, bounds=np.log(ALPHA_RANGE), method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x))


def survival(cap: Floats, mu: Floats, alpha: Floats, *, ordered: bool) -> Floats:
    """Return P(Y >= cap), given that anything was ordered if ``ordered`` (n,); caps of at least 1 unit.

    >>> survival(np.array([3.0]), np.array([1.0]), np.array([1.0]), ordered=True).round(4).tolist()
    [0.25]
    """
    log_mass = log_survival(cap, mu, alpha)
    return np.asarray(np.exp(np.minimum(log_mass - _log_any(mu, alpha) if ordered else log_mass, 0.0)), dtype=np.float64)
