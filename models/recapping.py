"""Capping on purpose what nothing capped: orders whose true size is known, cut as rationed orders are cut.

Two sources (MODELLING §3a). Free SKUs get the rationing of a rationed SKU, the donor: for each tier and run of weeks with one cap, the
share of the donor's orders that reached its cap is read, and the free SKU gets the whole cap that as many of its own orders reach. And the
open weeks of rationed SKUs get the nearest cap of their tier: without them what was learned on slow SKUs does not hold for hot ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.orders import Flags, Orders, joint_codes
from models.stacking import Floats, Integers

PRIOR_ORDERS = 20.0
"""A run's share at the cap is read like one with so many more orders at the tier's share; the tier's likewise at the SKU's."""


@dataclass(frozen=True)
class Recapped:
    """Orders that were capped on purpose.

    Attributes
    ----------
    orders
        As a rationing wholesaler would have seen them; every SKU has a code of its own.
    true_size
        Units before the cap (n,).
    source
        The SKU each comes from (n,), as the given orders code it.
    taught
        Which of them teach: those whose cap was put on here (n,).
    """

    orders: Orders
    true_size: Floats
    source: Integers
    taught: Flags


def rationed_skus(orders: Orders) -> Integers:
    """Return the SKUs that a named cap ever cut or could have cut."""
    return np.unique(orders.sku[orders.named])


def recap_free_skus(orders: Orders, rng: np.random.Generator, donors: int, most_orders: int) -> Recapped:
    """Ration free SKUs as rationed ones are.

    Parameters
    ----------
    orders
        All orders; some SKU must be rationed and some free.
    donors
        Rationed SKUs that lend their caps to each free SKU, one copy of it each.
    most_orders
        Free SKUs are taken in random order until their copies have so many orders.
    """
    rationed = rationed_skus(orders)
    free = rng.permutation(np.setdiff1d(orders.sku, rationed))
    counts = np.bincount(orders.sku, minlength=orders.sku.max() + 1)[free]
    free = free[: max(1, int(np.searchsorted(np.cumsum(counts) * donors, most_orders)))]
    lent = _lent_caps(orders.take(np.isin(orders.sku, rationed)))
    chosen = orders.take(np.isin(orders.sku, free))
    copies = [_rationed_like(chosen, lent, dict(zip(free, rng.choice(rationed, free.size), strict=True)), rng) for _ in range(donors)]
    size = np.concatenate([chosen.size] * donors)
    source = np.concatenate([chosen.sku] * donors)
    copy = np.repeat(np.arange(donors), chosen.count)
    stacked = chosen.take(np.tile(np.arange(chosen.count), donors))
    return _recapped(stacked, size, np.concatenate(copies), joint_codes(source, copy), source, np.ones(size.size, dtype=bool))


def recap_open_weeks(orders: Orders) -> Recapped:
    """Give the open weeks of rationed SKUs the cap that their tier had nearest in time; its capped weeks stay as they are."""
    own = orders.take(np.isin(orders.sku, rationed_skus(orders)))
    caps = pd.DataFrame({"tier_sku": own.tier_sku, "week": own.week, "cap": own.cap})[own.named]
    nearest = pd.merge_asof(
        pd.DataFrame({"tier_sku": own.tier_sku, "week": own.week, "order": np.arange(own.count)}),
        caps.drop_duplicates(["tier_sku", "week"]),
        on="week",
        by="tier_sku",
        direction="nearest",
    ).sort_values("order")
    was_open = ~np.isfinite(own.cap)
    cap = np.where(was_open, nearest.cap.fillna(np.inf).to_numpy(dtype=np.float64), own.cap)
    return _recapped(own, own.size, cap, own.sku, own.sku, was_open)


def _recapped(orders: Orders, size: Floats, cap: Floats, sku: Integers, source: Integers, taught: Flags) -> Recapped:
    """Cut sizes at caps, and put the orders of all copies in the order of their weeks."""
    cut = replace(
        orders,
        sku=sku,
        pair=joint_codes(sku, orders.retailer),
        tier_sku=joint_codes(sku, orders.tier),
        size=np.minimum(size, cap),
        cap=cap,
        at_cap=np.where(taught, size >= cap, orders.at_cap),
        named=np.where(taught, np.isfinite(cap), orders.named),
    )
    by_week = np.argsort(orders.week, kind="stable")
    return Recapped(cut.take(by_week), size[by_week], source[by_week], (taught & np.isfinite(cap))[by_week])


def _lent_caps(rationed: Orders) -> pd.DataFrame:
    """Per rationed SKU, tier and week: its run of weeks with one cap, and the share of the run's orders that reached it."""
    cap = np.where(rationed.at_cap & ~rationed.named, np.nan, rationed.cap)
    hit = rationed.at_cap & rationed.named
    orders = pd.DataFrame({"sku": rationed.sku, "tier": rationed.tier, "week": rationed.week, "cap": cap, "hit": hit})
    weeks = orders.groupby(["sku", "tier", "week"], as_index=False).agg(cap=("cap", "max"), hits=("hit", "sum"), orders=("hit", "size"))
    weeks["cap"] = weeks.cap.fillna(np.inf)
    weeks["run"] = (weeks.cap != weeks.groupby(["sku", "tier"]).cap.shift()).cumsum()
    capped = weeks[np.isfinite(weeks.cap)]
    runs = capped.groupby("run").agg(sku=("sku", "first"), tier=("tier", "first"), hits=("hits", "sum"), orders=("orders", "sum"))
    tier = runs.groupby(["sku", "tier"])[["hits", "orders"]].transform("sum")
    sku = runs.groupby("sku")[["hits", "orders"]].transform("sum")
    of_tier = (tier.hits + PRIOR_ORDERS * sku.hits / sku.orders) / (tier.orders + PRIOR_ORDERS)
    share = (runs.hits + PRIOR_ORDERS * of_tier) / (runs.orders + PRIOR_ORDERS)
    lent: pd.DataFrame = capped.assign(share=capped.run.map(share))[["sku", "tier", "week", "run", "share"]]
    return lent


