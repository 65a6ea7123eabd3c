"""How likely is a count between two bounds under a negative binomial law? In logarithms, for bounds far out in either tail.

NB2: mean mu, variance mu(1 + alpha·mu); alpha -> 0 is Poisson (Cameron and Trivedi, Regression Analysis of Count Data, 2013, §3.3).
With r = 1/alpha and x = alpha·mu / (1 + alpha·mu):

    p(y)     = Gamma(y + r) / (Gamma(r) Gamma(y + 1)) · x^y (1 - x)^r
    P(Y >= c) = I_x(c, r),  P(Y <= f) = I_{1-x}(r, f + 1)        (regularised incomplete beta, DLMF 8.17(i))

All of it is smooth in the bounds, which therefore need not be whole numbers.

Tails are kept as ratios to a probability next to them, which neither over- nor underflow. Above the mean P(Y >= c) / p(c) is the
continued fraction of the incomplete beta function (DLMF 8.17.22), since p(c) is just the factor in front of it; below the mean
P(Y <= f) / p(f) is the sum of products of p(j - 1) / p(j), which is only taken where the incomplete beta function underflows (there a
fractional f is not continued smoothly).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincc, gammaln

from models.stacking import Floats

LEAST_ALPHA = 1e-13
"""Below this dispersion the law is Poisson within what floats can tell."""

LEAST_MASS = 1e-280
"""Where the incomplete beta function is smaller, the sum of ratios takes over."""

CONVERGED = 1e-15
MOST_STEPS = 100_000
TINY = 1e-300


def log_pmf(y: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return log p(y).

    Gamma(y + r) / Gamma(r) is written out by Stirling where r is large, for there the two logarithms would cancel (Loader 2000, Fast and
    Accurate Computation of Binomial Probabilities).

    Parameters
    ----------
    y, mu, alpha
        Arrays of one shape, y >= 0, mu > 0, alpha >= 0.

    Examples
    --------
    >>> np.exp(log_pmf(np.array([0.0, 2.0]), np.ones(2), np.array([1.0, 0.0]))).round(4).tolist()
    [0.5, 0.1839]
    """
    spread = np.maximum(alpha, LEAST_ALPHA)
    r = 1.0 / spread
    by_stirling = (y + r - 0.5) * np.log1p(spread * y) - y + _stirling_rest(y + r) - _stirling_rest(r)
    directly = gammaln(y + r) - gammaln(r) + y * np.log(spread)
    rising = np.where(r > 50.0, by_stirling, directly)
    log_p: Floats = y * np.log(mu) - (y + r) * np.log1p(spread * mu) - gammaln(y + 1.0) + rising
    return log_p


