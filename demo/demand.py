"""What would every shop order of every SKU in every week if nothing stood in the way?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demo.assortment import Pairs
from demo.products import BEFORE, Products
from demo.seasons import holiday_lift, year_phase
from demo.shops import Shops
from demo.timeline import Timeline

PAIRS_AT_ONCE = 8_000


@dataclass(frozen=True)
class Wanted:
    """True demand of the pair-weeks that have any, sorted by pair, then week.

    Attributes
    ----------
    pair, week
        Position in the pairs, number of the week.
    units
        True demand, at least 1 (0 only on rows that rationing adds for a floor).
    """

    pair: NDArray[np.int64]
    week: NDArray[np.int64]
    units: NDArray[np.int64]

    def where(self, kept: NDArray[np.bool_]) -> Wanted:
        """Return the rows that are marked."""
        return Wanted(self.pair[kept], self.week[kept], self.units[kept])

    def thinned(self, rng: np.random.Generator, keep: NDArray[np.float64]) -> Wanted:
        """Return the rows with each unit kept with its row's probability, rows with none left out.

        >>> wanted = Wanted(np.array([0, 0, 1]), np.array([3, 4, 3]), np.array([5, 2, 7]))
        >>> wanted.thinned(np.random.default_rng(0), np.array([1.0, 0.0, 1.0])).units.tolist()
        [5, 7]
        """
        changed = np.flatnonzero(keep < 1)
        units = self.units.copy()
        units[changed] = rng.binomial(units[changed], keep[changed])
        return replace(self, units=units).where(units > 0)


@dataclass(frozen=True)
class LocalDay:
    """A day that moves demand in one district (position in ``DISTRICTS``), or everywhere where it is None."""

    week: int
    day: int
    name: str
    district: int | None
    factor: float


def shop_factors(rng: np.random.Generator, shops: Shops, weeks: Timeline, local_days: Sequence[LocalDay]) -> NDArray[np.float64]:
    """Return each shop's factor on demand by week, apart from the weeks it orders in.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    shops, weeks
        Who and when.
    local_days
        Events that raise or lower a week in a district.

    Returns
    -------
    NDArray[np.float64]
        Shape (shops, n_all); 0 before a shop opens. Villages feel holidays more: those who work elsewhere come home.
    """
    years = (np.arange(weeks.n_all) - weeks.n_weeks / 2) / 52
    log_factor = shops.trend[:, None] * years + rng.normal(0, 0.10, (shops.n, weeks.n_all))
    log_factor += np.where(shops.urban, -0.15, 0.15)[:, None] * holiday_lift(weeks)
    for event in local_days:
        there = slice(None) if event.district is None else shops.district == event.district
        log_factor[there, event.week] += np.log(event.factor)
    ramp = np.clip((np.arange(weeks.n_all) - shops.opens[:, None] + 3) / 8, 0.4, 1)
    is_open = np.arange(weeks.n_all) >= shops.opens[:, None]
    return np.asarray(np.exp(log_factor) * ramp * is_open)


def order_rhythm(rng: np.random.Generator, shops: Shops, weeks: Timeline) -> NDArray[np.float64]:
    """Return how many weeks of demand each shop orders in a week, shape (shops, n_all); 0 where it does not order.

    Shops skip weeks, some hardly ever and some one in three; a third has a break of 2 to 5 weeks a year; and one in 15 once pauses
    for up to 20 weeks and comes back. This is silence that is no churn.
    """
    week = np.arange(weeks.n_all)
    phase = rng.integers(0, 4, shops.n)[:, None]
    orders = (week + phase) % shops.order_every[:, None] == 0
    orders &= rng.random(orders.shape) > rng.beta(1.0, 8.0, shops.n)[:, None]
    away = _breaks(rng, shops.n, week, chance=1 / 15, lengths=(4, 20))
    for _ in range(round(weeks.n_all / 52)):
        away |= _breaks(rng, shops.n, week, chance=0.3, lengths=(2, 5))
    first = (week == shops.opens[:, None]) & (shops.opens[:, None] > BEFORE)
    return np.where(first, 1.0, (orders & ~away) * shops.order_every[:, None].astype(float))


def _breaks(rng: np.random.Generator, n_shops: int, week: NDArray[np.int64], chance: float, lengths: tuple[int, int]) -> NDArray[np.bool_]:
    begin = rng.integers(0, len(week), n_shops)
    length = np.where(rng.random(n_shops) < chance, rng.integers(lengths[0], lengths[1] + 1, n_shops), 0)
    return np.asarray((week >= begin[:, None]) & (week < (begin + length)[:, None]))


def sku_factors(products: Products, weeks: Timeline) -> NDArray[np.float64]:
    """Return each SKU's factor on demand by week, shape (SKUs, n_all): season, holidays, trend, launch and end."""
    week = np.arange(weeks.n_all)
    log_factor = (
        products.trend[:, None] * (week - weeks.n_weeks / 2) / 52
        + products.season[:, None] * np.cos(year_phase(weeks))
        + products.gift[:, None] * holiday_lift(weeks)
    )
    age = week - products.launch[:, None]
    known = np.where(age >= 0, 1 - 0.8 * np.exp(-age.clip(0, 200) / 6), 0)
    return np.asarray(np.exp(log_factor) * known * (week < products.delist[:, None]))


def draw_wanted(rng: np.random.Generator, pairs: Pairs, by_shop: NDArray[np.float64], by_sku: NDArray[np.float64]) -> Wanted:
    """Draw true demand: negative binomial in units or in bundles, as a Poisson whose rate is gamma.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    pairs
        Whose demand.
    by_shop, by_sku
        Factors on the pairs' rates, shapes (shops, weeks) and (SKUs, weeks).

    Returns
    -------
    Wanted
        The pair-weeks with demand.
    """
    parts = []
    week = np.arange(by_shop.shape[1])
    for first in range(0, pairs.n, PAIRS_AT_ONCE):
        part = slice(first, first + PAIRS_AT_ONCE)
        rate = by_shop[pairs.shop[part]] * by_sku[pairs.sku[part]] * (pairs.rate[part] / pairs.multiple[part])[:, None]
        rate *= (week >= pairs.start[part, None]) & (week < pairs.end[part, None])
        pair, at = np.nonzero(rate)
        shape = 1 / pairs.spread[part][pair]
        bundles = rng.poisson(rate[pair, at] * rng.standard_gamma(shape) / shape)
        some = bundles > 0
        parts.append(Wanted(pair[some] + first, at[some], bundles[some] * pairs.multiple[part][pair[some]]))
    return Wanted(
        np.concatenate([part.pair for part in parts]),
        np.concatenate([part.week for part in parts]),
        np.concatenate([part.units for part in parts]),
    )
