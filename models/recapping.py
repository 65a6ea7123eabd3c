"""Capping on purpose what nothing capped: orders whose true size is known, cut as rationed orders are cut.

Two sources (MODELLING §3a). Free SKUs get the rationing of a rationed SKU, the donor: for each tier and run of weeks with one cap, the
share of the donor's orders that reached its cap is read, and the free SKU gets the whole cap that as many of its own orders reach. Caps
that are found so follow what was ordered under them, and show more of large sizes than real ones; so where the donor was never seen open in
a tier, or few orders came under each of its caps, the free SKU gets those caps, week by week, times one number; a week in which nobody of
the tier ordered a donor that was never open has the cap of the nearest one in which somebody did. And the open weeks of rationed SKUs get
the nearest cap of their tier: without them what was learned on slow SKUs does not hold for hot ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.orders import Orders, joint_codes
from models.stacking import Flags, Floats, Integers

PRIOR_ORDERS = 20.0
"""A run's share at the cap is read like one with so many more orders at the tier's share; the tier's likewise at the SKU's.
A tier with fewer does not tell whether the SKU was ever open."""

FREE_SHARE = 0.1
"""A SKU is not free where a shared cap, or one that the books do not name, cut more of its orders: their sizes pass for true ones."""

QUARTER_WEEKS = 13


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


def free_skus(orders: Orders) -> Integers:
    """Return the SKUs that no named cap could have cut, and seldom another limit: their sizes are taken for true ones."""
    ordered, cut = np.bincount(orders.sku), np.bincount(orders.sku, orders.at_cap)
    unlimited = np.flatnonzero((ordered > 0) & (cut <= FREE_SHARE * ordered))
    return np.setdiff1d(unlimited, rationed_skus(orders))


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
    free = rng.permutation(free_skus(orders))
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


def recap_open_weeks(orders: Orders, part: int = 0, parts: int = 1) -> Recapped:
    """Give the open weeks of rationed SKUs the cap that their tier had nearest in time; its capped weeks stay as they are.

    Parameters
    ----------
    orders
        All orders; some SKU must be rationed.
    part, parts
        Only every so manieth quarter of a year, from the ``part``-th on, is capped; the open weeks of the others stay open.
    """
    own = orders.take(np.isin(orders.sku, rationed_skus(orders)))
    caps = _usual_caps(pd.DataFrame({"tier_sku": own.tier_sku, "week": own.week, "cap": own.cap})[own.named])
    asked = pd.DataFrame({"tier_sku": own.tier_sku, "week": own.week})
    nearest = _nearest_in_time(asked, caps, ["tier_sku"])
    was_open = ~np.isfinite(own.cap) & (own.week // QUARTER_WEEKS % parts == part)
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
    """Return what each rationed SKU lends, per tier and week with orders.

    ``group`` are weeks that get one number: a run of one cap, or all capped weeks of a tier that was never open or whose runs have few
    orders; ``unit_cap`` is what it multiplies, the cap (1 or more) where it stands for several caps, else 1;
    ``share`` is that of the group's orders that reached their caps, null where it was open; ``reach`` is how many weeks off it holds, all
    where never open. A tier with few orders may have been open in other weeks.
    """
    orders = pd.DataFrame(
        {"sku": rationed.sku, "tier": rationed.tier, "week": rationed.week, "cap": rationed.cap, "hit": rationed.at_cap & rationed.named}
    )
    # what a cap of several SKUs left tells neither a cap of this one nor that it was open
    told = orders[rationed.named | ~rationed.at_cap]
    weeks = told.groupby(["sku", "tier", "week"], as_index=False).agg(hits=("hit", "sum"), orders=("hit", "size"))
    weeks = weeks.merge(_usual_caps(told.drop(columns="hit")), on=["sku", "tier", "week"], validate="one_to_one")
    is_capped, run = np.isfinite(weeks.cap), (weeks.cap != weeks.groupby(["sku", "tier"]).cap.shift()).cumsum()
    tiers = weeks.assign(run=run.where(is_capped), told=weeks.orders.where(is_capped), is_capped=is_capped).groupby(["sku", "tier"])
    never_open = tiers.is_capped.transform("all") & (tiers.orders.transform("sum") >= PRIOR_ORDERS)
    by_one = is_capped & (never_open | (tiers.told.transform("sum") < PRIOR_ORDERS * tiers.run.transform("nunique")))
    weeks["group"] = np.where(by_one, run.max() + 1 + tiers.ngroup(), run)
    weeks["unit_cap"] = np.where(by_one, np.maximum(weeks.cap, 1.0), 1.0)
    weeks["lent_week"], weeks["reach"] = weeks.week, np.where(never_open, np.inf, 0.0)
    capped = weeks[np.isfinite(weeks.cap)]
    groups = capped.groupby("group").agg(sku=("sku", "first"), tier=("tier", "first"), hits=("hits", "sum"), orders=("orders", "sum"))
    tier = groups.groupby(["sku", "tier"])[["hits", "orders"]].transform("sum")
    sku = groups.groupby("sku")[["hits", "orders"]].transform("sum")
    of_tier = (tier.hits + PRIOR_ORDERS * sku.hits / sku.orders) / (tier.orders + PRIOR_ORDERS)
    share = (groups.hits + PRIOR_ORDERS * of_tier) / (groups.orders + PRIOR_ORDERS)
    lent: pd.DataFrame = weeks.assign(share=weeks.group.map(share))[
        ["sku", "tier", "week", "lent_week", "reach", "group", "unit_cap", "share"]
    ]
    return lent


def _rationed_like(free: Orders, lent: pd.DataFrame, donor: dict[int, int], rng: np.random.Generator) -> Floats:
    """Return the cap of each free order, inf in weeks in which the donor may have been open."""
    asked = pd.DataFrame({"sku": pd.Series(free.sku).map(donor).astype(np.int64), "tier": free.tier, "week": free.week})
    found = _nearest_in_time(asked, lent, ["sku", "tier"])
    holds = (found.lent_week - found.week).abs() <= found.reach
    under = np.flatnonzero((holds & (found.share > 0)).to_numpy())
    cap = np.full(free.count, np.inf)
    if under.size:
        group = joint_codes(free.sku[under], found.group.to_numpy()[under].astype(np.int64))
        share, unit_cap = np.zeros(group.max() + 1), found.unit_cap.to_numpy()[under]
        share[group] = found.share.to_numpy()[under]
        drawn = _times_reached_by(share, free.size[under] / unit_cap, group, rng)[group] * unit_cap
        # sizes of a SKU that are whole reach a cap and the next whole one alike
        whole = np.bincount(free.sku[under], free.size[under] % 1.0)[free.sku[under]] == 0
        cap[under] = np.where(whole, np.maximum(np.ceil(drawn), 1.0), drawn)
    return cap


def _usual_caps(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the cap of most orders by the other columns, the largest of several: a retailer may have one of its own."""
    by = [name for name in orders.columns if name != "cap"]
    counted = orders.groupby([*by, "cap"], as_index=False).size().sort_values(["size", "cap"], kind="stable")
    return counted.drop_duplicates(by, keep="last").drop(columns="size")


