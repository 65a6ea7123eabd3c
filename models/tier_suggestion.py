"""Which supply tier does a retailer's standing suggest, against the one it has?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import TIER_BUFFER, TIER_WEIGHTS
from models.buffered_classes import buffered_places
from models.ranks import share_above, share_at_most

FloatArray = npt.NDArray[np.float64]


def tiers_by_size(tier: pd.Series, money: npt.ArrayLike) -> list[str]:
    """Return the tiers, that of the largest retailers first: by the median money of those that have it, then by name.

    >>> tiers_by_size(pd.Series(["T1", "T1", "T2", None]), [10.0, 20.0, 90.0, 5.0])
    ['T2', 'T1']
    """
    spent = pd.Series(np.asarray(money, dtype=np.float64), index=tier.index)
    medians = spent.groupby(tier).median()
    return sorted(map(str, medians.index), key=lambda name: (-medians[name], name))


def tier_standing(lifetime_value: npt.ArrayLike, contribution: npt.ArrayLike, loyalty: npt.ArrayLike) -> FloatArray:
    """Return the figure that tiers are suggested by, 0 to 100: value, contribution and loyalty, weighted as ``TIER_WEIGHTS`` says.

    Parameters
    ----------
    lifetime_value
        Money; its percentile among all counts.
    contribution, loyalty
        Degrees, 0 to 100.
    """
    parts = (100.0 * share_at_most(lifetime_value), np.asarray(contribution), np.asarray(loyalty))
    return np.asarray(sum(weight * part for weight, part in zip(TIER_WEIGHTS, parts, strict=True)), dtype=np.float64)


def suggested_tiers(tier: pd.Series, standing: npt.ArrayLike, money: npt.ArrayLike, may_move: npt.ArrayLike) -> pd.Series:
    """Return the tier suggested for each retailer: as many retailers per tier as today, the best standing in the highest.

    Ranked are those that may move; the others keep their tier and their place in it. A retailer moves one step at a time, and only when
    its rank lies beyond the boundary by a quarter of the boundary's distance from the nearer end of the ranking.

    Parameters
    ----------
    tier
        Tier each has; None where unknown, and then none is suggested.
    standing
        As `tier_standing` gives it.
    money
        Of 52 weeks: orders the tiers.
    may_move
        False for those whose tier stays: newcomers, and those to win back, whose standing says little of the shop.

    Returns
    -------
    pandas.Series
        Text or None, with the index of ``tier``.

    Examples
    --------
    >>> tiers = pd.Series(["T2", "T1", "T1", "T1"])
    >>> suggested_tiers(tiers, [10.0, 90.0, 50.0, 40.0], [80.0, 10.0, 10.0, 10.0], [True] * 4).tolist()
    ['T1', 'T2', 'T1', 'T1']
    """
    suggested = tier.astype(object).where(tier.notna(), None)
    ranked = tier.notna().to_numpy() & np.asarray(may_move, dtype=bool)
    names = tiers_by_size(tier[ranked], np.asarray(money, dtype=np.float64)[ranked])
    if len(names) < 2:
        return suggested
    place = np.array([names.index(name) for name in tier[ranked]], dtype=np.int64)
    ends = np.bincount(place, minlength=len(names)).cumsum()[:-1] / len(place)
    rank = share_above(np.asarray(standing, dtype=np.float64)[ranked])
    target = buffered_places(rank, ends.tolist(), place, TIER_BUFFER)
    suggested[ranked] = [names[index] for index in place + np.sign(target - place)]
    return suggested
