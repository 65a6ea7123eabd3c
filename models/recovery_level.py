"""How much is an excess over caps to be multiplied by? What the shape of the model leaves open: its level.

Two things tell. Orders capped on purpose: their true excess over the one found, on SKUs the model was not taught on. And the open weeks of
rationed SKUs: they say how large orders of the SKU and tier are when nothing caps them, and so what its capped weeks come to in total,
whatever a model says. The first is of other SKUs, the second of few weeks; each is believed as far as its error allows.

Errors are those of the jackknife over SKUs (Tukey 1958), totals those of a ratio estimator, separate by tier and SKU (Cochran 1977, §6.10).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf

import numpy as np

from models.cap_context import CappedOrders
from models.orders import Orders, joint_codes
from models.recapping import free_skus
from models.stacking import Flags, Floats, Integers

TRANSFER_ERROR = 0.15
"""Standard deviation of the level of one kind of orders about that of another (docs/recovery.md)."""

FEWEST_SKUS = 5
"""With fewer, the error of a level is not known."""

MOST_ERRORS = 3.0
"""Open weeks that ask for more are not believed: caps come and go with demand there."""

MOST_CUT = 0.3
"""Open weeks in which other limits cut a larger share of the orders say more of the law that expects their sizes."""


@dataclass(frozen=True)
class Level:
    """What an excess is to be multiplied by, and its standard error (inf where not known)."""

    ratio: float
    error: float

    @property
    def believed(self) -> bool:
        """Whether it is no farther from 1 than chance and transfer explain.

        >>> Level(1.3, 0.1).believed, Level(0.3, 0.05).believed
        (True, False)
        """
        return abs(self.ratio - 1.0) <= MOST_ERRORS * hypot(TRANSFER_ERROR, self.error)

    @property
    def taken(self) -> float:
        """What of the ratio is taken: drawn to 1 by its error; 1 where it is not believed.

        >>> Level(1.3, 0.15).taken, Level(0.3, 0.05).taken
        (1.15, 1.0)
        """
        return drawn_to_one(self.ratio, self.error) if self.believed else 1.0


def drawn_to_one(ratio: float, error: float) -> float:
    """Return the mean of a ratio and of 1, each weighed by how exactly it is known: 1 with ``TRANSFER_ERROR``.

    >>> drawn_to_one(1.3, 0.0), drawn_to_one(1.3, 0.15), drawn_to_one(1.3, inf)
    (1.3, 1.15, 1.0)
    """
    return 1.0 + (ratio - 1.0) / (1.0 + (error / TRANSFER_ERROR) ** 2)


def ratio_over_skus(true: Floats, found: Floats, sku: Integers) -> Level:
    """Return the sum of what is true over that of what was found, with its error over SKUs; (1, inf) for fewer than ``FEWEST_SKUS``.

    >>> ratio_over_skus(np.array([2.0, 2, 2, 2, 4]), np.ones(5), np.arange(5))
    Level(ratio=2.4, error=0.4...)
    """
    skus, code = np.unique(sku, return_inverse=True)
    of_true, of_found = (np.bincount(code, values, skus.size) for values in (true, found))
    without = of_found.sum() - of_found
    if skus.size < FEWEST_SKUS or not (without > 0).all():
        return Level(1.0, inf)
    others = (of_true.sum() - of_true) / without
    error = np.sqrt((skus.size - 1) / skus.size * ((others - others.mean()) ** 2).sum())
    return Level(float(of_true.sum() / of_found.sum()), float(error))


def scales(true: Floats, found: Floats, sku: Integers, never_open: Flags) -> tuple[float, float]:
    """Return what found excess is to be multiplied by, by orders capped on purpose: where the tier was open at times, and where never.

    A tier that was never open shows less of what lies beyond its caps, and what is found there is too little by more.

    Parameters
    ----------
    true, found
        Excess of each order, times its weight (m,).
    sku
        Its SKU (m,).
    never_open
        Whether its tier was never open (m,).
    """
    open_at_times, never = (ratio_over_skus(true[these], found[these], sku[these]) for these in (~never_open, never_open))
    base = open_at_times.ratio
    if inf in (open_at_times.error, never.error) or base <= 0:
        both = float(true.sum() / found.sum()) if found.sum() > 0 else 1.0
        return both, both
    return base, base * drawn_to_one(never.ratio / base, never.error / base)


def open_week_level(orders: Orders, rationed: Orders, real: CappedOrders, excess: Floats) -> Level | None:
    """Hold what was recovered in capped weeks against what retailers of the same tier order of the same SKU in open ones.

    The total of a SKU and tier in its capped weeks is their number of orders times the mean order of its open weeks, both in orders of a
    usual week: by how much larger than their pair's mean the orders of free SKUs are in that week. A tier in which other limits cut more
    than ``MOST_CUT`` of the orders of its open weeks tells nothing.

    Parameters
    ----------
    orders
        All orders.
    rationed
        Those of rationed SKUs; an order that a limit other than a named cap cut has the size that is expected of it.
    real
        Those at a cap, by their place in ``rationed``; those whose cap the books do not name are left out.
    excess
        What was found beyond the cap of each, units (m,).

    Returns
    -------
    Level or None
        None where fewer than ``FEWEST_SKUS`` were open at times and capped at others.
    """
    tiers = int(rationed.tier_sku.max(initial=-1)) + 1
    usual = _times_usual(orders, rationed.week)
    capped, tier_week = rationed.named, joint_codes(rationed.tier_sku, rationed.week)
    week_capped = (np.bincount(tier_week, capped) > 0)[tier_week]
    was_open = ~capped & ~(rationed.at_cap & week_capped)

    def summed(values: Floats, these: Flags) -> Floats:
        return np.asarray(np.bincount(rationed.tier_sku[these], values[these], tiers), dtype=np.float64)

    open_weeks, capped_weeks = summed(usual, was_open), summed(usual, capped)
    seldom_cut = summed(np.where(rationed.at_cap, 1.0, 0.0) - MOST_CUT, was_open) <= 0
    both = (open_weeks > 0) & (capped_weeks > 0) & seldom_cut
    beyond = (summed(rationed.size, was_open)[both] / open_weeks[both]) * capped_weeks[both] - summed(rationed.size, capped)[both]
    told = capped[real.position]
    found = np.bincount(rationed.tier_sku[real.position[told]], excess[told], tiers)[both].astype(np.float64)
    sku_of_tier = np.zeros(tiers, dtype=np.int64)
    sku_of_tier[rationed.tier_sku] = rationed.sku
    level = ratio_over_skus(beyond, found, sku_of_tier[both])
    return None if level.error == inf else level


def _times_usual(orders: Orders, week: Integers) -> Floats:
    """Return how large orders of free SKUs are in each week asked for, in means of their pairs; 1 where there are none."""
    free = orders.take(np.isin(orders.sku, free_skus(orders)))
    mean = (np.bincount(free.pair, free.size) / np.maximum(np.bincount(free.pair), 1))[free.pair] if free.count else free.size
    weeks = int(max(orders.week.max(initial=0), week.max(initial=0))) + 1
    seen, expected = (np.bincount(free.week, values, weeks) for values in (free.size, mean))
    return np.where(expected > 0, seen / np.where(expected > 0, expected, 1.0), 1.0)[week]