def _nearest_in_time(asked: pd.DataFrame, known: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return what is known of each row's group in the week nearest to the row's, in the order of the rows."""
    numbered = asked.assign(order=np.arange(len(asked))).sort_values("week", kind="stable")
    return pd.merge_asof(numbered, known.sort_values("week", kind="stable"), on="week", by=by, direction="nearest").sort_values("order")


def _times_reached_by(share: Floats, ratio: Floats, group: Integers, rng: np.random.Generator) -> Floats:
    """Return per group a number that as near as possible a given share of its ratios reach.

    Sizes are lumpy, so many numbers are reached by the same orders: one of them is drawn.
    """
    order = np.lexsort((ratio, group))
    ratios, groups = ratio[order], group[order]
    count = np.bincount(groups)
    first = np.flatnonzero(np.concatenate([[True], (groups[1:] != groups[:-1]) | (ratios[1:] > ratios[:-1])]))
    of, value = groups[first], ratios[first]
    missed = np.abs((np.cumsum(count)[of] - first) / count[of] - share[of])
    by_group = np.lexsort((missed, of))
    best = by_group[np.unique(of[by_group], return_index=True)[1]]
    before = np.maximum(best - 1, 0)
    below = np.where((best > 0) & (of[before] == of[best]), value[before], 0.0)
    return np.asarray(value[best] - rng.random(best.size) * (value[best] - below))
