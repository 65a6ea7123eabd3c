"""What holds of a warehouse on a PostgreSQL server, whatever is asked of it?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from threading import Thread

import ibis
import pyarrow as pa
import pytest

from contracts.cells import RECOVERED
from contracts.errors import WarehouseAwayError, WarehouseError
from contracts.raw import EVENTS, SKUS
from tests.postgres.server import PostgresServer
from warehouse.connection import connect
from warehouse.runs import last_runs, start_run
from warehouse.server_locks import open_processes, server_lock, session_name
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch, fingerprint, has_rows, store
from warehouse.transactions import transaction

FAIR = "INSERT INTO raw.events VALUES (CAST(? AS DATE), ?, NULL)"


def opened(url: str, session: str = "uncap 1@here") -> Iterator[Warehouse]:
    with connect(url, threads=1, memory_limit="1GB", session=session) as con:
        yield con


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    """A database of these tests."""
    return postgres_server.new_database()


@pytest.fixture
def con(url: str) -> Iterator[Warehouse]:
    """A warehouse on a server, without events and runs."""
    for opening in opened(url):
        opening.execute("TRUNCATE raw.events, scored.runs")
        yield opening


@pytest.fixture
def other(con: Warehouse, url: str) -> Iterator[Warehouse]:
    """Another session of the same warehouse, from another machine."""
    assert not has_rows(con, EVENTS)
    yield from opened(url, session_name(7, "there"))


def fail_inside(con: Warehouse) -> None:
    with transaction(con, "storing a fair"):
        con.execute(FAIR, [date(2019, 9, 2), "Fair"])
        con.ingest("copied", pa.table({"n": [1, 2]}))
        con.execute("CREATE TABLE raw.made AS SELECT * FROM copied")
        con.execute("SELECT 1 / (SELECT count(*) - 2 FROM copied)")


def test_definitions_rows_and_bulk_writes_of_a_transaction_that_fails_are_undone_together(con: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=r"storing a fair failed: division by zero\nHint: .*; what was stored before is still there"):
        fail_inside(con)
    left = con.execute("SELECT to_regclass('raw.made') IS NULL, to_regclass('pg_temp.copied') IS NULL, count(*) FROM raw.events")
    assert left == [(True, True, 0)]
    with transaction(con, "storing a fair"):
        con.execute(FAIR, [date(2019, 9, 2), "Fair"])
    assert has_rows(con, EVENTS)


def test_sums_and_means_are_numbers_of_the_schema_that_is_asked_for(con: Warehouse) -> None:
    query = "SELECT sum(n) AS total, avg(n) AS mean FROM (VALUES (1::bigint), (4::bigint)) AS numbers (n) WHERE n < ?"
    assert con.execute(query, [9]) == [(5.0, 2.5)]
    typed = con.query(query, [9], pa.schema({"total": pa.int64(), "mean": pa.float64()}))
    assert typed.to_pylist() == [{"total": 5, "mean": 2.5}]
    assert con.query(query, [0], typed.schema).to_pylist() == [{"total": None, "mean": None}]


def test_rows_that_were_touched_are_counted_with_and_without_parameters(con: Warehouse) -> None:
    assert con.changed("INSERT INTO raw.events SELECT DATE '2019-01-07' + n, 'Fair?', NULL FROM generate_series(1, 5) AS n") == 5
    assert con.changed("DELETE FROM raw.events WHERE event_date > ? AND name = 'Fair?'", [date(2019, 1, 9)]) == 3


def test_an_expression_may_bring_rows_along(con: Warehouse) -> None:
    skus = ibis.memtable(pa.table({"sku_id": ["S2", "S1"], "n": [2, 1]}))
    joined = skus.left_join(contract_table(SKUS), "sku_id").select("sku_id", "n", "name").order_by("sku_id")
    for _ in range(2):
        assert fetch(con, joined).to_pylist() == [{"sku_id": "S1", "n": 1, "name": None}, {"sku_id": "S2", "n": 2, "name": None}]


def test_a_derived_table_is_replaced_while_views_depend_on_it(con: Warehouse) -> None:
    row = {"as_of": date(2019, 9, 29), "retailer_id": "R1", "sku_id": "S1", "week_start": date(2019, 9, 23), "true_units": 3.0}
    for units in (3.0, 4.0):
        store(con, RECOVERED, pa.Table.from_pylist([{**row, "true_units": units}], schema=RECOVERED.arrow_schema))
        assert fetch(con, contract_table(RECOVERED))["true_units"].to_pylist() == [units]


def test_texts_sort_by_their_bytes_and_times_are_utc(con: Warehouse) -> None:
    for name in ("a", "B", "é"):
        con.execute(FAIR, [date(2019, 9, 2), name])
    assert con.execute("SELECT name FROM raw.events ORDER BY name") == [("B",), ("a",), ("é",)]
    assert con.execute("SELECT current_setting('TimeZone')") == [("UTC",)]


def test_a_fingerprint_is_of_the_rows_and_not_of_their_order(con: Warehouse) -> None:
    prints = []
    for names in (("Fair", "Feast"), ("Feast", "Fair"), ("Feast", "Fast")):
        con.execute("TRUNCATE raw.events")
        for name in names:
            con.execute(FAIR, [date(2019, 9, 2), name])
        prints.append(fingerprint(con, EVENTS, "event_date"))
    assert prints[0] == prints[1] != prints[2]
    assert (prints[0].rows, prints[0].first_day, len(prints[0].content_hash)) == (2, date(2019, 9, 2), 16)


def test_a_second_opening_changes_nothing_and_makes_a_view_again_that_is_missing(con: Warehouse, url: str) -> None:
    made = "SELECT max(xmin::text::bigint) FROM pg_class WHERE relnamespace IN ('raw'::regnamespace, 'scored'::regnamespace)"
    before = con.execute(made)
    for _ in opened(url):
        assert con.execute(made) == before
    con.execute("DROP VIEW analysis.market_week CASCADE")
    for again in opened(url):
        assert again.execute("SELECT count(*) FROM analysis.market_week") == [(0,)]


def test_a_write_waits_for_the_write_of_another_session(con: Warehouse, other: Warehouse) -> None:
    seen = []

    def write() -> None:
        with transaction(other, "writing"):
            seen.append(has_rows(other, EVENTS))

    with transaction(con, "writing"):
        waiting = Thread(target=write)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        con.execute(FAIR, [date(2019, 9, 2), "Fair"])
    waiting.join(60)
    assert seen == [True]


def test_a_write_that_waited_too_long_may_be_tried_again(con: Warehouse, other: Warehouse) -> None:
    other.execute("SELECT set_config('lock_timeout', '50ms', false)")
    told = r"writing failed: the warehouse is locked by another session .*\nHint: wait until it is over"
    with transaction(con, "writing"), pytest.raises(WarehouseAwayError, match=told), transaction(other, "writing"):
        pass


def lose_the_session(con: Warehouse, other: Warehouse) -> None:
    [(own,)] = con.execute("SELECT pg_backend_pid()")
    with transaction(con, "writing"):
        con.execute(FAIR, [date(2019, 9, 2), "Fair"])
        other.execute("SELECT pg_terminate_backend(CAST(? AS integer), 30000)", [own])
        has_rows(con, EVENTS)


def test_a_session_that_is_lost_may_be_tried_again(con: Warehouse, other: Warehouse) -> None:
    with pytest.raises(WarehouseAwayError, match=r"failed: the database server is away \(terminating connection .*\nHint: run it again"):
        lose_the_session(con, other)
    assert not has_rows(other, EVENTS)


def test_a_lock_of_a_run_is_held_once_and_tells_by_whom(url: str) -> None:
    with server_lock(url, "write", session_name(7, "there")):
        with (
            pytest.raises(BlockingIOError, match=r"uncap 7@there \(session \d+ of the server\)"),
            server_lock(url, "write", session_name(8, "here")),
        ):
            pass
        with server_lock(url, "train", session_name(8, "here")):
            pass
    with server_lock(url, "write", session_name(8, "here")):
        pass


def test_a_lock_is_held_however_soon_the_server_ends_idle_sessions(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    name = url.rpartition("/")[2]
    postgres_server.execute(f"ALTER DATABASE {name} SET idle_session_timeout = '2s'")
    with server_lock(url, "write", session_name(7, "there")):
        time.sleep(2.5)
        with pytest.raises(BlockingIOError, match="uncap 7@there"), server_lock(url, "write", session_name(8, "here")):
            pass


def test_a_run_of_another_machine_lives_as_long_as_its_process_has_a_session(con: Warehouse, url: str) -> None:
    def start(process_id: int, host: str) -> str:
        return start_run(
            con, "load", as_of=None, started_at=datetime(2026, 11, 22, tzinfo=UTC), process_id=process_id, code_version="1", host=host
        )

    def statuses() -> dict[str, str]:
        return dict(con.execute("SELECT run_id, status FROM scored.runs"))

    with server_lock(url, "write", session_name(7, "there")):
        theirs = start(7, "there")
        start(8, "here")
        assert statuses()[theirs] == "running"
    # the server shows a session for a moment after it was closed
    while (7, "there") in open_processes(con):
        time.sleep(0.01)
    start(9, "here")
    assert statuses()[theirs] == "died"
    assert last_runs(con)["host"].to_pylist() == ["here"]


@pytest.mark.parametrize("database", ["nowhere", "template1"])
def test_no_message_shows_the_password(url: str, database: str) -> None:
    place = url.rpartition("/")[0].rpartition("@")[2]
    with pytest.raises(WarehouseError) as refused:
        next(opened(f"postgresql://nobody:hunter2@{place}/{database}"))
    assert "postgresql://nobody:***@" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_server_that_is_not_there_may_be_tried_again() -> None:
    with pytest.raises(WarehouseAwayError, match=r"postgresql://db:\*\*\*@127.0.0.1:9/uncap cannot be reached: .*\nHint: start the server"):
        next(opened("postgresql://db:secret@127.0.0.1:9/uncap"))
