"""What does the wholesaler allow: caps and floors per tier, band caps, reduced supply of single shops, and stock-outs?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.assortment import Pairs
from demo.bundles import CAPPED_BANDS, cap_one_bundle
from demo.demand import Wanted
from demo.products import BEFORE, FREE, PRICE_BANDS, PRIORITY, SCARCE, Products
from demo.seasons import new_year_weeks
from demo.shops import TIERS, Shops
from demo.timeline import Timeline

LAUNCH_CAP_WEEKS = 12
REDUCED_SHARE, GENEROUS_SHARE = 0.06, 0.015
"""Shares of shops that get less, or more, than their tier for some months."""

EPISODES = {SCARCE: ((8, 26), (2, 6), (0.55, 1.20)), PRIORITY: ((5, 16), (5, 16), (0.70, 1.60))}
"""Weeks capped, weeks open, and cap ÷ the tier's mean order: wholesalers set caps from past orders."""


@dataclass(frozen=True)
class Quotas:
    """Limits by week; NaN is no limit, 0 in ``floor`` is no floor.

    Attributes
    ----------
    tier_cap, floor
        Shape (SKUs, tiers, n_all), units.
    everybody_cap
        Shape (SKUs, n_all), units; gives way to ``tier_cap``.
    band_cap
        Shape (price bands, tiers, n_all), units over all SKUs of the band.
    stock_out
        Shape (SKUs, n_all).
    exception_pair, exception_week, exception_cap
        Caps of single shops, which win over their tier's, sorted by pair and week.
    """

    tier_cap: NDArray[np.float64]
    floor: NDArray[np.int64]
    everybody_cap: NDArray[np.float64]
    band_cap: NDArray[np.float64]
    stock_out: NDArray[np.bool_]
    exception_pair: NDArray[np.int64]
    exception_week: NDArray[np.int64]
    exception_cap: NDArray[np.float64]


def plan_quotas(
    rng: np.random.Generator,
    shops: Shops,
    products: Products,
    pairs: Pairs,
    wanted: Wanted,
    floor: NDArray[np.int64],
    weeks: Timeline,
) -> Quotas:
    """Plan all limits from what the tiers order on average.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    shops, products, pairs, wanted
        Who, what, and the true demand that the caps are measured by.
    floor
        From `demo.bundles.plan_floors`.
    weeks
        The weeks to plan; the plan goes on into the future.

    Returns
    -------
    Quotas
        Every scarce SKU is capped most weeks (the first one in all), priority SKUs about half the weeks and before each lunar new year.
    """
    tier_cap = _tier_caps(rng, products, _mean_order(shops, products, pairs, wanted), weeks)
    cap_one_bundle(tier_cap, floor)
    exceptions = _exceptions(rng, shops, products, pairs, tier_cap, weeks)
    return Quotas(
        tier_cap=tier_cap,
        floor=floor,
        everybody_cap=_launch_caps(products, weeks),
        band_cap=_band_caps(rng, _mean_band_order(shops, products, pairs, wanted), weeks),
        stock_out=_stock_outs(rng, products, weeks),
        exception_pair=exceptions[0].astype(np.int64),
        exception_week=exceptions[1].astype(np.int64),
        exception_cap=exceptions[2],
    )


def _mean_order(shops: Shops, products: Products, pairs: Pairs, wanted: Wanted) -> NDArray[np.float64]:
    """Mean true demand of the pair-weeks that have any, shape (SKUs, tiers); 1 where there is none."""
    cell = pairs.sku[wanted.pair] * len(TIERS) + shops.tier[pairs.shop[wanted.pair]]
    size = products.n * len(TIERS)
    units, rows = np.bincount(cell, wanted.units, size), np.bincount(cell, minlength=size)
    return np.where(rows > 0, units / np.maximum(rows, 1), 1.0).reshape(products.n, len(TIERS))


def _mean_band_order(shops: Shops, products: Products, pairs: Pairs, wanted: Wanted) -> NDArray[np.float64]:
    """Mean units that a shop wants of a band in a week in which it wants any, shape (bands, tiers)."""
    shop, band = pairs.shop[wanted.pair], products.band[pairs.sku[wanted.pair]]
    n_weeks = int(wanted.week.max()) + 1
    totals = np.bincount((band * shops.n + shop) * n_weeks + wanted.week, wanted.units, len(PRICE_BANDS) * shops.n * n_weeks)
    by_shop = totals.reshape(len(PRICE_BANDS), shops.n, n_weeks)
    means = np.ones((len(PRICE_BANDS), len(TIERS)))
    for tier in range(len(TIERS)):
        some = by_shop[:, shops.tier == tier]
        means[:, tier] = some.sum((1, 2)) / np.maximum((some > 0).sum((1, 2)), 1)
    return means


