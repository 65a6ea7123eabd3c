"""Which few retailers bring most of the margin?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contracts.customers import ABC_CLASSES
from contracts.segment_definitions import ABC_SHARES

FloatArray = npt.NDArray[np.float64]


def abc_classes(margin: npt.ArrayLike, shares: Sequence[float] = ABC_SHARES) -> npt.NDArray[np.str_]:
    """Return A for the retailers that bring the first 80 % of the margin, B up to 95 %, C for the rest.

    The retailer that crosses a boundary belongs to the class it crosses from; equals are in one class. Where retailers bring a negative
    margin the shares are of the positive ones' sum, and they are C themselves.

    Parameters
    ----------
    margin
        Money, shape (retailers,).
    shares
        Where A and B end, rising.

    Examples
    --------
    >>> abc_classes([70.0, 15.0, 10.0, 5.0, -3.0]).tolist()
    ['A', 'A', 'B', 'C', 'C']
    """
    money = np.maximum(np.asarray(margin, dtype=np.float64), 0.0)
    above = _sum_above(money)
    # sums of the same money in two orders differ in their last bits
    place = np.searchsorted(np.asarray(shares) * money.sum() * (1.0 - 1e-9), above, side="right")
    return np.asarray(ABC_CLASSES)[np.where(money > 0, place, len(ABC_CLASSES) - 1)]


def margin_shares(margin: npt.ArrayLike) -> FloatArray:
    """Return each retailer's share of everybody's margin; the shares add up to 1, or are all 0 where there is no margin to share.

    >>> margin_shares([30.0, 10.0]).tolist()
    [0.75, 0.25]
    """
    money = np.asarray(margin, dtype=np.float64)
    total = money.sum()
    return money / total if total > 0 else np.zeros(len(money))


def _sum_above(money: FloatArray) -> FloatArray:
    """Sum of all that is larger than each."""
    levels, place = np.unique(money, return_inverse=True)
    sums = np.bincount(place, weights=money, minlength=len(levels))
    return np.asarray((sums[::-1].cumsum()[::-1] - sums)[place], dtype=np.float64)
