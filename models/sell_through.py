"""What were orders at a cap worth, judged by what the shop sold on?

Over some weeks a shop orders what its customers ask for (order lumps and a shelf filled once even out). A week that ends with stock on the
shelf met all that was asked; one that sold out met at least what was sold. So customers' demand D of the weeks around an order is a
censored mean of what was sold, and of the orders around it those that no limit touched are known:

    wanted at caps = k · D - orders without a limit,   k = orders / D of the pairs and weeks far from any limit

k is 1 where everything sold is told. Held against what recovery says of the same orders at caps, P, this gives a factor on P, drawn
towards 1 by how little the weeks tell (empirical Bayes, normal means: Efron and Morris 1973): orders are lumpy, by how much is read from
weeks without limits, and what customers of a shop that sold out asked for is a guess. Hoarded orders, whose shelves are never empty, shrink
below what was delivered; where nobody hoards it makes recovery too low, so that it is used only where hoarding is evident
(models.hoarding_rate; docs/recovery.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Self

import numpy as np
import pandas as pd

from contracts.weeks import last_week
from models.censored_likelihood import expected_units
from models.kernels import sums_nearby
from models.orders import joint_codes, weeks_of
from models.stacking import Flags, Floats, Integers

KEY = ["retailer_id", "sku_id", "week_start"]

SCALE_WEEKS = 8.0
"""After so many weeks a sale or an order counts for 1/e: long enough for lumps to even out."""

ROUNDS = 8
"""Of the EM for customers' demand in weeks that sold out."""

LEAST_UNITS = 1e-6
LEAST_DISPERSION = 0.01
MOST_FACTOR = 5.0
FEWEST_WEEKS = 200
"""With fewer weeks at a cap, or fewer without any limit near, shelves change nothing."""


@dataclass(frozen=True)
class ShelfWeeks:
    """Weeks of which a shop told its sales, in the order of the weeks; made by ``shelf_weeks``.

    Attributes
    ----------
    key
        retailer_id, sku_id and week_start of each.
    week, pair
        Weeks since 5 January 1970 and codes from 0 (n,).
    sold, delivered
        Units (n,); 0 delivered where nothing was ordered.
    sold_out
        Whether customers may have asked for more than was sold (n,).
    closed, hidden
        Whether nothing could be ordered, and whether a limit hides what was wanted (n,).
    asked_for
        Whether a request for more than was delivered is recorded (n,): such an order was cut, and is corrected no further.
    """

    key: pd.DataFrame
    week: Integers
    pair: Integers
    sold: Floats
    delivered: Floats
    sold_out: Flags
    closed: Flags
    hidden: Flags
    asked_for: Flags

    def until(self, as_of: date) -> Self:
        """Return what was known as of a Sunday."""
        known = int(np.searchsorted(self.key.week_start.to_numpy(), np.datetime64(last_week(as_of)), side="right"))
        arrays = {field.name: getattr(self, field.name)[:known] for field in fields(self) if field.name != "key"}
        return replace(self, key=self.key.iloc[:known], **arrays)


@dataclass(frozen=True)
class ShelfEvidence:
    """What shelves say of recovered orders at caps.

    Attributes
    ----------
    orders
        Weeks at a cap of shops that told their sales.
    agreement
        k: units ordered per unit that customers asked for, far from any limit.
    ratio
        What these orders come to after the correction over before.
    """

    orders: int
    agreement: float
    ratio: float


def shelf_weeks(rows: pd.DataFrame) -> ShelfWeeks:
    """Prepare what shops told of their sales.

    Parameters
    ----------
    rows
        As ``features.sell_through.sold_and_ordered`` has them, ``week_start`` as datetime.
    """
    ordered = rows.sort_values(["week_start", "sku_id", "retailer_id"], ignore_index=True)
    retailer, sku = (pd.factorize(ordered[name])[0].astype(np.int64) for name in ("retailer_id", "sku_id"))
    return ShelfWeeks(
        key=ordered[KEY],
        week=weeks_of(ordered.week_start),
        pair=joint_codes(sku, retailer),
        sold=ordered.sold_units.to_numpy(dtype=np.float64),
        delivered=ordered.delivered_units.fillna(0.0).to_numpy(dtype=np.float64),
        # a shop that does not tell its stock may have sold out
        sold_out=~(ordered.stock_units > 0).to_numpy(dtype=bool),
        closed=ordered.censoring.eq("stockout").to_numpy(dtype=bool),
        hidden=ordered.censoring.isin(["cap", "band", "floor"]).to_numpy(dtype=bool),
        asked_for=(ordered.upper_units > ordered.delivered_units).to_numpy(dtype=bool),
    )


