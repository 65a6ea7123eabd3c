"""Scored rows replace those of their as_of, all or none, whatever happens in between."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import WarehouseError
from contracts.scored import CHURN_SCORE, TRUE_DEMAND
from warehouse.connection import connect
from warehouse.publish import publish
from warehouse.session import Warehouse

AS_OF = date(2019, 9, 29)
WEEK = timedelta(weeks=1)


def churn(as_of: date, retailers: str = "R1 R2", **changes: object) -> pa.Table:
    values = {"risk_band": "low", "reason_1": "it ordered", "scored_by": "model", "model_version": "1", "run_id": f"run of {as_of}"}
    numbers = {name: 0.5 for name in CHURN_SCORE.column_names if name.startswith("p_churn")}
    rows = [{"as_of": as_of, "retailer_id": retailer, **values, **numbers, **changes} for retailer in retailers.split()]
    return pa.Table.from_pylist(rows, schema=pa.schema([field.with_nullable(True) for field in CHURN_SCORE.arrow_schema]))


def demand(as_of: date, weeks: dict[str, float]) -> pa.Table:
    rows = [
        {
            "retailer_id": "R1", "sku_id": "S1", "week_start": date.fromisoformat(week), "as_of": as_of, "delivered_units": 1.0,
            "censoring": "cap", "true_units": units, "true_units_p10": 1.0, "true_units_p90": 9.0, "identified": True,
            "model_version": "1", "run_id": "run",
        }
        for week, units in weeks.items()
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=TRUE_DEMAND.arrow_schema)


def scores(con: Warehouse) -> list[tuple[date, str]]:
    stored: list[tuple[date, str]] = con.execute("SELECT as_of, retailer_id FROM scored.churn_score ORDER BY ALL")
    return stored


def estimates(con: Warehouse) -> list[tuple[str, date, float]]:
    rows = con.execute("SELECT week_start, as_of, true_units FROM scored.true_demand ORDER BY week_start")
    return [(week.isoformat(), as_of, units) for week, as_of, units in rows]


def test_rows_of_the_same_as_of_are_replaced_and_others_stay(con: Warehouse) -> None:
    for as_of, retailers in ((AS_OF - WEEK, "R1"), (AS_OF, "R1 R2"), (AS_OF, "R2 R3 R4")):
        written = publish(con, {CHURN_SCORE: churn(as_of, retailers)}, as_of=as_of, keep_weeks={})
    assert written == {"scored.churn_score": 3}
    assert scores(con) == [(AS_OF - WEEK, "R1"), (AS_OF, "R2"), (AS_OF, "R3"), (AS_OF, "R4")]


def test_columns_may_come_in_any_order_and_types_that_fit(con: Warehouse) -> None:
    shuffled = churn(AS_OF).select(sorted(CHURN_SCORE.column_names))
    shuffled = shuffled.set_column(shuffled.column_names.index("as_of"), "as_of", shuffled.column("as_of").cast(pa.timestamp("us")))
    assert publish(con, {CHURN_SCORE: shuffled}, as_of=AS_OF, keep_weeks={}) == {"scored.churn_score": 2}


def test_old_weeks_go_but_never_the_one_just_written(con: Warehouse) -> None:
    for weeks_back in (3, 2, 1, 0):
        as_of = AS_OF - weeks_back * WEEK
        publish(con, {CHURN_SCORE: churn(as_of, "R1")}, as_of=as_of, keep_weeks={"churn_score": 2})
    assert [as_of for as_of, _ in scores(con)] == [AS_OF - 2 * WEEK, AS_OF - WEEK, AS_OF]
    older = AS_OF - 50 * WEEK
    publish(con, {CHURN_SCORE: churn(older, "R1")}, as_of=older, keep_weeks={"churn_score": 2})
    assert [as_of for as_of, _ in scores(con)] == [older, AS_OF - 2 * WEEK, AS_OF - WEEK, AS_OF]
    publish(con, {CHURN_SCORE: churn(AS_OF, "R1")}, as_of=AS_OF, keep_weeks={"churn_score": None})
    assert len(scores(con)) == 4


def test_an_estimate_gives_way_to_a_newer_one_only(con: Warehouse) -> None:
    publish(con, {TRUE_DEMAND: demand(AS_OF, {"2019-09-02": 2, "2019-09-09": 3})}, as_of=AS_OF, keep_weeks={"true_demand": 0})
    older = AS_OF - WEEK
    written = publish(con, {TRUE_DEMAND: demand(older, {"2019-09-02": 7, "2019-08-26": 7})}, as_of=older, keep_weeks={})
    assert written == {"scored.true_demand": 1}
    assert estimates(con) == [("2019-08-26", older, 7), ("2019-09-02", AS_OF, 2), ("2019-09-09", AS_OF, 3)]
    newer = AS_OF + WEEK
    publish(con, {TRUE_DEMAND: demand(newer, {"2019-08-26": 4, "2019-09-02": 5})}, as_of=newer, keep_weeks={})
    assert estimates(con) == [("2019-08-26", newer, 4), ("2019-09-02", newer, 5)]


def test_an_estimate_that_the_same_as_of_no_longer_has_is_dropped(con: Warehouse) -> None:
    publish(con, {TRUE_DEMAND: demand(AS_OF, {"2019-09-02": 2, "2019-09-09": 3})}, as_of=AS_OF, keep_weeks={})
    publish(con, {TRUE_DEMAND: demand(AS_OF, {"2019-09-02": 4})}, as_of=AS_OF, keep_weeks={})
    assert estimates(con) == [("2019-09-02", AS_OF, 4)]
    publish(con, {TRUE_DEMAND: demand(AS_OF, {})}, as_of=AS_OF, keep_weeks={})
    assert estimates(con) == []


publications = st.lists(
    st.tuples(st.integers(0, 3), st.dictionaries(st.sampled_from(["2019-08-05", "2019-08-12", "2019-08-19"]), st.integers(1, 9))),
    max_size=5,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(publications=publications)
def test_publishing_twice_leaves_the_same_rows(con: Warehouse, publications: list[tuple[int, dict[str, float]]]) -> None:
    con.execute("DELETE FROM scored.true_demand")
    stored: dict[str, tuple[date, float]] = {}
    for weeks_on, weeks in publications:
        as_of = AS_OF + weeks_on * WEEK
        for _ in range(2):
            publish(con, {TRUE_DEMAND: demand(as_of, weeks)}, as_of=as_of, keep_weeks={})
        stored = {week: row for week, row in stored.items() if row[0] > as_of}
        stored |= {week: (as_of, units) for week, units in weeks.items() if week not in stored}
        assert {week: (estimated, units) for week, estimated, units in estimates(con)} == stored


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (churn(AS_OF).drop_columns(["p_churn_4w"]), "scored.churn_score: columns p_churn_4w are missing or unknown"),
        (churn(AS_OF, reason_1=None), "scored.churn_score.reason_1: null, 2 rows; expected a value"),
        (churn(AS_OF, p_churn_8w=float("nan")), "scored.churn_score.p_churn_8w: not finite, 2 rows; expected a number"),
        (churn(AS_OF + WEEK), "scored.churn_score.as_of: rows of another day; expected 2019-09-29"),
        (churn(AS_OF, "R1 R2 R1"), "scored.churn_score: a key is there 2 times, as_of=2019-09-29, retailer_id=R1; expected once"),
        (
            churn(AS_OF).set_column(0, "as_of", pa.array(["Sunday", "Sunday"])),
            "scored.churn_score: Failed to parse string: 'Sunday'",
        ),
    ],
)
def test_rows_that_break_the_contract_are_refused_with_all_others(con: Warehouse, rows: pa.Table, fault: str) -> None:
    publish(con, {CHURN_SCORE: churn(AS_OF), TRUE_DEMAND: demand(AS_OF, {"2019-09-02": 2})}, as_of=AS_OF, keep_weeks={})
    with pytest.raises(WarehouseError) as refused:
        publish(con, {TRUE_DEMAND: demand(AS_OF, {"2019-09-02": 9}), CHURN_SCORE: rows}, as_of=AS_OF, keep_weeks={})
    assert refused.value.message.startswith(fault)
    assert scores(con) == [(AS_OF, "R1"), (AS_OF, "R2")]
    assert estimates(con) == [("2019-09-02", AS_OF, 2)]


BROKEN_RUN = """
import os, resource, signal, sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet as pq