def _rationed_like(free: Orders, lent: pd.DataFrame, donor: dict[int, int], rng: np.random.Generator) -> Floats:
    """Return the cap of each free order, inf in weeks in which the donor was open or nobody of the tier ordered it."""
    asked = pd.DataFrame({"sku": pd.Series(free.sku).map(donor), "tier": free.tier, "week": free.week})
    found = asked.merge(lent, how="left", on=["sku", "tier", "week"])
    under = np.flatnonzero(found.run.notna().to_numpy() & (found.share > 0).to_numpy())
    cap = np.full(free.count, np.inf)
    if under.size:
        group = joint_codes(free.sku[under], found.run.to_numpy()[under].astype(np.int64))
        share = np.zeros(group.max() + 1)
        share[group] = found.share.to_numpy()[under]
        cap[under] = _caps_reached_by(share, free.size[under], group, rng)[group]
    return cap


def _caps_reached_by(share: Floats, size: Floats, group: Integers, rng: np.random.Generator) -> Floats:
    """Return per group the whole cap that as near as possible a given share of its sizes reach.

    Sizes are lumpy, so many caps are reached by the same orders: one of them is drawn.
    """
    order = np.lexsort((size, group))
    sizes, groups = size[order], group[order]
    count = np.bincount(groups)
    end = np.cumsum(count)
    start = end - count
    scale = sizes.max() + 1.0
    placed = groups * scale + sizes

    def first_at(value: Floats, side: str) -> Integers:
        return np.searchsorted(placed, np.arange(count.size) * scale + value, side=side).astype(np.int64)  # type: ignore[call-overload,no-any-return]

    reached = sizes[start + np.clip(np.round(count * (1.0 - share)).astype(np.int64), 0, count - 1)]
    first, after = first_at(reached, "left"), first_at(reached, "right")
    higher = (after < end) & (np.abs((end - after) / count - share) < np.abs((end - first) / count - share))
    below = np.where(first > start, sizes[np.maximum(first - 1, 0)], 0.0)
    low = np.where(higher, reached, below)
    high = np.where(higher, sizes[np.minimum(after, sizes.size - 1)], reached)
    drawn = np.floor(low) + 1.0 + np.floor(rng.random(count.size) * (high - low))
    return np.asarray(np.maximum(np.minimum(drawn, high), 1.0))
