"""What did pairs want in the eight weeks after a cut-off, the label of training, and in which of them is it not known?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS, target_week


def target_units(demand_cells: ir.Table, as_of: date) -> ir.Table:
    """Return the true demand of the weeks after a cut-off.

    Parameters
    ----------
    demand_cells
        Cells with ``true_units`` that reach beyond ``as_of``.

    Returns
    -------
    ibis.Table
        One row per pair with a cell in the next eight weeks: ``target_{h}`` in units, null where nothing could be ordered, and
        ``target_{h}_floored``, whether a floor hid if anything was wanted. A pair or week that is missing wanted nothing, or could not
        order (``closed_skus``).
    """
    ahead = _ahead(demand_cells, as_of)
    targets: dict[str, ir.Value] = {}
    for horizon in HORIZONS:
        this_week = ahead.week_start == ibis.literal(target_week(as_of, horizon))
        targets[f"target_{horizon}"] = ahead.true_units.sum(where=this_week & (ahead.censoring != "stockout"))
        targets[f"closed_{horizon}"] = (ahead.censoring == "stockout").sum(where=this_week)
        targets[f"floored_{horizon}"] = (ahead.censoring == "floor").sum(where=this_week)
    summed = ahead.group_by("retailer_id", "sku_id").aggregate(**targets)
    return summed.select(
        "retailer_id",
        "sku_id",
        **{
            f"target_{h}": ibis.ifelse(summed[f"closed_{h}"] > 0, ibis.null("float64"), summed[f"target_{h}"].fill_null(0.0)).cast(
                "float32"
            )
            for h in HORIZONS
        },
        **{f"target_{h}_floored": ibis.coalesce(summed[f"floored_{h}"] > 0, False) for h in HORIZONS},
    )


def closed_skus(demand_cells: ir.Table, as_of: date) -> ir.Table:
    """Tell in which weeks after a cut-off a SKU was closed to all who ever ordered it: what others wanted of it is not known either.

    Parameters
    ----------
    demand_cells
        Cells that reach beyond ``as_of``.

    Returns
    -------
    ibis.Table
        One row per SKU with a closed week: ``shut_{h}``, whether it was closed to every pair with a cell in that week. A pair has cells of
        closed weeks only from its first order on.
    """
    ahead = _ahead(demand_cells, as_of)
    closed = ahead.censoring == "stockout"
    shut: dict[str, ir.Value] = {}
    for horizon in HORIZONS:
        this_week = ahead.week_start == ibis.literal(target_week(as_of, horizon))
        shut[f"shut_{horizon}"] = ibis.coalesce(closed.min(where=this_week), False)
    return ahead.semi_join(ahead.filter(closed).select("sku_id").distinct(), "sku_id").group_by("sku_id").aggregate(**shut)


def with_targets(pairs: ir.Table, demand_cells: ir.Table, as_of: date, prefix: str) -> ir.Table:
    """Put the true demand of eight weeks beside each pair.

    Parameters
    ----------
    pairs
        As ``features.demand.pair_features`` gives them, with ``open_from_horizon`` and ``open_until_horizon``.
    demand_cells
        Cells with ``true_units`` that reach beyond ``as_of``.
    as_of
        The cut-off that the eight weeks follow.
    prefix
        Of the new columns.

    Returns
    -------
    ibis.Table
        ``pairs`` with ``{prefix}_{h}`` in units: 0 where the pair has no cell, null where the week was closed to it or to all who order
        the SKU, and where nothing was ordered before its retailer's opening or its SKU's launch, or after its SKU was delisted; and
        ``{prefix}_{h}_floored``, whether a floor hid if anything was wanted, so that the units are an expectation.
    """
    targets, skus = target_units(demand_cells, as_of), closed_skus(demand_cells, as_of)
    found = f"{prefix}_found"
    came = {f"{prefix}_{h}_known": targets[f"target_{h}"] for h in HORIZONS}
    floored = {f"{prefix}_{h}_forced": targets[f"target_{h}_floored"] for h in HORIZONS}
    known = targets.select("retailer_id", "sku_id", **came, **floored, **{found: ibis.literal(1)})
    joined = pairs.left_join(known, ["retailer_id", "sku_id"]).select(*pairs.columns, *known.columns[2:])
    joined = joined.left_join(skus, "sku_id").select(*joined.columns, *(f"shut_{h}" for h in HORIZONS))
    nothing, unknown = ibis.literal(0.0).cast("float32"), ibis.null("float32")
    wanted: dict[str, ir.Value] = {}
    for horizon in HORIZONS:
        units = ibis.ifelse(joined[found].isnull(), nothing, joined[f"{prefix}_{horizon}_known"])
        outside = ((joined.open_from_horizon > horizon) | (joined.open_until_horizon < horizon)) & (units == 0)
        wanted[f"{prefix}_{horizon}"] = ibis.ifelse(ibis.coalesce(joined[f"shut_{horizon}"], False) | outside, unknown, units)
        wanted[f"{prefix}_{horizon}_floored"] = ibis.coalesce(joined[f"{prefix}_{horizon}_forced"], False)
    return joined.select(*pairs.columns, **wanted)


def _ahead(demand_cells: ir.Table, as_of: date) -> ir.Table:
    week = demand_cells.week_start
    return demand_cells.filter(week >= ibis.literal(target_week(as_of, 1)), week <= ibis.literal(target_week(as_of, HORIZONS[-1])))
