"""Every way in which input tables break the contract is refused with a sentence that finds the fault; nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import duckdb
import pyarrow as pa
import pytest

from contracts.errors import InputDataError
from tests.warehouse.conftest import InputFolder

LINES = """
line_id, retailer_id, sku_id, ordered_on, delivered_units
L1,      R1,          S1,     2019-09-02, 6
L2,      R2,          S2,     2019-09-03, 12
"""

# table, its rows, the fault
ROW_FAULTS = [
    (
        "order_lines",
        "line_id,retailer_id,sku_id,ordered_on,delivered_units\nL1,R1,S1,2019-09-02,abc\nL2,R1,S1,2019-09-02,\nL3,R1,S1,2019-09-02,1",
        "order_lines.delivered_units: not a number, 1 row, first line 2, line_id=L1 value 'abc'; expected a number",
        "order_lines.delivered_units: empty, 1 row, first line 3, line_id=L2; expected a number",
    ),
    (
        "order_lines",
        "line_id,retailer_id,sku_id,ordered_on,delivered_units\nL1,R1,S1,02/09/2019,1\nL2,R1,S1,2019-09-02 10:30,1\nL3,R1,S1,2019-02-30,1",
        ("order_lines.ordered_on: not a date, 3 rows, first line 2, line_id=L1 value '02/09/2019';"
        " expected a date such as 2019-09-30, without a time of day"),
    ),
    (
        "order_lines",
        "line_id,retailer_id,sku_id,ordered_on,delivered_units,requested_units\nL1,R1,S1,2019-09-02,-2,1\nL2,,S1,2019-09-02,NaN,-inf",
        "order_lines.retailer_id: empty, 1 row, first line 3, line_id=L2; expected text",
        "order_lines.delivered_units: not finite, 1 row, first line 3, line_id=L2 value 'nan'; expected a number",
        "order_lines.delivered_units: below 0, 1 row, first line 2, line_id=L1 value '-2.0'; expected 0 or more",
        "order_lines.requested_units: not finite, 1 row, first line 3, line_id=L2 value '-inf'; expected a number",
    ),
    (
        "order_lines",
        "line_id,retailer_id,sku_id,ordered_on,delivered_units\n,R1,S1,2019-09-02,1\n ,R1,S1,2019-09-03,1",
        "order_lines.line_id: empty, 2 rows, first line 2; expected text",
    ),
    (
        "order_lines",
        "line_id,retailer_id,sku_id,ordered_on,delivered_units\nL1,R1,S\0,2019-09-02,1",
        "order_lines.sku_id: a null byte in it, 1 row, first line 2, line_id=L1 value 'S\\x00'; expected text",
    ),
    (
        "order_lines",
        "line_id,retailer_id,sku_id,ordered_on,delivered_units\nL1,R1,S1,2019-09-02,1\nL1,R1,S1,2019-09-02,2",
        ("order_lines.line_id: a duplicate key with other values, 2 rows, first line 2, line_id=L1;"
        " expected one row per key (the first differ in delivered_units)"),
    ),
    (
        "supply",
        "week_start,sku_id,available_units\n2019-09-02,S1,0\n2019-09-03,S1,0\n2019-09-04,S2,0",
        ("supply.week_start: not a Monday, 2 rows, first line 3, week_start=2019-09-03, sku_id=S1 value '2019-09-03';"
        " expected the Monday of the week"),
    ),
    (
        "interactions",
        "interaction_id,retailer_id,occurred_on,kind,score,resolved_on\nI1,R1,2019-09-02,letter,101,\nI2,R1,2019-09-02,visit,100,2019-09-01",
        ("interactions.kind: unknown, 1 row, first line 2, interaction_id=I1 value 'letter';"
        " expected one of visit, call, complaint, return, survey"),
        "interactions.score: above 100, 1 row, first line 2, interaction_id=I1 value '101.0'; expected 100 or less",
        ("interactions.resolved_on: before occurred_on, 1 row, first line 3, interaction_id=I2 value '2019-09-01';"
        " expected a day on or after occurred_on"),
    ),
    (
        "retailers",
        "retailer_id,opened_on,closed_on,successor_id,latitude\nR1,2019-01-02,2019-01-01,R2,-91\nR2,,,R2,90",
        "retailers.latitude: below -90, 1 row, first line 2, retailer_id=R1 value '-91.0'; expected -90 or more",
        ("retailers.closed_on: before opened_on, 1 row, first line 2, retailer_id=R1 value '2019-01-01';"
        " expected a day on or after opened_on"),
        ("retailers.successor_id: the retailer itself, 1 row, first line 3, retailer_id=R2 value 'R2';"
        " expected another retailer, or nothing"),
    ),
    (
        "allocation_limits",
        ("week_start,sku_id,price_band,retailer_id,tier,cap_units,floor_units\n"
        "2019-09-02,S1,low,,,1,\n2019-09-02,,,R1,,1,\n2019-09-02,S1,,R1,A,1,\n2019-09-02,S2,,,,1,2"),
        ("allocation_limits.sku_id: both or neither of sku_id and price_band, 2 rows, first line 2,"
        " week_start=2019-09-02, sku_id=S1, price_band=low value 'S1'; expected exactly one of the two"),
        ("allocation_limits.retailer_id: a limit for a retailer and a tier, 1 row, first line 4,"
        " week_start=2019-09-02, sku_id=S1, retailer_id=R1, tier=A value 'A'; expected at most one of the two"),
        ("allocation_limits.cap_units: below floor_units, 1 row, first line 5,"
        " week_start=2019-09-02, sku_id=S2 value '1.0'; expected a cap of at least the floor"),
    ),
    (
        "allocation_limits",
        "week_start,sku_id,cap_units\n2019-09-02,S1,1\n2019-09-02,S1,2",
        ("allocation_limits.week_start+sku_id+price_band+retailer_id+tier: a duplicate key with other values, 2 rows, first line 2,"
        " week_start=2019-09-02, sku_id=S1; expected one row per key (the first differ in cap_units)"),
    ),
    (
        "sell_through",
        "retailer_id,sku_id,week_start,sold_units,stock_units\nR1,S1,2019-09-02,4,\nR1,S1,2019-09-02,4,7",
        ("sell_through.retailer_id+sku_id+week_start: a duplicate key with other values, 2 rows, first line 2,"
        " retailer_id=R1, sku_id=S1, week_start=2019-09-02; expected one row per key (the first differ in stock_units)"),
    ),
    (
        "supply",
        "SKU_ID,available,week_start\nS1,0,2019-09-03",
        "supply.sku_id: the column is missing ('SKU_ID' is there); expected week_start, sku_id, available_units",
        "supply.available_units: the column is missing ('available' is there); expected week_start, sku_id, available_units",
        ("supply.week_start: not a Monday, 1 row, first line 2, week_start=2019-09-03 value '2019-09-03';"
        " expected the Monday of the week"),
    ),
    (
        "events",
        'event_date,name\n2019-09-02,Fair,great\n2019-09-03\n2019-09-04,Market\n2019-09-05,"Ha"lf\n',
        "events: more fields than the header, 1 row, first line 2; expected as many as the header",
        "events: fewer fields than the header, 1 row, first line 3; expected as many as the header",
        ("events: a quote that is not closed or has text behind it, 1 row, first line 5;"
        ' expected quotes around the whole field, "" for a quote inside'),
    ),
    ("events", "event_date,name,name\n2019-09-02,Fair,Fair", "events.name: twice in the header; expected once"),
    ("events", "", "events: events.csv is empty or begins with an empty line; expected a header"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROW_FAULTS, ids=lambda case: f"{case[0]}: {case[2][:60]}")
def test_each_fault_is_named_with_its_place_count_and_first_key(folder: InputFolder, case: tuple[str, ...]) -> None:
    table, rows, *faults = case
    folder.csv("order_lines", LINES).bytes(f"{table}.csv", rows.encode())
    with pytest.raises(InputDataError) as refused:
        folder.load()
    assert list(refused.value.faults) == faults
    assert refused.value.exit_code == 3
    assert folder.rows("order_lines") == []


def test_faults_of_all_tables_are_reported_at_once_and_nothing_is_kept(folder: InputFolder) -> None:
    folder.csv("order_lines", LINES.replace("12", "-12")).csv("retailers", "retailer_id\nR1\nR2").csv("skus", "sku_id, pack_units\nS1, six")
    folder.bytes("supply.csv", b"\xff\xfew").bytes("events.parquet", b"PAR1 and no more")
    with pytest.raises(InputDataError) as refused:
        folder.load()
    assert [fault.split(":")[0] for fault in refused.value.faults] == [
        "supply",
        "events",
        "skus.pack_units",
        "order_lines.delivered_units",
        "order_lines.sku_id",
    ]
    assert refused.value.hint == "correct the files and load again; nothing was kept"
    assert folder.rows("retailers") == []


def test_an_order_for_an_unknown_sku_is_a_fault_where_skus_are_loaded(folder: InputFolder) -> None:
    folder.csv("order_lines", LINES).csv("skus", "sku_id\nS1")
    with pytest.raises(InputDataError) as refused:
        folder.load()
    assert refused.value.faults == (
        "order_lines.sku_id: not in skus, 1 row, first line 3, line_id=L2 value 'S2'; expected a sku_id of skus",
    )


def test_an_order_for_an_unknown_retailer_is_a_fault_where_retailers_are_stored(
    folder: InputFolder, new_folder: Callable[[], InputFolder]
) -> None:
    folder.csv("order_lines", LINES).csv("retailers", "retailer_id\nR1\nR2").load()
    with pytest.raises(InputDataError, match=r"order_lines.retailer_id: not in retailers, 1 row, first line 3, line_id=L4 value 'R9'"):
        new_folder().csv("order_lines", LINES.replace("L1", "L3").replace("L2", "L4").replace("R2", "R9")).load()


def test_a_first_register_must_have_every_retailer_that_ordered_before(folder: InputFolder, new_folder: Callable[[], InputFolder]) -> None:
    folder.csv("order_lines", LINES).load()
    with pytest.raises(InputDataError) as refused:
        new_folder().csv("retailers", "retailer_id\nR1").load()
    assert refused.value.faults == (
        (
            "order_lines.retailer_id: stored earlier and not in the retailers loaded now, 1 row, first retailer_id=R2;"
            " expected retailers with every one"
        ),
    )
    assert new_folder().csv("retailers", "retailer_id\nR1\nR2").load()["retailers"].rows_new == 2


def test_a_wrong_type_in_row_1_000_000_is_found_with_its_line(folder: InputFolder) -> None:
    target = folder.path / "order_lines.csv"
    duckdb.execute(
        "COPY (SELECT 'L' || i AS line_id, 'R1' AS retailer_id, 'S1' AS sku_id, DATE '2019-09-02' AS ordered_on,"
        f" if(i = 1000000, 'abc', '6') AS delivered_units FROM range(1, 1000011) AS t(i)) TO '{target}' (HEADER)"
    )
    with pytest.raises(InputDataError) as refused:
        folder.load()
    assert refused.value.faults == (
        "order_lines.delivered_units: not a number, 1 row, first line 1000001, line_id=L1000000 value 'abc'; expected a number",
    )


def test_the_line_is_right_behind_empty_lines_and_quoted_line_ends(folder: InputFolder) -> None:
    folder.csv("order_lines", LINES).bytes("events.csv", b'event_date,name\n\n2019-09-02,"two\nlines"\nsoon,Fair\n')
    with pytest.raises(InputDataError, match=r"events.event_date: not a date, 1 row, first line 5, name=Fair value 'soon'"):
        folder.load()


def test_text_that_is_not_utf8_is_refused_with_its_line(folder: InputFolder) -> None:
    folder.csv("order_lines", LINES).bytes("events.csv", "event_date,name\n2019-09-02,Fair\n2019-09-03,庙会\n".encode("gb18030"))
    with pytest.raises(InputDataError, match=r"events: not UTF-8, 1 row, first line 3; expected text in UTF-8"):
        folder.load()


@pytest.mark.parametrize(
    ("column", "values", "fault"),
    [
        ("line_id", pa.array([1.0, 2.0]), "order_lines.line_id: not text, 2 rows, first row 1 value '1.0'; expected text"),
        ("sku_id", pa.array([True, False]), "order_lines.sku_id: not text, 2 rows, first line_id=L1 value 'true'; expected text"),
        (
            "ordered_on",
            pa.array([datetime(2019, 9, 2), datetime(2019, 9, 2, 8, 30)]),
            (
                "order_lines.ordered_on: not a date, 1 row, first line_id=L2 value '2019-09-02 08:30:00';"
                " expected a date such as 2019-09-30, without a time of day"
            ),
        ),
        (
            "ordered_on",
            pa.array([20190902, 20190903]),
            (
                "order_lines.ordered_on: not a date, 2 rows, first line_id=L1 value '20190902';"
                " expected a date such as 2019-09-30, without a time of day"
            ),
        ),
        (
            "delivered_units",
            pa.array([None, date(2019, 9, 2)]),
            "order_lines.delivered_units: not a number, 1 row, first line_id=L2 value '2019-09-02'; expected a number",
        ),
        (
            "delivered_units",
            pa.array(["6", "six"]),
            "order_lines.delivered_units: not a number, 1 row, first line_id=L2 value 'six'; expected a number",
        ),
    ],
)
def test_parquet_types_that_would_lose_something_are_refused(folder: InputFolder, column: str, values: pa.Array, fault: str) -> None:
    columns = {
        "line_id": ["L1", "L2"],
        "retailer_id": ["R1", "R1"],
        "sku_id": ["S1", "S1"],
        "ordered_on": [date(2019, 9, 2)] * 2,
        "delivered_units": [6, 6],
    }
    with pytest.raises(InputDataError) as refused:
        folder.parquet("order_lines", {**columns, column: values}).load()
    assert refused.value.faults[0] == fault


@pytest.mark.parametrize("keep", [0, 4, 200, -60])
def test_a_truncated_parquet_file_is_refused(folder: InputFolder, keep: int) -> None:
    folder.parquet("order_lines", {"line_id": [f"L{i}" for i in range(999)]})
    whole = (folder.path / "order_lines.parquet").read_bytes()
    folder.bytes("order_lines.parquet", whole[:keep])
    with pytest.raises(InputDataError, match=r"order_lines: order_lines.parquet cannot be read \(.*\); expected a whole Parquet file"):
        folder.load()


def test_damaged_pages_of_a_parquet_file_are_refused(folder: InputFolder) -> None:
    folder.parquet("order_lines", {"line_id": [f"L{i}" for i in range(999)]})
    damaged = bytearray((folder.path / "order_lines.parquet").read_bytes())
    damaged[4:300] = b"\xaa" * 296
    folder.bytes("order_lines.parquet", bytes(damaged))
    with pytest.raises(InputDataError, match=r"order_lines: order_lines.parquet cannot be read"):
        folder.load()
