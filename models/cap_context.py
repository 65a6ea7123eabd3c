"""What an order at its cap is seen with: everything that may tell how much more was wanted, relative to the cap.

Sizes are divided by the cap, so that what was learned on one SKU holds for another. Nothing here says which SKU it is, nor what its
retailer ordered of it just before and after (MODELLING §3a).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.kaplan_meier import beyond
from models.kernels import sums_nearby
from models.orders import Orders
from models.retailer_sizes import RetailerSizes
from models.size_laws import PairLaws, inverse, mean_units, transform
from models.stacking import Flags, Floats, Integers, Matrix

SCALES = (8.0, 40.0, np.inf)
"""Weeks after which an order counts for 1/e: a season, a year, everything."""

Columns = dict[str, Floats]


@dataclass(frozen=True)
class CappedOrders:
    """Orders at a named cap, described.

    Attributes
    ----------
    position
        Of each among the orders described (m,).
    row
        Row of the frame the order came from (m,).
    cap
        Units (m,).
    expected
        Expected true size by the pair's own censored law, units (m,): what the model starts from.
    never_open
        Whether its tier ordered the SKU in no week without a cap (m,).
    features
        (m, k) in the order of ``names``.
    names
        Of the columns.
    """

    position: Integers
    row: Integers
    cap: Floats
    expected: Floats
    never_open: Flags
    features: Matrix
    names: tuple[str, ...]


def describe_capped(orders: Orders, source: Integers, sizes: RetailerSizes, laws: PairLaws, among: Flags | None = None) -> CappedOrders:
    """Describe the orders that reached a cap.

    Parameters
    ----------
    orders
        All orders of rationed SKUs, by week.
    source
        The SKU of each as ``sizes`` knows it (n,).
    sizes
        What retailers order of other SKUs.
    laws
        The censored law of each pair's sizes, fitted to these orders.
    among
        Which orders to describe where they reached a cap (n,); None is all.
    """
    at = np.flatnonzero(orders.at_cap if among is None else orders.at_cap & among)
    cap = orders.size[at]
    expected, columns = _law(orders, at, laws)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns |= _nearby(orders, at, cap) | _this_week(orders, at) | _packs(orders, at, cap)
        for name, group in (("pair", orders.pair), ("tier", orders.tier_sku), ("sku", orders.sku)):
            columns |= _from_cap_on(orders, group, at, name)
        columns |= sizes.describe(orders.retailer[at], source[at], orders.week[at], orders.category[at])
    features = np.column_stack(list(columns.values())).astype(np.float32)
    never_open = np.bincount(orders.tier_sku, ~np.isfinite(orders.cap))[orders.tier_sku[at]] == 0
    return CappedOrders(at, orders.row[at], cap, expected, never_open, features, tuple(columns))


def _law(orders: Orders, at: Integers, laws: PairLaws) -> tuple[Floats, Columns]:
    """Return the expected size by the pair's law, and the law itself; how large the retailer is among its tier, by its other SKUs."""
    pair, cap = orders.pair[at], orders.size[at]
    lower = transform(cap, laws.power)
    asked = (lower, np.full(at.size, np.inf), laws.mean[pair], laws.spread[pair])
    expected = mean_units(asked, laws.power)
    median = laws.typical_units(orders.pair)
    usual = np.bincount(orders.tier_sku, median) / np.maximum(np.bincount(orders.tier_sku), 1)
    lead = np.log(median / usual[orders.tier_sku])
    retailer, pairs = orders.retailer, orders.pair
    others = np.bincount(retailer, lead)[retailer] - np.bincount(pairs, lead)[pairs]
    counted = np.maximum(np.bincount(retailer)[retailer] - np.bincount(pairs)[pairs], 1)
    return expected, {
        "law_expected": expected / cap,
        "law_median": inverse(laws.mean[pair], laws.power) / cap,
        "law_spread": laws.spread[pair],
        "retailer_lead": (others / counted)[at],
    }