def asked_by_customers(shelves: ShelfWeeks) -> tuple[Floats, Floats]:
    """Return the units a week that customers ask for around each week, and how many of each week were not sold (n,).

    A local mean of counts, cut where the shop sold out.

    EM for the mean of a negative binomial law: a week that sold out counts as E[X | X >= sold] (models.censored_likelihood).
    """
    weight = _nearby(shelves, np.ones((shelves.sold.size, 1)))[:, 0]
    local = np.maximum(_nearby(shelves, shelves.sold[:, None])[:, 0] / weight, LEAST_UNITS)
    # a week that sold nothing, its shelf empty, says nothing and counts as the mean
    cut = np.flatnonzero(shelves.sold_out & (shelves.sold > 0))
    empty = shelves.sold_out & (shelves.sold <= 0)
    least, unbound = np.maximum(np.floor(shelves.sold[cut]), 1.0), np.full(cut.size, np.inf)
    units = shelves.sold
    for _ in range(ROUNDS):
        units = np.where(empty, local, shelves.sold)
        alpha = np.full(cut.size, _dispersion(shelves, units, local))
        units[cut] = np.maximum(expected_units(least, unbound, local[cut], alpha), shelves.sold[cut])
        local = np.maximum(_nearby(shelves, units[:, None])[:, 0] / weight, LEAST_UNITS)
    return local, units - shelves.sold


def _dispersion(shelves: ShelfWeeks, units: Floats, mean: Floats) -> float:
    """Return alpha of Var = m + alpha·m² by moments, of the weeks that met all that was asked; at least a little, for the formulas."""
    met = ~shelves.sold_out
    squares = float((mean[met] ** 2).sum())
    return max(float(((units - mean)[met] ** 2 - mean[met]).sum()) / max(squares, LEAST_UNITS), LEAST_DISPERSION)


def corrected_by_shelves(estimates: pd.DataFrame, shelves: ShelfWeeks | None, as_of: date) -> tuple[pd.DataFrame, ShelfEvidence | None]:
    """Correct recovered demand at caps by what shops sold.

    Parameters
    ----------
    estimates
        As ``models.recovery.recover`` gives them, as of the same Sunday.
    shelves
        None where no shop tells its sales.
    as_of
        Nothing later counts.

    Returns
    -------
    tuple
        The estimates, those at a cap of shops that tell their sales multiplied by their factor, and what it rests on; as they were, and
        None, where there are too few such weeks.
    """
    if shelves is None:
        return estimates, None
    known = shelves.until(as_of)
    row = _rows_of(estimates, known)
    found = np.flatnonzero((row >= 0) & estimates.censoring.eq("cap").to_numpy())
    found = found[~known.asked_for[row[found]]]
    at_cap = np.zeros(known.sold.size, dtype=bool)
    at_cap[row[found]] = True
    wanted = known.delivered.copy()
    wanted[row[row >= 0]] = estimates.true_units.to_numpy(dtype=np.float64)[row >= 0]
    if at_cap.sum() < FEWEST_WEEKS:
        return estimates, None
    judged = _judge(known, wanted, at_cap)
    if judged is None:
        return estimates, None
    factor, evidence = judged
    columns = ["true_units", "true_units_p10", "true_units_p90"]
    changed = estimates.copy()
    changed.loc[changed.index[found], columns] = estimates[columns].to_numpy()[found] * factor[row[found]][:, None]
    return changed, evidence


def _judge(known: ShelfWeeks, wanted: Floats, at_cap: Flags) -> tuple[Floats, ShelfEvidence] | None:
    """Return the factor on what recovery says of each week at a cap (n,), and what it rests on; None without weeks to compare with."""
    is_open = ~known.closed
    around, unsold = asked_by_customers(known)
    sums = _nearby(known, np.column_stack([around, unsold, wanted, at_cap * wanted]) * is_open[:, None])
    asked, missed, ordered, claimed = sums.T
    limited = np.zeros(known.pair.max() + 1, dtype=bool)
    limited[known.pair[known.hidden | known.closed]] = True
    free = ~limited[known.pair]
    if free.sum() < FEWEST_WEEKS or ordered[free].sum() <= 0:
        return None
    agreement = float(ordered[free].sum() / asked[free].sum())
    noise = float(((agreement * asked - ordered)[free] ** 2).sum() / (agreement * asked[free]).sum())
    at = np.flatnonzero(at_cap)
    # floors and bands rest on recovery; how much customers missed is a guess as uncertain as it is large
    shown = (agreement * asked - (ordered - claimed))[at]
    variance = (noise * np.maximum(agreement * asked[at], LEAST_UNITS) + (agreement * missed[at]) ** 2) / claimed[at] ** 2
    own = shown / claimed[at]
    between = max(float(((own - 1.0) ** 2 / variance - 1.0).sum() / (1.0 / variance).sum()), 0.0)
    factor = np.ones(wanted.size)
    factor[at] = np.clip(1.0 + (own - 1.0) * between / (between + variance), 0.0, MOST_FACTOR)
    ratio = float((factor * wanted)[at].sum() / wanted[at].sum())
    return factor, ShelfEvidence(at.size, agreement, ratio)


def _rows_of(estimates: pd.DataFrame, known: ShelfWeeks) -> Integers:
    """Return the place among the shelves' weeks of each estimate, -1 where its shop did not tell."""
    place = known.key.astype({"retailer_id": str, "sku_id": str}).assign(place=np.arange(known.sold.size))
    keys = estimates[KEY].astype({"retailer_id": str, "sku_id": str})
    return keys.merge(place, how="left", on=KEY).place.fillna(-1).to_numpy(dtype=np.int64)


def _nearby(shelves: ShelfWeeks, values: Floats) -> Floats:
    """Return local sums, the week itself included."""
    return sums_nearby(shelves.pair, shelves.week, values, SCALE_WEEKS) + values
