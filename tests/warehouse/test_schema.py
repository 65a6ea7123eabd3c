"""Tables follow the contract, also in a warehouse that an older version made; the weekly view has every week once."""

from __future__ import annotations

import pytest

from contracts.cells import CELLS
from contracts.errors import WarehouseError
from contracts.scored import DEMAND_FORECAST, RUNS
from warehouse.connection import connect
from warehouse.schema import create_missing_tables
from warehouse.session import Warehouse


def stored_columns(con: Warehouse, schema: str, table: str) -> list[tuple[str, str, str]]:
    columns: list[tuple[str, str, str]] = con.execute(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
        [schema, table],
    )
    return columns


def test_columns_have_the_order_types_and_nulls_of_the_contract(con: Warehouse) -> None:
    columns = stored_columns(con, "scored", "demand_forecast")
    assert tuple(name for name, _, _ in columns) == DEMAND_FORECAST.column_names
    assert columns[:2] == [("as_of", "DATE", "NO"), ("retailer_id", "VARCHAR", "NO")]
    assert ("error", "VARCHAR", "YES") in stored_columns(con, "scored", "runs")
    assert ("started_at", "TIMESTAMP WITH TIME ZONE", "NO") in stored_columns(con, "scored", "runs")


def test_an_optional_column_of_a_newer_contract_is_added_and_rows_stay(url: str) -> None:
    with connect(url, threads=1, memory_limit="200MB") as con:
        con.execute("ALTER TABLE raw.retailers DROP COLUMN tier")
        con.execute("INSERT INTO raw.retailers (retailer_id) VALUES ('R1')")
    with connect(url, threads=1, memory_limit="200MB") as con:
        assert con.execute("SELECT retailer_id, tier FROM raw.retailers") == [("R1", None)]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("ALTER TABLE raw.supply DROP COLUMN available_units", r"raw.supply: .*: available_units \(number\)"),
        ("ALTER TABLE raw.supply ALTER available_units TYPE VARCHAR", r"raw.supply: .*: available_units \(number\)"),
    ],
)
def test_a_stored_table_that_cannot_be_right_is_refused(con: Warehouse, change: str, named: str) -> None:
    con.execute(change)
    with pytest.raises(WarehouseError, match=named):
        create_missing_tables(con)


def test_a_derived_table_of_another_version_is_made_anew(con: Warehouse) -> None:
    con.execute("DROP VIEW scored.true_demand_weekly; ALTER TABLE derived.cells DROP COLUMN upper_units")
    create_missing_tables(con)
    assert tuple(name for name, _, _ in stored_columns(con, "derived", "cells")) == CELLS.column_names


def test_the_weekly_view_has_censored_weeks_as_recovered_and_the_others_as_delivered(con: Warehouse) -> None:
    con.execute(
        """
        INSERT INTO derived.cells (retailer_id, sku_id, week_start, delivered_units, lower_units, censoring) VALUES
            ('R1', 'S1', '2019-09-02', 5, 5, 'none'),
            ('R1', 'S1', '2019-09-09', 6, 6, 'cap'),
            ('R1', 'S1', '2019-09-16', 0, 0, 'stockout'),
            ('R1', 'S1', '2019-09-23', 7, 7, 'none')
        """
    )
    # The last was taken for capped by an older estimate.
    con.execute(
        """
        INSERT INTO scored.true_demand VALUES
            ('R1', 'S1', '2019-09-09', '2019-09-29', 6, 'cap', 8.5, 6, 14, true, '3', 'run'),
            ('R1', 'S1', '2019-09-23', '2019-09-22', 7, 'cap', 9.5, 7, 15, false, '2', 'run')
        """
    )
    weekly = con.execute("SELECT * EXCLUDE (retailer_id, sku_id) REPLACE (CAST(week_start AS VARCHAR) AS week_start)"
                             " FROM scored.true_demand_weekly ORDER BY week_start")  # fmt: skip
    assert weekly == [
        ("2019-09-02", 5, "none", 5, 5, 5, True),
        ("2019-09-09", 6, "cap", 8.5, 6, 14, True),
        ("2019-09-23", 7, "cap", 9.5, 7, 15, False),
    ]


def test_runs_are_stored_with_their_key(con: Warehouse) -> None:
    assert stored_columns(con, "scored", "runs")[0] == (RUNS.key[0], "VARCHAR", "NO")
