"""What does each shop get of what it wants, given caps, floors and stock-outs?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.assortment import Pairs
from demo.demand import Wanted
from demo.products import Products
from demo.quotas import Quotas
from demo.shops import Shops


@dataclass(frozen=True)
class Delivered:
    """What became of the wanted units, one row per pair-week, sorted by pair, then week.

    Attributes
    ----------
    wanted
        True demand of the rows; 0 units where a floor was pushed on a shop that wanted none.
    units
        Delivered units.
    at_cap
        Delivered is all that the cap of the SKU, or of its band, allowed.
    at_floor
        Delivered is the floor, at or above what was wanted.
    """

    wanted: Wanted
    units: NDArray[np.int64]
    at_cap: NDArray[np.bool_]
    at_floor: NDArray[np.bool_]


def ration(wanted: Wanted, shops: Shops, products: Products, pairs: Pairs, quotas: Quotas) -> Delivered:
    """Apply stock-outs, caps, band caps and floors, in this order.

    Unmet demand neither comes back later nor, here, moves to another SKU (`demo.spill` moves it), so that the true demand of a week is one
    number.

    Parameters
    ----------
    wanted
        True demand, sorted by pair, then week.
    shops, products, pairs, quotas
        Who, what and the limits.

    Returns
    -------
    Delivered
        The rows of ``wanted``, and one for each floor pushed on a shop that wanted none. Delivered is
        min(max(wanted, floor), cap), less where a band cap is used up, and 0 in a stock-out.
    """
    wanted = _with_pushed(wanted, shops, pairs, quotas)
    sku, tier = pairs.sku[wanted.pair], shops.tier[pairs.shop[wanted.pair]]
    cap = effective_cap(wanted, sku, tier, quotas)
    there = ~quotas.stock_out[sku, wanted.week]
    units = np.minimum(wanted.units, cap).astype(np.int64) * there
    in_band, units = _share_bands(wanted, units, shops, products, pairs, quotas)
    floor = quotas.floor[sku, tier, wanted.week] * there
    floor *= _orders_in(wanted, units, shops, pairs)[pairs.shop[wanted.pair], wanted.week]
    units = np.minimum(np.maximum(units, floor), cap).astype(np.int64)
    kept = (wanted.units > 0) | (units > 0)
    return Delivered(
        wanted.where(kept),
        units[kept],
        at_cap=((units > 0) & ((units == cap) | in_band))[kept],
        at_floor=((floor > 0) & (units == floor))[kept],
    )


def effective_cap(wanted: Wanted, sku: NDArray[np.int64], tier: NDArray[np.int64], quotas: Quotas) -> NDArray[np.float64]:
    """Return the cap of the SKU that applies to each row, infinity where none: the shop's before its tier's before everybody's."""
    cap = quotas.tier_cap[sku, tier, wanted.week]
    cap = np.where(np.isnan(cap), quotas.everybody_cap[sku, wanted.week], cap)
    if len(quotas.exception_pair):
        n_all = quotas.stock_out.shape[1]
        known = quotas.exception_pair * n_all + quotas.exception_week
        key = wanted.pair * n_all + wanted.week
        at = np.minimum(np.searchsorted(known, key), len(known) - 1)
        cap = np.where(known[at] == key, quotas.exception_cap[at], cap)
    return np.where(np.isnan(cap), np.inf, cap)