def _nearby(orders: Orders, at: Integers, cap: Floats) -> Columns:
    """Shares at the cap, sizes and caps of the pair's and the tier's other orders, local in time."""
    is_open = ~np.isfinite(orders.cap)
    named = np.where(is_open, 0.0, orders.cap)
    values = np.column_stack([np.ones(orders.count), orders.at_cap, orders.size, orders.size**2, is_open, named])
    columns: Columns = {}
    for whose, group in (("pair", orders.pair), ("tier", orders.tier_sku)):
        for scale in SCALES:
            count, hits, units, squares, opened, caps = sums_nearby(group, orders.week, values, scale)[at].T
            over = f"{whose}_{'all' if np.isinf(scale) else f'{scale:.0f}w'}"
            mean = units / count
            columns |= {
                f"{over}_at_cap": hits / count,
                f"{over}_size": mean / cap,
                f"{over}_cap": caps / np.maximum(count - opened, 1e-9) / cap,
            }
            if whose == "pair":
                columns |= {
                    f"{over}_orders": np.log1p(count),
                    f"{over}_spread": np.sqrt(np.maximum(squares / count - mean**2, 0.0)) / cap,
                    f"{over}_open": opened / count,
                }
    return columns


def _this_week(orders: Orders, at: Integers) -> Columns:
    """Whether more than usual hit their caps in the week, in the tier and over all."""
    columns: Columns = {}
    for name, group in (("tier", orders.tier_sku), ("sku", orders.sku)):
        weeks = np.unique(group * (orders.week.max(initial=0) + 1) + orders.week, return_inverse=True)[1]
        others, hits = np.bincount(weeks)[weeks] - 1, np.bincount(weeks, orders.at_cap)[weeks] - orders.at_cap
        columns[f"{name}_at_cap_this_week"] = (hits / others)[at]
    columns["week_of_year"] = (orders.week[at] % 52.1775).astype(np.float64)
    return columns


def _packs(orders: Orders, at: Integers, cap: Floats) -> Columns:
    """Orders come in packs, and what a cap leaves of the last pack tells nothing of the demand."""
    exact = ~orders.at_cap
    whole = exact & (orders.size % orders.pack == 0)
    pairs = orders.pair.max(initial=-1) + 1
    share = np.bincount(orders.pair, whole, pairs) / np.maximum(np.bincount(orders.pair, exact, pairs), 1.0)
    largest = np.zeros(pairs)
    np.maximum.at(largest, orders.pair, np.where(exact, orders.size, 0.0))
    pair = orders.pair[at]
    return {"cap_in_packs": cap / orders.pack[at], "whole_packs": share[pair], "pair_largest": largest[pair] / cap}


def _from_cap_on(orders: Orders, group: Integers, at: Integers, name: str) -> Columns:
    """What the group ordered where more than this cap was allowed, and what its orders look like beyond it."""
    expected, left, reached = beyond(group, orders.size, orders.at_cap, at).T
    looser = _under_looser_caps(orders, group, at)
    return {
        f"{name}_beyond": expected,
        f"{name}_unseen": left,
        f"{name}_reached": reached,
        **{f"{name}_looser_{column}": values for column, values in looser.items()},
    }


def _under_looser_caps(orders: Orders, group: Integers, at: Integers) -> Columns:
    """Over the group's orders under looser caps: the share that reached this one, their mean size, and how many were cut again.

    What nothing cut is smaller than its own cap, and what was cut is at least as large: so the one reaches a cap by its size, and the other
    by having a looser one.
    """
    cap, hit = orders.size[at], orders.at_cap
    asked = (group[at], cap)
    counts, own_cap = np.ones((orders.count, 1)), np.minimum(orders.cap, orders.size.max(initial=0.0) + 1.0)
    weight = np.column_stack([counts, orders.size])
    count = _from(group, own_cap, counts, *asked, above=True)[:, 0]
    reached, units = _from(group[~hit], orders.size[~hit], weight[~hit], *asked, above=False).T
    cut, cut_units = _from(group[hit], own_cap[hit], weight[hit], *asked, above=True).T
    return {
        "orders": np.log1p(count),
        "reached": (reached + cut) / count,
        "size": (units + cut_units) / (reached + cut) / cap,
        "cut": cut / (reached + cut),
    }


def _from(group: Integers, value: Floats, weight: Floats, of: Integers, least: Floats, *, above: bool) -> Floats:
    """Sum, for each asked group, the weights (n, k) of its entries with at least the asked value, or ``above`` it (m, k)."""
    scale = max(value.max(initial=0.0), least.max(initial=0.0)) + 1.0
    order = np.lexsort((value, group))
    total = np.concatenate([np.zeros((1, weight.shape[1])), np.cumsum(weight[order], axis=0)])
    first = np.searchsorted((group * scale + value)[order], of * scale + least, "right" if above else "left")
    return np.asarray(total[np.searchsorted(group[order], of, "right")] - total[first])