def log_survival(c: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return log P(Y >= c); 0 for c <= 0.

    >>> log_survival(np.array([1e4]), np.array([1.0]), np.array([0.0])).round(0).tolist()
    [-82110.0]
    """
    log_mass = np.zeros(c.shape)
    some = c > 0
    above = some & (c > mu)
    log_mass[above] = _log_upper_tail(c[above], mu[above], alpha[above])
    below = some & ~above
    log_mass[below] = _log_of_rest(_log_lower_tail(c[below] - 1.0, mu[below], alpha[below]))
    return log_mass


def log_distribution(f: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return log P(Y <= f); -inf for f < 0.

    >>> log_distribution(np.array([0.0, -1.0]), np.array([1e3, 1.0]), np.zeros(2)).round(4).tolist()
    [-1000.0, -inf]
    """
    log_mass = np.full(f.shape, -np.inf)
    some = f >= 0
    below = some & (f < mu)
    log_mass[below] = _log_lower_tail(f[below], mu[below], alpha[below])
    above = some & ~below
    log_mass[above] = _log_of_rest(_log_upper_tail(f[above] + 1.0, mu[above], alpha[above]))
    return log_mass


def log_interval(a: Floats, b: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return log P(a <= Y <= b).

    Parameters
    ----------
    a, b
        Bounds, a <= b; a <= 0 is no lower bound, b = inf no upper one; a = b is an exact count.
    mu, alpha
        Mean and dispersion, all arrays of one shape.

    Examples
    --------
    >>> np.exp(log_interval(np.array([2.0]), np.array([3.0]), np.array([3.0]), np.array([0.0]))).round(4).tolist()
    [0.4481]
    """
    log_mass = np.empty(a.shape)
    exact = a == b
    log_mass[exact] = log_pmf(a[exact], mu[exact], alpha[exact])
    open_above = ~exact & np.isinf(b)
    log_mass[open_above] = log_survival(a[open_above], mu[open_above], alpha[open_above])
    open_below = ~exact & ~open_above & (a <= 0)
    log_mass[open_below] = log_distribution(b[open_below], mu[open_below], alpha[open_below])
    both = ~(exact | open_above | open_below)
    log_mass[both] = _log_between(a[both], b[both], mu[both], alpha[both])
    return log_mass


def _log_between(a: Floats, b: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Take the difference of two tails on the side of the mean where they are small."""
    log_mass = np.empty(a.shape)
    above = a > mu
    if above.any():
        law = (mu[above], alpha[above])
        log_mass[above] = _log_difference(log_survival(a[above], *law), log_survival(b[above] + 1.0, *law))
    if not above.all():
        law = (mu[~above], alpha[~above])
        log_mass[~above] = _log_difference(log_distribution(b[~above], *law), log_distribution(a[~above] - 1.0, *law))
    return log_mass


def _log_difference(larger: Floats, smaller: Floats) -> Floats:
    return np.asarray(larger + _log_of_rest(smaller - larger), dtype=np.float64)


def _log_of_rest(log_part: Floats) -> Floats:
    """Return log(1 - exp(log_part)); a part that is the whole within rounding leaves the least rest a float can have."""
    return np.asarray(np.log(np.maximum(-np.expm1(log_part), np.finfo(np.float64).eps)), dtype=np.float64)


def _log_upper_tail(c: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return log P(Y >= c) for c > mu, c > 0."""
    return log_pmf(c, mu, alpha) + np.log(tail_ratio(c, mu, alpha))


def tail_ratio(c: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return P(Y >= c) / p(c) for c > mu and c > 0: modified Lentz evaluation of DLMF 8.17.22.

    Examples
    --------
    Poisson, c = 2, mean 1: 1 + 1/3 + 1/12 + ...

    >>> tail_ratio(np.array([2.0]), np.array([1.0]), np.array([0.0])).round(4).tolist()
    [1.4366]
    """
    spread = np.maximum(alpha, LEAST_ALPHA)
    r = 1.0 / spread
    x = mu / (mu + r)
    ratio, rows = np.empty(c.shape), np.arange(c.size)
    first = 1.0 / _not_zero(1.0 - (c + r) * x / (c + 1.0))
    state = np.stack([c, r, x, np.ones(c.shape), first, first])
    for m in range(1, MOST_STEPS):
        factor = _lentz_step(state, m)
        open_still = np.abs(factor - 1.0) > CONVERGED
        if m % 4 == 0 or not open_still.any():
            ratio[rows[~open_still]] = state[5, ~open_still]
            rows, state = rows[open_still], state[:, open_still]
            if not rows.size:
                break
    ratio[rows] = state[5]
    return ratio


def _lentz_step(state: Floats, m: int) -> Floats:
    """Take two terms of the fraction into ``state`` (c, r, x, up, down, value) and return the factor of the second."""
    c, r, x, up, down, value = state
    even = m * (r - m) * x / ((c + 2 * m - 1.0) * (c + 2 * m))
    down[:], up[:] = 1.0 / _not_zero(1.0 + even * down), _not_zero(1.0 + even / up)
    value *= down * up
    odd = -(c + m) * (c + r + m) * x / ((c + 2 * m) * (c + 2 * m + 1.0))
    down[:], up[:] = 1.0 / _not_zero(1.0 + odd * down), _not_zero(1.0 + odd / up)
    factor: Floats = down * up
    value *= factor
    return factor


def _not_zero(values: Floats) -> Floats:
    return np.where(np.abs(values) < TINY, TINY, values)


def _log_lower_tail(f: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return log P(Y <= f) for f < mu; -inf for f < 0."""
    log_mass = np.full(f.shape, -np.inf)
    some = f >= 0
    spread = np.maximum(alpha[some], LEAST_ALPHA)
    r, g, scaled = 1.0 / spread, f[some] + 1.0, spread * mu[some]
    mass = np.empty(g.shape)
    # whichever of x and 1 - x is small is the one that a float holds exactly
    small = scaled < 1.0
    mass[small] = betaincc(g[small], r[small], scaled[small] / (1.0 + scaled[small]))
    mass[~small] = betainc(r[~small], g[~small], 1.0 / (1.0 + scaled[~small]))
    log_mass[some] = np.log(np.maximum(mass, LEAST_MASS))
    tiny = np.flatnonzero(some)[mass <= LEAST_MASS]
    log_mass[tiny] = log_pmf(f[tiny], mu[tiny], alpha[tiny]) + np.log(_ratios_downward(f[tiny], mu[tiny], alpha[tiny]))
    return log_mass


def _ratios_downward(f: Floats, mu: Floats, alpha: Floats) -> Floats:
    """Return P(Y <= f) / p(f) for whole f < mu: all terms are positive, and they fall."""
    term, total = np.ones(f.shape), np.ones(f.shape)
    for step in range(int(f.max(initial=0.0))):
        j = np.maximum(f - step, 0.0)
        term = term * j * (1.0 + alpha * mu) / (mu * (1.0 + alpha * np.maximum(j - 1.0, 0.0)))
        total += term
        if (term <= CONVERGED * total).all():
            break
    return total


def _stirling_rest(z: Floats) -> npt.NDArray[np.float64]:
    """Return what log Gamma(z) has beyond (z - 1/2) log z - z + log(2 pi) / 2 (DLMF 5.11.1), for z > 50."""
    return 1.0 / (12.0 * z) - 1.0 / (360.0 * z**3) + 1.0 / (1260.0 * z**5)
