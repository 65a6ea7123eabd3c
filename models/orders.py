"""Orders as arrays: what each retailer got of each SKU in each week it ordered, and the cap that may have cut it.

Recovery by re-censoring (models.recensoring) caps some orders on purpose, describes capped orders and learns to uncap them; it does all of
that on this one structure, so that a real capped order and one capped on purpose are described by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import pandas as pd

from models.stacking import Flags, Floats, Integers

DAYS_BEFORE_FIRST = 4
"""Days from 1 January 1970 to the first Monday, from which weeks are counted."""


@dataclass(frozen=True)
class Orders:
    """One entry per order (retailer, SKU and week with a delivery), in the order of the weeks.

    Attributes
    ----------
    row
        Row of the frame it came from.
    week
        Weeks since 5 January 1970.
    retailer, sku, pair, tier, tier_sku, category
        Codes from 0.
    size
        Units seen.
    cap
        Units it could not exceed; inf where nothing capped it.
    at_cap
        Whether the cap cut it, or may have: then the true size is at least ``size``.
    named
        Whether ``cap`` is one that the books name for the SKU, rather than where a shared cap, or one they do not name, happened to cut it.
    pack
        Units of a pack, at least 1.
    """

    row: Integers
    week: Integers
    retailer: Integers
    sku: Integers
    pair: Integers
    tier: Integers
    tier_sku: Integers
    category: Integers
    size: Floats
    cap: Floats
    at_cap: Flags
    named: Flags
    pack: Floats

    @property
    def count(self) -> int:
        """Orders."""
        return self.week.size

    def take(self, which: Integers | Flags) -> Self:
        """Return some of the orders, in the order given; codes stay."""
        return replace(self, **{field.name: getattr(self, field.name)[which] for field in fields(self)})


def orders_of(cells: pd.DataFrame) -> Orders:
    """Take the orders out of cells.

    Parameters
    ----------
    cells
        One row per retailer, SKU and week in the order of the weeks: ``retailer_id``, ``sku_id``, ``tier``, ``category`` (no nulls),
        ``week_start`` (datetime), ``delivered_units``, ``cap_units``, ``pack_units`` (null is 1), ``censoring``. Weeks with a floor or
        without stock are left out: they say nothing of a size.
    """
    told = cells.censoring.isin(["none", "cap", "band"]).to_numpy() & (cells.delivered_units.to_numpy() > 0)
    row = np.flatnonzero(told)
    kept = cells.iloc[row]
    retailer, sku, tier, category = (_codes(kept[name]) for name in ("retailer_id", "sku_id", "tier", "category"))
    size = kept.delivered_units.to_numpy(dtype=np.float64)
    at_cap = kept.censoring.isin(["cap", "band"]).to_numpy()
    given = kept.cap_units.fillna(np.inf).to_numpy(dtype=np.float64)
    return Orders(
        row=row,
        week=weeks_of(kept.week_start),
        retailer=retailer,
        sku=sku,
        pair=joint_codes(sku, retailer),
        tier=tier,
        tier_sku=joint_codes(sku, tier),
        category=category,
        size=size,
        # a shared cap, or one the books do not name, cut it where it stands
        cap=np.where(at_cap, np.minimum(given, size), given),
        at_cap=at_cap,
        named=np.isfinite(given) & ~(at_cap & (given > size)),
        pack=np.maximum(kept.pack_units.fillna(1.0).to_numpy(dtype=np.float64), 1.0),
    )


def weeks_of(week_start: pd.Series) -> Integers:
    """Count weeks since 5 January 1970.

    >>> weeks_of(pd.Series(pd.to_datetime(["1970-01-05", "1970-01-19"]))).tolist()
    [0, 2]
    """
    days = week_start.to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.asarray((days - DAYS_BEFORE_FIRST) // 7, dtype=np.int64)


def joint_codes(left: Integers, right: Integers) -> Integers:
    """Return codes from 0 of the pairs of two codes.

    >>> joint_codes(np.array([5, 5, 7]), np.array([1, 2, 1])).tolist()
    [0, 1, 2]
    """
    joint = left * (right.max(initial=0) + 1) + right
    return np.asarray(pd.factorize(joint)[0], dtype=np.int64)


def _codes(names: pd.Series) -> Integers:
    return pd.factorize(names)[0].astype(np.int64)