def share_out(units: NDArray[np.int64], group: NDArray[np.int64], cap: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut the wants of each group down to its cap: one unit for each line, the rest in proportion.

    Parameters
    ----------
    units
        Wanted units, at least 1.
    group
        Number of each row's group, 0 to groups - 1.
    cap
        Units that each group may have in all, shape (groups,).

    Returns
    -------
    NDArray[np.int64]
        Units granted; sums to the smaller of cap and want in each group.

    Examples
    --------
    >>> share_out(np.array([6, 3, 1, 4]), np.array([0, 0, 0, 1]), np.array([5, 9])).tolist()
    [2, 2, 1, 4]
    """
    lines, total = np.bincount(group), np.bincount(group, units).astype(np.int64)
    spare = np.maximum(cap - lines, 0)
    ideal = (units - 1) * np.minimum(spare / np.maximum(total - lines, 1), 1)[group]
    granted = np.minimum(np.floor(ideal + 1e-9).astype(np.int64) + 1, units)
    left = np.minimum(cap, total) - np.bincount(group, granted).astype(np.int64)
    order = np.lexsort((-(ideal - (granted - 1)), group))
    rank = np.empty(len(units), dtype=np.int64)
    rank[order] = np.arange(len(units)) - (np.cumsum(lines) - lines)[group[order]]
    granted += (rank < left[group]) & (granted < units)
    granted -= rank >= (lines + np.minimum(left, 0))[group]
    return np.asarray(granted)


def _with_pushed(wanted: Wanted, shops: Shops, pairs: Pairs, quotas: Quotas) -> Wanted:
    """Add a row of 0 units wherever a floor might apply and nothing is wanted."""
    n_all = quotas.stock_out.shape[1]
    floored = np.flatnonzero((quotas.floor.max(axis=2) > 0)[pairs.sku, shops.tier[pairs.shop]])
    at, week = np.nonzero(quotas.floor[pairs.sku[floored], shops.tier[pairs.shop[floored]]])
    key = wanted.pair * n_all + wanted.week
    added = np.setdiff1d(floored[at] * n_all + week, key, assume_unique=True)
    keys = np.concatenate([key, added])
    order = np.argsort(keys, kind="stable")
    units = np.concatenate([wanted.units, np.zeros(len(added), dtype=np.int64)])
    return Wanted(keys[order] // n_all, keys[order] % n_all, units[order])


def _orders_in(wanted: Wanted, units: NDArray[np.int64], shops: Shops, pairs: Pairs) -> NDArray[np.bool_]:
    """Whether a shop gets anything in a week, shape (shops, weeks): a floor comes only with an order."""
    orders = np.zeros((shops.n, int(wanted.week.max()) + 1), dtype=bool)
    some = units > 0
    orders[pairs.shop[wanted.pair[some]], wanted.week[some]] = True
    return orders


def _share_bands(
    wanted: Wanted, units: NDArray[np.int64], shops: Shops, products: Products, pairs: Pairs, quotas: Quotas
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which rows lie in a band whose cap is used up, and the units after it."""
    shop, band = pairs.shop[wanted.pair], products.band[pairs.sku[wanted.pair]]
    cap = quotas.band_cap[band, shops.tier[shop], wanted.week]
    rows = np.flatnonzero(~np.isnan(cap) & (units > 0))
    key = (shop[rows] * quotas.band_cap.shape[0] + band[rows]) * quotas.band_cap.shape[2] + wanted.week[rows]
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    group_cap = cap[rows][first].astype(np.int64)
    shared = units.copy()
    shared[rows] = share_out(units[rows], group, group_cap)
    used_up = np.zeros(len(units), dtype=bool)
    used_up[rows] = (np.bincount(group, shared[rows]) == group_cap)[group]
    return used_up, shared


def unmet_share(delivered: Delivered, shops: Shops, pairs: Pairs, n_all: int) -> NDArray[np.float64]:
    """Return the share of each shop's true demand that it did not get in the 13 weeks up to each week, shape (shops, n_all)."""
    cell = pairs.shop[delivered.wanted.pair] * n_all + delivered.wanted.week
    missed = np.maximum(delivered.wanted.units - delivered.units, 0)
    sums = [np.bincount(cell, units, shops.n * n_all).reshape(shops.n, n_all).cumsum(1) for units in (missed, delivered.wanted.units)]
    for total in sums:
        total[:, 13:] -= total[:, :-13].copy()
    return np.asarray(sums[0] / np.maximum(sums[1], 1))
