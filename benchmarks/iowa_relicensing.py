"""How many lost stores of Iowa changed licence, how many silent ones ordered again, and how often do the three targets happen?

    .venv/bin/python -m benchmarks.iowa_relicensing --warehouse data/warehouse.duckdb --tables ../shared/data/iowa

The register is of 2022, so that a store is mostly in it only if it survived: places are known of few lost stores, and of those by when they
stopped. It serves this count alone; no model sees it. Keeps the figures in results/iowa_relicensing.json.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.records import circumstances, keep, printed_table
from contracts.cells import CELLS, RECOVERED
from contracts.churn_targets import LOST_HORIZONS, VERSION
from contracts.raw import RETAILERS, SKUS
from contracts.weeks import last_sunday, last_week
from features.cells import with_true_units
from features.churn_population import order_spans
from features.relicensing import successions
from features.target_labels import target_labels
from warehouse.statements import compiled
from warehouse.tables import contract_table

SILENT_WEEKS = 13
"""A store without an order in the last so many weeks is counted as lost."""

ORIGIN_SPACING_WEEKS, ORIGINS = 4, 26
RECENT_WEEKS = 26
"""Stores that stopped within so many weeks of the end are counted apart: of them the register still knows most."""


def connected(warehouse: Path, tables: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection that sees the cells of a warehouse, the SKUs, and the register of 2022 as if it were the retailers' table."""
    con = duckdb.connect(config={"threads": 2})
    con.execute(f"ATTACH '{warehouse}' AS stored (READ_ONLY)")
    for name in ("raw", "derived"):
        con.execute(f"CREATE SCHEMA {name}")
    for stored in (CELLS, RECOVERED, SKUS):
        con.execute(f"CREATE VIEW {stored.schema}.{stored.name} AS SELECT * FROM stored.{stored.schema}.{stored.name}")
    con.execute(
        f"CREATE TABLE raw.{RETAILERS.name} AS SELECT * FROM (SELECT * FROM stored.raw.{RETAILERS.name} LIMIT 0) UNION ALL BY NAME"
        f" SELECT retailer_id, name, latitude, longitude FROM read_parquet('{tables / 'register_2022.parquet'}')"
    )
    return con


def relicensed(con: duckdb.DuckDBPyConnection, newest: date) -> dict[str, int]:
    """Count the stores lost by the end, those of them with known coordinates, and those with a successor there."""
    cells, retailers = contract_table(CELLS), contract_table(RETAILERS)
    spans = compiled(lambda: order_spans(cells)).sql({})
    found = compiled(lambda as_of: successions(order_spans(cells), retailers, last_week(as_of)), "as_of").sql({"as_of": newest})
    end, recent = (last_week(newest) - timedelta(weeks=weeks) for weeks in (SILENT_WEEKS, RECENT_WEEKS))
    lost = (
        f"SELECT last_order > DATE '{recent}' AS recent, latitude IS NOT NULL AS located, found.retailer_id IS NOT NULL AS replaced"
        f" FROM ({spans}) AS spans LEFT JOIN raw.retailers USING (retailer_id) LEFT JOIN ({found}) AS found USING (retailer_id)"
        f" WHERE last_order <= DATE '{end}'"
    )
    stores = con.execute(lost).df()
    late = stores[stores.recent]
    return {
        "lost": len(stores),
        "lost_located": int(stores.located.sum()),
        "lost_relicensed": int(stores.replaced.sum()),
        "lost_recently": len(late),
        "lost_recently_located": int(late.located.sum()),
        "lost_recently_relicensed": int(late.replaced.sum()),
    }


def rates(con: duckdb.DuckDBPyConnection, newest: date) -> pd.DataFrame:
    """Return, by horizon, how often each target happened among active stores and how many of the silent ordered again."""
    cells, recovered, retailers, skus = (contract_table(described) for described in (CELLS, RECOVERED, RETAILERS, SKUS))
    nowhere = retailers.limit(0)
    labels = compiled(
        lambda as_of, known: target_labels(
            cells, with_true_units(cells, recovered, known), nowhere, skus, as_of, LOST_HORIZONS, last_week(known)
        ),
        "as_of",
        "known",
    )
    origins = [newest - timedelta(weeks=4 + ORIGIN_SPACING_WEEKS * n) for n in range(ORIGINS)]
    rows = pd.concat([con.execute(labels.sql({"as_of": origin, "known": newest})).df() for origin in origins])
    grouped = rows.assign(asked_again=rows.ordered_again_26w.notna(), no_order=rows.no_order.astype(float)).groupby("horizon_weeks")
    means = grouped[["no_order", "ordered_again_26w", "declines", "loses_category"]].mean()
    return means.assign(rows=grouped.size(), silent_with_known_later=grouped.asked_again.sum())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warehouse", type=Path, required=True)
    parser.add_argument("--tables", type=Path, required=True)
    given = parser.parse_args(arguments)
    con = connected(given.warehouse, given.tables)
    newest = last_sunday(con.execute("SELECT max(week_start) + 6 FROM derived.cells").fetchall()[0][0])
    counts, by_horizon = relicensed(con, newest), rates(con, newest)
    print(printed_table(["count", "stores"], list(counts.items())))
    print(by_horizon.round(4).to_string())
    known = {str(horizon): row.dropna().round(4).to_dict() for horizon, row in by_horizon.iterrows()}
    setting = circumstances(shlex.join(["python", "-m", "benchmarks.iowa_relicensing", *sys.argv[1:]]))
    keep("iowa_relicensing", {f"definition {VERSION}": {"relicensing": counts, "rates": known, "measured": setting}})


if __name__ == "__main__":
    main()
