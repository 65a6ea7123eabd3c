"""Which cap and floor apply to a retailer in a week: the most specific limit wins, retailer before tier before everybody.

A limit is a row, so the winning row decides both its cap and its floor: a retailer's own row with a null cap lifts the cap
that its tier has. Limits on a SKU and limits on a price band are two questions, asked with the same rule.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

LEVELS = ("retailer", "tier", "everybody")


def apply_limits(demands: ir.Table, limits: ir.Table, *, item: str, prefix: str = "") -> ir.Table:
    """Add the cap and floor that apply to each row.

    Parameters
    ----------
    demands
        Rows with ``retailer_id``, ``tier``, ``week_start`` and the column named by ``item``.
    limits
        Table ``raw.allocation_limits``.
    item
        ``sku_id`` or ``price_band``: what is limited.
    prefix
        Put before the two new columns.

    Returns
    -------
    ibis.Table
        ``demands`` with ``{prefix}cap_units`` and ``{prefix}floor_units`` (units a week; null is none). No row is added or lost.
    """
    candidates = demands
    for level in LEVELS:
        candidates = _join_level(candidates, limits, level, item)
    found = [candidates[f"{level}_found"].notnull() for level in LEVELS]

    def winner(limit: str) -> ir.Value:
        return ibis.cases(*((hit, candidates[f"{level}_{limit}"]) for level, hit in zip(LEVELS, found, strict=True)))

    chosen = {f"{prefix}{limit}": winner(limit) for limit in ("cap_units", "floor_units")}
    return candidates.select(*demands.columns, **chosen)


def _join_level(demands: ir.Table, limits: ir.Table, level: str, item: str) -> ir.Table:
    scope = {"retailer": limits.retailer_id.notnull(), "tier": limits.retailer_id.isnull() & limits.tier.notnull()}
    everybody = limits.retailer_id.isnull() & limits.tier.isnull()
    names = {"retailer": ("retailer_id",), "tier": ("tier",), "everybody": ()}[level]
    rows = limits.filter(limits[item].notnull(), scope.get(level, everybody)).select(
        **{
            f"{level}_item": limits[item],
            f"{level}_week": limits.week_start,
            **{f"{level}_{name}": limits[name] for name in names},
            f"{level}_found": ibis.literal(1),
            f"{level}_cap_units": limits.cap_units,
            f"{level}_floor_units": limits.floor_units,
        }
    )
    keys = [
        demands[item] == rows[f"{level}_item"],
        demands.week_start == rows[f"{level}_week"],
        *(demands[name] == rows[f"{level}_{name}"] for name in names),
    ]
    kept = [f"{level}_{name}" for name in ("found", "cap_units", "floor_units")]
    return demands.left_join(rows, keys).select(*demands.columns, *(rows[name] for name in kept))
