"""Good folders are stored, whole; loading again changes nothing; what may not change does not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import InputDataError, UsageError, WarehouseError
from tests.warehouse.conftest import InputFolder
from warehouse import load as load_module
from warehouse.amendments import Amendment, apply
from warehouse.connection import connect
from warehouse.load import TableLoad, load_folder
from warehouse.session import Warehouse

FIRST_LINE = {
    "line_id": "L1",
    "retailer_id": "R1",
    "sku_id": "S1",
    "ordered_on": date(2019, 9, 2),
    "delivered_units": 6.0,
    "requested_units": None,
    "amount": 30.0,
}


def test_a_csv_of_order_lines_is_stored_as_it_says(folder: InputFolder, orders: str) -> None:
    assert folder.csv("order_lines", orders).load() == {"order_lines": TableLoad("order_lines", 3, 3, 0, 0, ())}
    assert folder.rows("order_lines")[0] == FIRST_LINE
    assert folder.rows("order_lines")[2]["amount"] is None


def test_parquet_types_that_lose_nothing_are_taken(folder: InputFolder) -> None:
    folder.parquet(
        "order_lines",
        {
            "line_id": pa.array([1], pa.int64()),
            "retailer_id": pa.array(["R1"]).dictionary_encode(),
            "sku_id": pa.array([b"S1"]),
            "ordered_on": pa.array([datetime(2019, 9, 2)], pa.timestamp("ns")),
            "delivered_units": pa.array([6], pa.int32()),
            "requested_units": pa.nulls(1),
            "amount": pa.array([Decimal("30.00")], pa.decimal128(12, 2)),
        },
    ).load()
    assert folder.rows("order_lines") == [{**FIRST_LINE, "line_id": "1"}]


def test_a_folder_of_parquet_parts_is_one_table(folder: InputFolder) -> None:
    (folder.path / "order_lines").mkdir()
    for part, line_id in enumerate(("L1", "L2")):
        rows = {**FIRST_LINE, "line_id": line_id}
        rows.pop("requested_units")
        pq.write_table(pa.Table.from_pylist([rows]), folder.path / "order_lines" / f"part-{part}.parquet")
    assert folder.load()["order_lines"].rows_new == 2


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xef\xbb\xbfevent_date,name\r\n2019-09-02,Fair\r\n", "a byte order mark and Windows line ends"),
        (b"event_date;name\n2019-09-02;Fair\n", "semicolons"),
        (b"event_date\tname\n2019-09-02\tFair", "tabs, and no line end at the end"),
        (b'"event_date","name"\n"2019-09-02 00:00:00"," Fair "\n\n', "quotes, a midnight, padding and an empty line"),
    ],
)
def test_dialects_of_csv(folder: InputFolder, orders: str, content: bytes, what: str) -> None:
    folder.csv("order_lines", orders).bytes("events.csv", content).load()
    assert folder.rows("events") == [{"event_date": date(2019, 9, 2), "name": "Fair", "district": None}], what


def test_a_quoted_field_may_hold_delimiters_quotes_and_line_ends(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).bytes("events.csv", b'event_date,name\n2019-09-02,"Fair, ""great""\nand long"\n').load()
    assert folder.rows("events")[0]["name"] == 'Fair, "great"\nand long'


def test_an_empty_line_in_a_file_of_one_column_is_no_row(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).bytes("retailers.csv", b"retailer_id\nR1\n\nR2\n\n")
    assert folder.load()["retailers"].rows_read == 2


def test_a_register_with_a_header_only_is_loaded_and_asked_nothing(folder: InputFolder, orders: str) -> None:
    loads = folder.csv("order_lines", orders).csv("retailers", "retailer_id, name").load()
    assert loads["retailers"] == TableLoad("retailers", 0, 0, 0, 0, ())


def test_unknown_columns_and_files_are_kept_out_with_a_warning(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).csv("skus", "sku_id, volume_ml, colour\nS1, 700, red\nS2, 500, blue")
    loads = folder.bytes("retailer.csv", b"x").bytes("register_2022.parquet", b"").bytes("notes.md", b"").load()
    assert loads["skus"].ignored_columns == ("volume_ml", "colour")
    assert folder.warnings == [
        "warning: register_2022.parquet is not an input table and was left out",
        "warning: retailer.csv is not an input table and was left out; did you mean retailers.parquet or retailers.csv?",
        "warning: skus: columns not in the contract were kept out: volume_ml, colour",
    ]
    assert "order_lines: read 3 rows" in folder.steps


def test_a_folder_may_have_signs_of_a_pattern_in_its_name(con: Warehouse, tmp_path: Path) -> None:
    odd = tmp_path / "week [39]*"
    odd.mkdir()
    (odd / "order_lines.csv").write_text("line_id,retailer_id,sku_id,ordered_on,delivered_units\nL1,R1,S1,2019-09-02,6\n")
    assert load_folder(con, odd, on_step=lambda _: None)[0].rows_new == 1


def test_loading_twice_is_loading_once(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).csv("retailers", "retailer_id, tier\nR1, A\nR2,")
    folder.csv("allocation_limits", "week_start, sku_id, tier, cap_units\n2019-09-02, S1, A, 6\n2019-09-02, S1, , 9")
    first = folder.load()
    before = {name: folder.rows(name) for name in first}
    again = folder.load()
    assert {name: folder.rows(name) for name in first} == before
    assert all((load.rows_new, load.rows_changed, load.rows_unchanged) == (0, 0, load.rows_read) for load in again.values())


def test_identical_rows_of_a_file_collapse(folder: InputFolder, orders: str) -> None:
    loads = folder.csv("order_lines", orders + orders.strip().splitlines()[1]).load()
    assert loads["order_lines"] == TableLoad("order_lines", 4, 3, 0, 1, ())


def test_a_cap_and_a_floor_of_one_key_complete_each_other(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).csv(
        "allocation_limits",
        """
        week_start, sku_id, tier, cap_units, floor_units
        2019-09-02, S1,     A,    6,
        2019-09-02, S1,     A,    ,          2
        2019-09-02, S1,     A,    6,
        2019-09-02, S1,     B,    5,
        """,
    )
    loads = folder.load()
    assert [(row["tier"], row["cap_units"], row["floor_units"]) for row in folder.rows("allocation_limits")] == [
        ("A", 6, 2),
        ("B", 5, None),
    ]
    assert (loads["allocation_limits"].rows_new, loads["allocation_limits"].rows_unchanged) == (2, 2)
    assert folder.load()["allocation_limits"].rows_unchanged == 4


def test_a_cap_that_collides_with_the_floor_of_another_row_is_loaded_with_a_warning(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).csv(
        "allocation_limits", "week_start, sku_id, cap_units, floor_units\n2019-09-02, S1, 1,\n2019-09-02, S1, , 4"
    ).load()
    assert folder.warnings == [
        (
            "warning: allocation_limits.cap_units: below floor_units, 1 row, first line 2, week_start=2019-09-02, sku_id=S1 value '1.0';"
            " expected a cap of at least the floor; loaded as it is"
        )
    ]
    assert folder.rows("allocation_limits")[0]["floor_units"] == 4


def test_a_register_is_amended_and_a_column_the_file_lacks_is_left_alone(
    folder: InputFolder, new_folder: Callable[[], InputFolder], orders: str
) -> None:
    folder.csv("order_lines", orders).csv("retailers", "retailer_id, name, tier\nR1, Ann, A\nR2, Bob, B").load()
    loads = new_folder().csv("retailers", "retailer_id, tier\nR1, C\nR2, B\nR3, C").load()
    assert loads["retailers"] == TableLoad("retailers", 3, 1, 1, 1, ())
    assert [(row["name"], row["tier"]) for row in folder.rows("retailers")] == [("Ann", "C"), ("Bob", "B"), (None, "C")]


def test_a_limit_with_nulls_in_its_key_is_amended_in_place(folder: InputFolder, new_folder: Callable[[], InputFolder], orders: str) -> None:
    folder.csv("order_lines", orders).csv("allocation_limits", "week_start, price_band, cap_units\n2019-09-02, low, 5").load()
    loads = new_folder().csv("allocation_limits", "week_start, price_band, cap_units\n2019-09-02, low, 8").load()
    assert (loads["allocation_limits"].rows_changed, folder.rows("allocation_limits")[0]["cap_units"]) == (1, 8)


def test_a_stored_order_line_changes_only_when_asked(folder: InputFolder, new_folder: Callable[[], InputFolder], orders: str) -> None:
    folder.csv("order_lines", orders).load()
    changed = new_folder().csv("order_lines", orders.replace("60.5", "70.5"))
    with pytest.raises(InputDataError) as refused:
        changed.load()
    assert refused.value.faults == (
        "order_lines.line_id: stored with other values, 1 row, first line 3, line_id=L2; expected new keys, or the values that are stored",
    )
    assert "--replace" in refused.value.hint
    assert changed.load(replace=True)["order_lines"] == TableLoad("order_lines", 3, 0, 1, 2, ())
    assert folder.rows("order_lines")[1]["amount"] == 70.5


def test_later_order_lines_are_added(folder: InputFolder, new_folder: Callable[[], InputFolder], orders: str) -> None:
    folder.csv("order_lines", orders).load()
    more = new_folder().csv("order_lines", orders + "L4, R1, S1, 2019-09-16, 6, , 30").load()
    assert (more["order_lines"].rows_new, more["order_lines"].rows_unchanged) == (1, 3)


def test_a_load_needs_order_lines_now_or_earlier(folder: InputFolder, orders: str) -> None:
    folder.csv("retailers", "retailer_id\nR1\nR2")
    with pytest.raises(InputDataError, match=r"order_lines: neither in the folder nor stored before"):
        folder.load()
    folder.csv("order_lines", orders).load()
    (folder.path / "order_lines.csv").unlink()
    assert folder.load()["retailers"].rows_unchanged == 2


def test_no_folder_is_bad_usage_and_an_empty_one_is_bad_data(folder: InputFolder) -> None:
    with pytest.raises(UsageError, match=r"nowhere is not a folder"):
        load_folder(folder.con, folder.path / "nowhere", on_step=folder.steps.append)
    with pytest.raises(InputDataError, match=r"no input table in it\nHint: expected files are order_lines.parquet or order_lines.csv"):
        folder.load()


def test_a_table_in_two_files_is_refused(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).parquet("order_lines", {"line_id": ["L1"]})
    with pytest.raises(InputDataError, match=r"order_lines: 2 files or folders for one table; expected one"):
        folder.load()


def test_a_failure_while_storing_keeps_nothing_and_leaves_nothing_behind(
    folder: InputFolder, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.csv("retailers", "retailer_id\nR1\nR2").csv("order_lines", orders)

    def disk_fills_up_at_the_second_table(con: Warehouse, amendment: Amendment) -> None:
        if amendment.staged.table.name == "order_lines":
            raise duckdb.IOException("Could not write file: No space left on device")
        apply(con, amendment)

    monkeypatch.setattr(load_module, "apply", disk_fills_up_at_the_second_table)
    with pytest.raises(WarehouseError, match=r"free space on the disk"):
        folder.load()
    assert folder.rows("retailers") == []
    assert folder.con.execute("SELECT count(*) FROM information_schema.tables WHERE table_type = 'LOCAL TEMPORARY'") == [(0,)]
    monkeypatch.undo()
    assert folder.load()["retailers"].rows_new == 2


def test_a_file_larger_than_the_memory_limit_is_loaded(tmp_path: Path) -> None:
    source = tmp_path / "input"
    source.mkdir()
    duckdb.execute(
        "COPY (SELECT 'line number ' || i AS line_id, 'R' || i % 99 AS retailer_id, 'S' || i % 77 AS sku_id,"
        " DATE '2019-01-01' + CAST(i % 360 AS INTEGER) AS ordered_on, i % 50 AS delivered_units FROM range(600000) AS t(i))"
        f" TO '{source / 'order_lines.parquet'}'"
    )
    with connect(str(tmp_path / "small.duckdb"), threads=2, memory_limit="60MB") as con:
        assert load_folder(con, source, on_step=lambda _: None)[0].rows_new == 600_000


order_lines = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(["R1", "R 2", "茶"]),
        st.dates(date(2019, 1, 1), date(2019, 6, 30)),
        st.integers(0, 10**6),
        st.none() | st.floats(-1e6, 1e6),
    ),
    min_size=1,
    unique_by=lambda line: line[0],
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=order_lines, repeated=st.booleans(), as_csv=st.booleans())
def test_any_order_lines_loaded_twice_are_loaded_once_and_as_given(
    con: Warehouse, lines: list[tuple[int, str, date, int, float | None]], repeated: bool, as_csv: bool
) -> None:
    con.execute("DELETE FROM raw.order_lines")
    rows = [
        {"line_id": f"L{n}", "retailer_id": retailer, "sku_id": "S1", "ordered_on": day, "delivered_units": units, "amount": amount}
        for n, retailer, day, units, amount in (lines * 2 if repeated else lines)
    ]
    given_rows = pa.Table.from_pylist(rows).set_column(5, "amount", pa.array([row["amount"] for row in rows], pa.float64()))
    with tempfile.TemporaryDirectory() as place:
        if as_csv:
            given_rows.to_pandas().to_csv(Path(place) / "order_lines.csv", index=False)
        else:
            pq.write_table(given_rows, Path(place) / "order_lines.parquet")
        (first,) = load_folder(con, Path(place), on_step=lambda _: None)
        (second,) = load_folder(con, Path(place), on_step=lambda _: None)
    assert (first.rows_new, second.rows_new, second.rows_changed) == (len(lines), 0, 0)
    stored = con.execute("SELECT line_id, ordered_on, delivered_units, amount FROM raw.order_lines")
    assert sorted(stored) == sorted((f"L{n}", day, float(units), amount) for n, _, day, units, amount in lines)
