"""Is a count larger than chance allows, and where many are looked at, larger than chance allows of all of them together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc, gammaln


@dataclass(frozen=True)
class CountTest:
    """A one-sided exact test of a count.

    Attributes
    ----------
    p
        Probability of such a count or a larger one by chance.
    least_p
        That of the largest count there could have been.
    """

    p: float
    least_p: float


def binomial_test(count: int, trials: int, chance: float) -> CountTest:
    """Test a count of independent trials.

    >>> binomial_test(9, 10, 0.5).p == 11 / 1024, binomial_test(9, 10, 0.5).least_p == 1 / 1024
    (True, True)
    """
    at_least = float(bdtrc(count - 1, trials, chance)) if count > 0 else 1.0
    return CountTest(at_least, float(chance**trials))


def group_test(count: int, group: int, count_of_all: int, size_of_all: int) -> CountTest:
    """Test whether a group has more of those marked than its size explains: Fisher's exact test, one-sided.

    >>> round(group_test(4, 5, 5, 10).p, 4)
    0.1032
    """
    counts = np.arange(max(0, group + count_of_all - size_of_all), min(group, count_of_all) + 1)
    ways = _log_ways(count_of_all, counts) + _log_ways(size_of_all - count_of_all, group - counts) - _log_ways(size_of_all, group)
    shares = np.exp(ways)
    return CountTest(min(float(shares[counts >= count].sum()), 1.0), float(shares[-1]))


def _log_ways(size: int, chosen: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Logarithm of the ways to choose so many of a set."""
    number = np.asarray(chosen, dtype=np.float64)
    return np.asarray(gammaln(size + 1.0) - gammaln(number + 1.0) - gammaln(size - number + 1.0), dtype=np.float64)


def level_per_test(tests: Sequence[CountTest], false_alarm_share: float) -> float:
    """Return the level at which each test may raise an alarm, so that by chance any of them does in at most such a share of the cases.

    Tarone (1990), A Modified Bonferroni Method for Discrete Data: the share is divided by the number of those tests only that could reach
    the level at all. An account manager with two retailers near a threshold costs the others nothing.

    Parameters
    ----------
    tests
        All that are looked at, dependent or not.
    false_alarm_share
        0.05 for one case in twenty.

    Examples
    --------
    >>> few, many = binomial_test(2, 2, 0.5), binomial_test(10, 10, 0.5)
    >>> level_per_test([few] * 30 + [many] * 2, 0.05)
    0.025
    """
    least = np.array([test.least_p for test in tests])
    for divisor in range(1, len(tests) + 1):
        level = false_alarm_share / divisor
        if int((least <= level).sum()) <= divisor:
            return level
    return false_alarm_share / max(len(tests), 1)
