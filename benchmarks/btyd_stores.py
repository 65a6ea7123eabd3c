"""What do the buy-till-you-die models make of real stores' orders, above all where the history is short?

As of twelve Sundays 4 weeks apart, the last one 13 weeks before the end of the orders, the model of `models.btyd` is fitted on every
store that had ordered, and asked who of the active ones places no order in the next 13 weeks. Not calibrated; stores that were relicensed
count as lost.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.records import PROJECT, circumstances, keep, printed_table
from contracts.weeks import ACTIVE_WEEKS
from features.churn_history import HISTORY_WEEKS
from models.btyd import Btyd, NoBtyd, fit_btyd

HORIZON_WEEKS, ORIGINS, SPACING_WEEKS = 13, 12, 4
GROUPS = {
    "all active": (0, HISTORY_WEEKS, ACTIVE_WEEKS),
    "known for less than 13 weeks": (0, 13, ACTIVE_WEEKS),
    "13 to 25 weeks": (13, 26, ACTIVE_WEEKS),
    "26 to 51 weeks": (26, 52, ACTIVE_WEEKS),
    "silent for at most 2 weeks": (0, HISTORY_WEEKS, 3),
}
"""By name: weeks since the first order, from and below; and weeks of silence, below."""


def main() -> None:
    """Fit and ask as of each Sunday, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=Path, default=PROJECT / "../shared/data/iowa", help="folder with order_lines.parquet")
    arguments = parser.parse_args()
    asked = pd.concat(_asked(order_weeks(arguments.orders)), ignore_index=True)
    figures = {name: _figures(asked, *bounds) for name, bounds in GROUPS.items()}
    print(printed_table(["stores", *next(iter(figures.values()))], [[name, *row.values()] for name, row in figures.items()]))
    command = shlex.join(["python", "-m", "benchmarks.btyd_stores", *sys.argv[1:]])
    print(keep("btyd", {arguments.orders.name: {**figures, **circumstances(command)}}))


def order_weeks(folder: Path) -> pd.DataFrame:
    """Return the weeks with an order of each store: retailer_id, week_start."""
    weeks = duckdb.sql(
        f"""select distinct retailer_id, date_trunc('week', ordered_on)::timestamp as week_start
        from '{folder}/order_lines.parquet' where delivered_units > 0"""
    ).df()
    return weeks.sort_values(["retailer_id", "week_start"], ignore_index=True)


def histories(weeks: pd.DataFrame, last_week: pd.Timestamp) -> pd.DataFrame:
    """Return what the models see of each store after a week: one row per store that ordered within the history."""
    known = weeks[(weeks.week_start <= last_week) & (weeks.week_start > last_week - pd.Timedelta(weeks=HISTORY_WEEKS))]
    spans = known.groupby("retailer_id").week_start.agg(["size", "min", "max"])
    return pd.DataFrame(
        {
            "repeat_orders": spans["size"] - 1.0,
            "last_order_age_weeks": (spans["max"] - spans["min"]).dt.days / 7.0,
            "age_weeks": (last_week - spans["min"]).dt.days / 7.0,
            "silent_weeks": (last_week - spans["max"]).dt.days / 7.0,
        }
    )


def _asked(weeks: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Active stores as of each Sunday, with the probability of no order and whether there was none."""
    newest = weeks.week_start.max()
    for back in range(ORIGINS):
        last_week = newest - pd.Timedelta(weeks=HORIZON_WEEKS + SPACING_WEEKS * back)
        stores = histories(weeks, last_week)
        fitted = fit_btyd(stores)
        if isinstance(fitted, NoBtyd):
            raise SystemExit(fitted.reason)
        later = weeks[(weeks.week_start > last_week) & (weeks.week_start <= last_week + pd.Timedelta(weeks=HORIZON_WEEKS))]
        yield _scored(stores[stores.silent_weeks < ACTIVE_WEEKS], fitted, later)


def _scored(active: pd.DataFrame, fitted: Btyd, later: pd.DataFrame) -> pd.DataFrame:
    chance = fitted.p_no_order(active, [HORIZON_WEEKS])[:, 0]
    gap = active.last_order_age_weeks / active.repeat_orders.where(active.repeat_orders > 0)
    return active.assign(
        p_no_order=chance, no_order=~active.index.isin(later.retailer_id), gap_ratio=(active.silent_weeks / gap).fillna(active.silent_weeks)
    )


def _figures(asked: pd.DataFrame, from_weeks: int, below_weeks: int, silent_below: int) -> dict[str, float]:
    stores = asked[(asked.age_weeks >= from_weeks) & (asked.age_weeks < below_weeks) & (asked.silent_weeks < silent_below)]
    aucs = {name: round(float(roc_auc_score(stores.no_order, stores[name])), 3) for name in ("p_no_order", "silent_weeks", "gap_ratio")}
    ratio = stores.p_no_order.mean() / stores.no_order.mean()
    return {"rows": len(stores), "lost": int(stores.no_order.sum())} | aucs | {"mean_p_to_observed": round(float(ratio), 2)}


if __name__ == "__main__":
    main()