def _tier_caps(rng: np.random.Generator, products: Products, mean_order: NDArray[np.float64], weeks: Timeline) -> NDArray[np.float64]:
    tier_cap = np.full((products.n, len(TIERS), weeks.n_all), np.nan)
    festive = new_year_weeks(weeks)
    always = np.flatnonzero(products.supply_class == SCARCE)[:1]
    for sku in np.flatnonzero(products.supply_class != FREE):
        (shortest, longest), (least_open, most_open), tightness = EPISODES[int(products.supply_class[sku])]
        week = 0 if sku in always else -int(rng.integers(0, longest))
        while week < weeks.n_all:
            until = week + int(rng.integers(shortest, longest + 1))
            level = rng.uniform(*tightness) * rng.uniform(0.85, 1.15, len(TIERS))
            tier_cap[sku, :, max(week, 0) : max(until, 0)] = _whole(level * mean_order[sku])[:, None]
            week = until + (0 if sku in always else int(rng.integers(least_open, most_open + 1)))
        tier_cap[sku, :, festive] = _whole(np.mean(tightness) * mean_order[sku])
    closed = (rng.random(tier_cap.shape) < 0.01) & np.isin(products.supply_class, SCARCE)[:, None, None]
    closed[:, 2:] = False
    tier_cap[closed & ~np.isnan(tier_cap)] = 0
    return tier_cap


def _whole(cap: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(np.round(cap), 1)


def _launch_caps(products: Products, weeks: Timeline) -> NDArray[np.float64]:
    """Every second launch is capped for everybody in its first weeks."""
    everybody_cap = np.full((products.n, weeks.n_all), np.nan)
    for sku in np.flatnonzero(products.launch > BEFORE)[::2]:
        everybody_cap[sku, products.launch[sku] : products.launch[sku] + LAUNCH_CAP_WEEKS] = 3
    return everybody_cap


def _band_caps(rng: np.random.Generator, mean_order: NDArray[np.float64], weeks: Timeline) -> NDArray[np.float64]:
    band_cap = np.full((len(PRICE_BANDS), len(TIERS), weeks.n_all), np.nan)
    for band in CAPPED_BANDS:
        week = int(rng.integers(0, 20))
        while week < weeks.n_all:
            until = week + int(rng.integers(6, 13))
            cap = np.round(rng.uniform(1.3, 1.9) * mean_order[band])
            band_cap[band, :, week:until] = np.maximum(cap, 5)[:, None]
            week = until + int(rng.integers(12, 30))
    return band_cap


def _stock_outs(rng: np.random.Generator, products: Products, weeks: Timeline) -> NDArray[np.bool_]:
    """About one SKU-week in 80, one or two weeks long, not in the first weeks of a SKU and not after the history."""
    begins = rng.random((products.n, weeks.n_all)) < 0.009
    week = np.arange(weeks.n_all)
    begins &= (week >= 4) & (week < weeks.n_weeks - 1) & (week >= products.launch[:, None] + 4)
    lasts = begins & (rng.random(begins.shape) < 0.4)
    return np.asarray((begins | np.roll(lasts, 1, axis=1)) & (week < products.delist[:, None]))


def _exceptions(
    rng: np.random.Generator, shops: Shops, products: Products, pairs: Pairs, tier_cap: NDArray[np.float64], weeks: Timeline
) -> NDArray[np.float64]:
    """Caps of single shops as rows pair, week, cap, shape (3, rows): reduced after a breach of rules, or raised for model shops."""
    draw = rng.random(shops.n)
    factor = np.where(draw < REDUCED_SHARE, 0.35, np.where(draw < REDUCED_SHARE + GENEROUS_SHARE, 2.0, np.nan))
    begin = rng.integers(0, weeks.n_all, shops.n)
    length = rng.integers(20, 60, shops.n)
    rows = [np.empty((3, 0))]
    for pair in np.flatnonzero(~np.isnan(factor[pairs.shop]) & (products.supply_class[pairs.sku] != FREE)):
        shop = pairs.shop[pair]
        cap = tier_cap[pairs.sku[pair], shops.tier[shop], begin[shop] : begin[shop] + length[shop]]
        at = np.flatnonzero(cap > 0)
        rows.append(np.stack([np.full(len(at), pair), at + begin[shop], _whole(factor[shop] * cap[at])]))
    return np.concatenate(rows, axis=1)