from contracts.errors import WarehouseError
from contracts.scored import CHURN_SCORE
from warehouse import publish as publishing
from warehouse.connection import connect

how, url, rows = sys.argv[1:]

if how == "killed":
    # The old rows of the as_of are deleted and the new ones inserted; only the commit is missing.
    publishing._drop_old = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
else:
    # As on a full disk, no file may grow any further.
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(url).stat().st_size, resource.RLIM_INFINITY))
with connect(url, threads=2, memory_limit="500MB") as con:
    try:
        publishing.publish(con, {CHURN_SCORE: pq.read_table(rows)}, as_of=date(2019, 9, 29), keep_weeks={"churn_score": 9})
    except WarehouseError as failure:
        print(failure)
"""


@pytest.mark.parametrize("how", ["killed", "disk full"])
def test_a_crash_before_the_commit_leaves_the_old_rows(url: str, tmp_path: Path, how: str) -> None:
    with connect(url, threads=1, memory_limit="200MB") as con:
        publish(con, {CHURN_SCORE: churn(AS_OF)}, as_of=AS_OF, keep_weeks={})
    one = churn(AS_OF, "R1")
    n_rows = 300_000
    many = one.take(pa.array([0] * n_rows)).set_column(1, "retailer_id", pa.array([f"retailer {i * 7919}" for i in range(n_rows)]))
    pq.write_table(many, tmp_path / "rows.parquet")
    run = subprocess.run(
        [sys.executable, "-c", BROKEN_RUN, how, url, str(tmp_path / "rows.parquet")], capture_output=True, text=True, check=False
    )
    if how == "killed":
        assert run.returncode == -9, run.stderr
    else:
        assert "publishing failed" in run.stdout, run.stderr
        assert "free space on the disk" in run.stdout
    with connect(url, threads=1, memory_limit="200MB") as con:
        assert scores(con) == [(AS_OF, "R1"), (AS_OF, "R2")]
        assert publish(con, {CHURN_SCORE: churn(AS_OF, "R3")}, as_of=AS_OF, keep_weeks={}) == {"scored.churn_score": 1}
