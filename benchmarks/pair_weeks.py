"""Which pairs are compared, what did they order after ``as_of``, and what would the two plain baselines have said?

Reads the order lines themselves, not the warehouse, so that the truth does not pass through what is judged.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from contracts.weeks import HORIZONS, PAIR_WEEKS, last_week

PAIR = ["retailer_id", "sku_id"]
THREADS = 2
MEMORY_LIMIT = "3GB"


def weekly_orders(orders: Path) -> duckdb.DuckDBPyConnection:
    """Sum order lines to weeks.

    Parameters
    ----------
    orders
        Folder with ``order_lines.parquet``.

    Returns
    -------
    duckdb.DuckDBPyConnection
        With the table ``weekly_orders``: ``retailer_id``, ``sku_id``, ``week_start``, ``units``, one row per pair and week with an order.
    """
    con = duckdb.connect()
    con.execute(f"set threads = {THREADS}; set memory_limit = '{MEMORY_LIMIT}'; set timezone = 'UTC'")
    con.execute(
        """
        create table weekly_orders as
        select retailer_id, sku_id, date_trunc('week', ordered_on)::date as week_start, sum(delivered_units)::double as units
        from read_parquet($lines) group by all
        """,
        {"lines": str(orders / "order_lines.parquet")},
    )
    return con


def newest_judged_as_of(con: duckdb.DuckDBPyConnection) -> date:
    """Return the last Sunday after which all eight weeks are in the orders; the newest week counts as whole."""
    newest: date = con.execute("select max(week_start) from weekly_orders").fetchall()[0][0]
    return newest - timedelta(days=7 * len(HORIZONS) - 6)


def judged_weeks(con: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """Lay out the eight weeks after ``as_of`` for every pair ordered in the 52 weeks before.

    Parameters
    ----------
    con
        From ``weekly_orders``.

    Returns
    -------
    pandas.DataFrame
        One row per pair and horizon, by retailer, SKU and horizon: ``retailer_id``, ``sku_id``, ``horizon_weeks``, and in units ``actual``,
        ``seasonal_naive`` (the week 52 weeks before), ``recent_mean_13w`` and ``recent_mean_8w`` (weeks without an order count as 0,
        those before the pair's first order too).
    """
    return con.execute(
        """
        with pairs as (
            select retailer_id, sku_id,
                   coalesce(sum(units) filter (week_start > $last - 7 * 13), 0) / 13 as recent_mean_13w,
                   coalesce(sum(units) filter (week_start > $last - 7 * 8), 0) / 8 as recent_mean_8w
            from weekly_orders where week_start between $last - 7 * ($pair_weeks - 1) and $last group by all
        ), weeks as (
            select pairs.*, h::int as horizon_weeks, ($last + 7 * h::int)::date as week_start
            from pairs, range(1, $horizons + 1) as steps(h)
        )
        select weeks.retailer_id, weeks.sku_id, horizon_weeks, coalesce(came.units, 0) as actual,
               coalesce(year_before.units, 0) as seasonal_naive, recent_mean_13w, recent_mean_8w
        from weeks
        left join weekly_orders as came using (retailer_id, sku_id, week_start)
        left join weekly_orders as year_before on year_before.retailer_id = weeks.retailer_id
            and year_before.sku_id = weeks.sku_id and year_before.week_start = weeks.week_start - 7 * 52
        order by 1, 2, 3
        """,
        {"last": last_week(as_of), "pair_weeks": PAIR_WEEKS, "horizons": len(HORIZONS)},
    ).df()


def units_after(con: duckdb.DuckDBPyConnection, as_of: date) -> float:
    """Return all units ordered in the eight weeks after ``as_of``, by whichever pair."""
    rows = con.execute(
        "select sum(units) from weekly_orders where week_start > $last and week_start <= $last + 7 * $horizons",
        {"last": last_week(as_of), "horizons": len(HORIZONS)},
    ).fetchall()
    return float(rows[0][0])


def sample_of_pairs(weeks: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Draw pairs without replacement: ``retailer_id`` and ``sku_id``, in the order of ``weeks`` (all of them where there are fewer)."""
    pairs = weeks.loc[weeks.horizon_weeks == 1, PAIR].reset_index(drop=True)
    drawn = np.random.default_rng(seed).choice(len(pairs), min(count, len(pairs)), replace=False)
    return pairs.iloc[np.sort(drawn)].reset_index(drop=True)


def orders_of(con: duckdb.DuckDBPyConnection, pairs: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the weekly orders of some pairs up to ``as_of``: ``retailer_id``, ``sku_id``, ``week_start``, ``units``."""
    con.register("sampled_pairs", pairs)
    known = con.execute(
        """
        select weekly_orders.* from weekly_orders semi join sampled_pairs using (retailer_id, sku_id)
        where week_start <= ? order by 1, 2, 3
        """,
        [last_week(as_of)],
    ).df()
    con.unregister("sampled_pairs")
    return known
