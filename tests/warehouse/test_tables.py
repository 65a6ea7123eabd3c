"""Tables are read as expressions and fetched as Arrow; derived ones are replaced whole or not at all."""

from __future__ import annotations

from datetime import date

import ibis
import pyarrow as pa
import pytest

from contracts.cells import RECOVERED
from contracts.errors import WarehouseError
from contracts.raw import EVENTS, ORDER_LINES
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch, has_rows, materialise, store


def recovered(units: list[float | None]) -> pa.Table:
    n_rows = len(units)
    return pa.table(
        {
            "true_units": units,
            "as_of": [date(2019, 9, 29)] * n_rows,
            "retailer_id": [f"R{i}" for i in range(n_rows)],
            "sku_id": ["S1"] * n_rows,
            "week_start": [date(2019, 9, 23)] * n_rows,
            "left_out": [1] * n_rows,
        }
    )


def test_a_table_is_an_expression_with_the_columns_of_the_contract(con: Warehouse) -> None:
    assert tuple(contract_table(ORDER_LINES).columns) == ORDER_LINES.column_names
    assert fetch(con, contract_table(ORDER_LINES)).num_rows == 0
    assert not has_rows(con, ORDER_LINES)


def test_stored_rows_come_back_in_the_order_and_types_of_the_contract(con: Warehouse) -> None:
    stored = store(con, RECOVERED, recovered([3, 4]))
    rows = fetch(con, stored.order_by("retailer_id"))
    assert rows.schema.names == list(RECOVERED.column_names)
    assert rows.schema.types == RECOVERED.arrow_schema.types
    assert rows.column("true_units").to_pylist() == [3.0, 4.0]
    assert has_rows(con, RECOVERED)


def test_storing_again_replaces_all_rows(con: Warehouse) -> None:
    store(con, RECOVERED, recovered([3, 4]))
    assert fetch(con, store(con, RECOVERED, recovered([5]))).column("true_units").to_pylist() == [5.0]


def test_an_expression_over_stored_tables_is_materialised_inside_the_warehouse(con: Warehouse) -> None:
    con.execute(
        "INSERT INTO raw.order_lines (line_id, retailer_id, sku_id, ordered_on, delivered_units)"
        " VALUES ('L1', 'R1', 'S1', '2019-09-24', 6), ('L2', 'R1', 'S1', '2019-09-25', 2)"
    )
    lines = contract_table(ORDER_LINES)
    summed = (
        lines.mutate(week_start=lines.ordered_on.truncate("W"), as_of=ibis.date("2019-09-29"))
        .group_by("as_of", "retailer_id", "sku_id", "week_start")
        .agg(true_units=lambda line: line.delivered_units.sum())
    )
    assert fetch(con, materialise(con, RECOVERED, summed)).to_pylist() == [
        {"as_of": date(2019, 9, 29), "retailer_id": "R1", "sku_id": "S1", "week_start": date(2019, 9, 23), "true_units": 8.0}
    ]


def test_a_missing_column_is_named(con: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=r"derived.recovered: columns sku_id are missing; expected as_of, retailer_id"):
        store(con, RECOVERED, recovered([3]).drop_columns(["sku_id"]))


@pytest.mark.parametrize("rows", [recovered([3, None]), recovered([3]).set_column(0, "true_units", pa.array(["three"]))])
def test_a_null_or_a_wrong_type_keeps_the_old_rows(con: Warehouse, rows: pa.Table) -> None:
    store(con, RECOVERED, recovered([3, 4]))
    with pytest.raises(WarehouseError, match=r"writing derived.recovered failed"):
        store(con, RECOVERED, rows)
    assert fetch(con, contract_table(RECOVERED)).num_rows == 2


def test_a_read_that_duckdb_refuses_is_a_warehouse_error(con: Warehouse) -> None:
    events = contract_table(EVENTS)
    con.execute("INSERT INTO raw.events VALUES ('2019-09-02', 'Fair', NULL)")
    with pytest.raises(WarehouseError, match=r"reading failed: .*Could not convert string 'Fair'"):
        fetch(con, events.select(number=events.name.cast("int64")))
