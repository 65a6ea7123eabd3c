"""At which level must a forecast's law be read, so that as many weeks stay at or below a quantile as its name says?

A law that was learned on training rows is too sure of itself on later weeks, and one of whole packs has more than 90 % of its mass at or
below its 90 % quantile. Both show on weeks that the model has not seen: each gets the level at which the law would just have reached what
came, and the share of weeks below a level, by the chance of an order, tells which level holds as often as is wanted (split conformal
prediction; Papadopoulos et al. 2002, Romano, Patterson and Candès 2019).

Of a week at a cap only the least level is known. The share is that of Kaplan and Meier (1958), who leave such a week out from there on.
Taken at the recovered expectation, which has too little spread, such weeks would make every quantile too low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.stacking import Flags, Floats

CHANCE_EDGES = (0.05, 0.10, 0.125, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.75)
"""Bins by the probability of any demand; 0.5 and 0.25 are also the bounds of the velocity classes."""

HONEST_UP_TO = 0.75
"""Levels up to here are read as they are: a lower quantile of 0 is right where most weeks are zero."""

CORRECTED = (0.90, 0.95)

PRIOR_ORDERS = 100
"""Orders that the level itself counts for: a bin with fewer stays near it."""

FORCED_EXCESS = (0.01, 0.0)
"""Where an order is rarer than one week in ten, the 90 % quantile is 0, and more than 90 % of the weeks are there. The other pairs of the
slowest velocity class (chance below 0.25) make up for it by at most so much. At 95 % the same cost more pinball loss than it gained."""

SLOWEST = 0.25


def product_limit(values: Floats, censored: Flags) -> tuple[Floats, Floats]:
    """Estimate a law of which some draws are known to be at least so large (Kaplan and Meier 1958).

    Parameters
    ----------
    values
        What was seen (n,), at least one.
    censored
        True where the draw is that or more (n,).

    Returns
    -------
    tuple
        The distinct values rising, and the share at or below each; the last share is below 1 where the largest is censored.

    Examples
    --------
    >>> support, shares = product_limit(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, False]))
    >>> support.tolist(), shares.round(3).tolist()
    ([1.0, 2.0, 3.0, 4.0], [0.25, 0.25, 0.625, 1.0])
    """
    rising = np.argsort(values, kind="stable")
    support, first = np.unique(values[rising], return_index=True)
    ended = np.add.reduceat((~censored[rising]).astype(np.float64), first)
    remaining: Floats = (values.size - first).astype(np.float64)
    return support, np.asarray(1.0 - np.cumprod(1.0 - ended / remaining), dtype=np.float64)


def product_limit_quantiles(values: Floats, censored: Flags, levels: Floats) -> Floats:
    """Return the smallest values with at least those shares at or below; the largest seen where no share gets there.

    >>> product_limit_quantiles(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, False]), np.array([0.25, 0.5]))
    array([1., 3.])
    """
    support, shares = product_limit(values, censored)
    return support[np.minimum(np.searchsorted(shares, levels - 1e-9), support.size - 1)]


@dataclass(frozen=True)
class LevelCorrection:
    """The levels to read a law at, by the chance of an order.

    Attributes
    ----------
    levels
        One row per bin of ``CHANCE_EDGES``: where to read for each of ``CORRECTED`` (bins, 2), rising along a row.
    """

    levels: Floats

    def corrected(self, p_order: Floats, levels: Sequence[float]) -> Floats:
        """Return where to read the law of each row for the levels asked for (n, levels); between those learned, in a straight line.

        Examples
        --------
        >>> everywhere = LevelCorrection(np.tile([0.92, 0.97], (len(CHANCE_EDGES) + 1, 1)))
        >>> everywhere.corrected(np.array([0.3]), [0.1, 0.9, 0.95]).tolist()
        [[0.1, 0.92, 0.97]]
        """
        known = (0.0, HONEST_UP_TO, *CORRECTED, 1.0)
        by_bin = np.stack([np.interp(levels, known, (0.0, HONEST_UP_TO, *row, 1.0)) for row in self.levels])
        return np.asarray(by_bin[np.digitize(p_order, CHANCE_EDGES)])

    def to_json(self) -> list[list[float]]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        stored: list[list[float]] = self.levels.tolist()
        return stored

    @classmethod
    def from_json(cls, stored: Sequence[Sequence[float]]) -> LevelCorrection:
        """Read what ``to_json`` wrote."""
        return cls(np.asarray(stored, dtype=np.float64))


def fit_correction(p_order: Floats, reached: Floats, censored: Flags) -> LevelCorrection:
    """Learn where to read a law from weeks that its model has not seen.

    Parameters
    ----------
    p_order
        Probability of any demand (n,).
    reached
        The forecast probability of less than what came (n,): the least level whose quantile reaches it, 0 for a week without demand.
    censored
        Whether a cap hid how much more was wanted (n,).

    Returns
    -------
    LevelCorrection
        In each bin the level below which ``CORRECTED`` of the weeks stayed, drawn towards the level itself as if by ``PRIOR_ORDERS``. A
        bin whose share of weeks without demand is larger than that keeps the level: its quantile is 0 anyway.
    """
    wanted = np.asarray(CORRECTED)
    rows = []
    for position, member in enumerate(np.digitize(p_order, CHANCE_EDGES) == b for b in range(len(CHANCE_EDGES) + 1)):
        orders = int((reached[member] > 0).sum())
        if orders == 0:
            rows.append(wanted)
            continue
        slow = (*CHANCE_EDGES, 1.0)[position] <= SLOWEST
        found = product_limit_quantiles(reached[member], censored[member], wanted - np.asarray(FORCED_EXCESS) if slow else wanted)
        found = np.clip(np.where(found > 0, found, wanted), HONEST_UP_TO, 1.0)
        rows.append(np.maximum.accumulate((orders * found + PRIOR_ORDERS * wanted) / (orders + PRIOR_ORDERS)))
    return LevelCorrection(np.stack(rows))
