"""Retailers of a capped case that record what they ask for: genuinely, or with more than they want beyond what they get."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

KEY = ["retailer_id", "sku_id", "week_start"]

TELLING = 3
"""One retailer in so many records its requests."""


def record_requests(case: Path, times: float) -> None:
    """Let a third of a case's retailers record requests: what was delivered and, on a week's last line, what was wanted beyond it.

    Parameters
    ----------
    case
        Folder with ``input/order_lines.parquet``, which is rewritten, and ``truth/weekly_demand.parquet``.
    times
        By which what was wanted beyond the delivery is multiplied, whole units: 1 is genuine, 0 asks for no more than it gets.
    """
    path = case / "input" / "order_lines.parquet"
    lines, wanted = pd.read_parquet(path), pd.read_parquet(case / "truth" / "weekly_demand.parquet")
    day = pd.to_datetime(lines.ordered_on)
    placed = lines.assign(week_start=day - pd.to_timedelta(day.dt.dayofweek, unit="D"))
    demand = placed.merge(wanted.assign(week_start=pd.to_datetime(wanted.week_start)), on=KEY, how="left").demand_units.fillna(0.0)
    unmet = (demand - placed.groupby(KEY).delivered_units.transform("sum")).clip(lower=0.0)
    requested = lines.delivered_units + (times * unmet).round().where(~placed.duplicated(KEY, keep="last"), 0.0)
    telling = lines.retailer_id.isin(sorted(lines.retailer_id.unique())[::TELLING])
    lines.assign(requested_units=requested.where(telling)).to_parquet(path, index=False)
