"""Between which shares does a share lie: of retailers counted, or of retailers of whom only probabilities are known?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from models.stacking import Floats

LEVEL = 0.9
"""Of an interval: 5 % lie below it, 5 % above."""

FARTHEST_SPREADS = 10.0
"""Counts so many standard deviations above the mean are not looked at: beyond lie less than 1e-12."""


def wilson_interval(count: float, trials: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of a share of independent trials (Wilson 1927; Brown, Cai and DasGupta 2001, equation 4).

    Parameters
    ----------
    count, trials
        0 ≤ count ≤ trials, trials above 0; not whole where trials are effective ones.
    level
        Probability with which such intervals hold the true share.

    Examples
    --------
    >>> [round(end, 4) for end in wilson_interval(0, 20)]
    [0.0, 0.1192]
    """
    z = float(ndtri(0.5 + level / 2.0))
    share, weight = count / trials, z * z / trials
    middle = (share + weight / 2.0) / (1.0 + weight)
    half = z * float(np.sqrt(share * (1.0 - share) / trials + weight / (4.0 * trials))) / (1.0 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def expected_share_interval(chances: npt.ArrayLike, level: float = LEVEL, dispersion: float = 1.0) -> tuple[float, float]:
    """Return the interval of the share of retailers to whom something will happen, each with a chance of its own.

    Of independent retailers the count follows the Poisson-binomial law, whose quantiles are exact here; its variance is Σ p (1 − p). In
    groups so small that the most likely count is all the interval holds, it is widened to hold the mean chance.

    Parameters
    ----------
    chances
        Of each retailer, shape (retailers,), at least one.
    level
        Probability with which the share lies within, at least.
    dispersion
        Variance of such counts ÷ that of independent retailers: both ends lie √dispersion times as far from the mean (McCullagh and Nelder
        1989, Generalized Linear Models, §4.5).

    Examples
    --------
    >>> expected_share_interval([0.5] * 100)
    (0.42, 0.58)
    >>> expected_share_interval([0.01])
    (0.0, 0.01)
    """
    p = np.asarray(chances, dtype=np.float64)
    below = np.cumsum(count_law(p))
    low, high = (int(np.searchsorted(below, tail)) for tail in (0.5 - level / 2.0, 0.5 + level / 2.0))
    mean, stretch = float(p.mean()), float(np.sqrt(dispersion))
    below_mean, above_mean = max(mean - low / p.size, 0.0), max(high / p.size - mean, 0.0)
    return max(mean - stretch * below_mean, 0.0), min(mean + stretch * above_mean, 1.0)


def count_law(chances: Floats) -> Floats:
    """Return P(0 events), P(1 event) … of independent events with chances of their own, as far as counts have any weight.

    Each event is added to the law of those before it: p(k) becomes p(k)·(1 − chance) + p(k − 1)·chance.

    >>> count_law(np.array([0.5, 0.2])).tolist()
    [0.4, 0.5, 0.1]
    """
    spread = float(np.sqrt((chances * (1.0 - chances)).sum()))
    most = min(chances.size, int(np.ceil(chances.sum() + FARTHEST_SPREADS * (spread + 1.0))))
    law = np.zeros(most + 1)
    law[0] = 1.0
    for chance in chances:
        happens = chance * law[:-1]
        law *= 1.0 - chance
        law[1:] += happens
    return law
