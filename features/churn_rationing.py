"""How often did caps and stock-outs stand in a retailer's way, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features.catalogue import Feature
from features.churn_history import in_weeks

RATIONING_FEATURES = (
    Feature("limited_orders_26w", "orders of a SKU in a week with a cap in force, last 26 weeks", "rationing"),
    Feature("cap_hit_rate_13w", "share of the orders with a cap in force that reached it, last 13 weeks", "rationing"),
    Feature("cap_hit_rate_26w", "share of the orders with a cap in force that reached it, last 26 weeks", "rationing"),
    Feature("unmet_units_26w", "units of true demand that were not delivered, last 26 weeks", "rationing"),
    Feature("unmet_share_13w", "share of the true demand that was not delivered, last 13 weeks", "rationing"),
    Feature("unmet_share_26w", "share of the true demand that was not delivered, last 26 weeks", "rationing"),
    Feature("cap_hit_rate_rise", "cap_hit_rate_13w less that of the 26 weeks before", "rationing"),
    Feature("unmet_share_rise", "unmet_share_13w less that of the 26 weeks before", "rationing"),
    Feature("closed_share_4w", "share of its SKU-weeks in which nothing could be ordered, last 4 weeks", "stock-outs"),
    Feature("closed_share_26w", "share of its SKU-weeks in which nothing could be ordered, last 26 weeks", "stock-outs"),
)


def rationing(demand_cells: ibis.Table, as_of: date) -> ibis.Table:
    """Return how often caps and stock-outs stood in each retailer's way: retailer_id and RATIONING_FEATURES.

    Parameters
    ----------
    demand_cells
        Retailer-SKU-weeks with the true demand.
    as_of
        The Sunday that ends the last known week.
    """
    cells = demand_cells.filter(in_weeks(demand_cells.week_start, as_of, 39))
    hit = cells.censoring.isin(["cap", "band"]) & (cells.delivered_units > 0)
    limited = hit | (cells.cap_units.notnull() & (cells.delivered_units > 0))
    closed = cells.censoring == "stockout"
    # A floor makes the true demand less than what was delivered; that is no unmet demand.
    unmet = ibis.greatest(cells.true_units - cells.delivered_units, 0.0)
    window = {f"{n}w": in_weeks(cells.week_start, as_of, n) for n in (4, 13, 26)}
    window["before"] = in_weeks(cells.week_start, as_of, 26, skip=13)
    compared = ("13w", "26w", "before")
    counts = cells.group_by("retailer_id").aggregate(
        **{f"hits_{n}": cells.count(where=window[n] & hit) for n in compared},
        **{f"limited_orders_{n}": cells.count(where=window[n] & limited) for n in compared},
        **{f"unmet_units_{n}": unmet.sum(where=window[n] & ~closed) for n in compared},
        **{f"true_units_{n}": cells.true_units.sum(where=window[n] & ~closed) for n in compared},
        **{f"closed_{n}": cells.count(where=window[n] & closed) for n in ("4w", "26w")},
        **{f"cells_{n}": cells.count(where=window[n]) for n in ("4w", "26w")},
    )
    ratios = {f"cap_hit_rate_{n}": counts[f"hits_{n}"] / _divisor(counts[f"limited_orders_{n}"]) for n in compared}
    ratios |= {f"unmet_share_{n}": counts[f"unmet_units_{n}"] / _divisor(counts[f"true_units_{n}"]) for n in compared}
    ratios |= {f"closed_share_{n}": counts[f"closed_{n}"] / _divisor(counts[f"cells_{n}"]) for n in ("4w", "26w")}
    rises = {f"{name}_rise": ratios[f"{name}_13w"] - ratios[f"{name}_before"] for name in ("cap_hit_rate", "unmet_share")}
    return counts.mutate(**ratios, **rises, unmet_units_26w=ibis.coalesce(counts.unmet_units_26w, 0.0))


def _divisor(count: ir.NumericColumn) -> ir.NumericColumn:
    """A divisor whose zero is null: engines differ in what dividing by zero gives."""
    return count.cast("float64").nullif(0)
