"""Which forecast of a retailer and a SKU stands in the scored tables, and what to ask for instead where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

import ibis.expr.types as ir

from contracts.errors import UsageError
from contracts.scored import DEMAND_FORECAST
from flows.locations import database_of
from flows.opening import open_warehouse
from flows.scored_sundays import chosen_sunday, nothing_scored
from flows.settings import Settings
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

Pair = tuple[str, str]
"""Retailer and SKU."""

MOST_NAMED = 12
"""So many SKUs or retailers a hint names at most."""


@dataclass(frozen=True)
class PublishedWeek:
    """A row of ``scored.demand_forecast``: expected units, three quantiles, and the probability of any demand."""

    as_of: date
    week_start: date
    horizon_weeks: int
    mean_units: float
    q10: float
    q50: float
    q90: float
    p_order: float
    method: str
    model_version: str


def read_published(settings: Settings, pair: Pair, as_of: date | None, week: date | None) -> tuple[PublishedWeek, ...]:
    """Return the published weeks of a pair in their order, at least one.

    Parameters
    ----------
    settings
        Where the warehouse is; it is not made.
    pair
        Retailer and SKU.
    as_of
        A Sunday that was scored; None for the newest.
    week
        Monday of one week; None for all.

    Raises
    ------
    UsageError
        If nothing was scored, or not that pair, ``as_of`` or week.
    """
    file = database_of(settings.warehouse.url)
    if file is not None and not file.exists():
        raise nothing_scored()
    with open_warehouse(settings) as con:
        forecasts = contract_table(DEMAND_FORECAST)
        as_of = chosen_sunday(con, as_of)
        of_day = forecasts.filter(forecasts.as_of == as_of)
        of_pair = of_day.filter(of_day.retailer_id == pair[0], of_day.sku_id == pair[1]).order_by("week_start")
        rows = fetch(con, of_pair.select(*PublishedWeek.__dataclass_fields__)).to_pylist()
        if not rows:
            raise _no_such_pair(con, of_day, pair, as_of)
    weeks = tuple(PublishedWeek(**row) for row in rows)
    chosen = tuple(row for row in weeks if week in (None, row.week_start))
    if not chosen:
        raise UsageError(
            f"week {week}: not among the weeks forecast as of {as_of}; expected one of {', '.join(str(row.week_start) for row in weeks)}",
            hint="give the Monday of one of these weeks, or leave --week out for all of them",
        )
    return chosen


def _no_such_pair(con: Warehouse, forecasts: ir.Table, pair: Pair, as_of: date) -> UsageError:
    """Say what is forecast for the retailer, or which retailers are called nearly like it."""
    retailer, sku = pair
    fault = f"{DEMAND_FORECAST.full_name}: no forecast of retailer_id={retailer}, sku_id={sku} as of {as_of}"
    skus = _distinct(con, forecasts.filter(forecasts.retailer_id == retailer), "sku_id")
    if skus:
        return UsageError(
            f"{fault}; expected a pair ordered in the last 52 weeks, or a new one",
            hint=f"{len(skus)} SKUs are forecast for {retailer}: {_some(skus, near=sku)}",
        )
    known = _distinct(con, forecasts, "retailer_id")
    near = get_close_matches(retailer, known, n=3) or known[:1]
    return UsageError(
        f"{fault}; nothing is forecast for that retailer",
        hint=f"{len(known):,} retailers are forecast, such as {', '.join(near)}; none that closed or ordered nothing for a year",
    )


def _distinct(con: Warehouse, rows: ir.Table, name: str) -> list[str]:
    return sorted(fetch(con, rows.select(name).distinct())[name].to_pylist())


def _some(names: Sequence[str], near: str = "") -> str:
    """Name a few, those most like a given one first.

    >>> _some(["S1", "S2"]), _some([f"S{n:02d}" for n in range(14)], near="S13")[:9]
    ('S1, S2', 'S13, S12,')
    """
    alike = get_close_matches(near, names, n=MOST_NAMED, cutoff=0.5) if near else []
    shown = [*alike, *(name for name in names if name not in alike)][:MOST_NAMED]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")
