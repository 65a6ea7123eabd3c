"""Every view is documented with its columns, its example runs, it is empty on an empty warehouse, and it is written in portable SQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from warehouse.analyses.catalogue import analysis_views
from warehouse.connection import connect
from warehouse.session import Warehouse

PAGE = (Path(__file__).parents[2] / "docs" / "analyses.md").read_text(encoding="utf-8")
SECTIONS = {part.split("`")[0]: part for part in PAGE.split("### `analysis.")[1:]}
# What PostgreSQL 15 has, too, of the functions that the views call; the queries were run on both with equal rows.
PORTABLE = {
    "ABS", "AVG", "CAST", "COALESCE", "COUNT", "EXTRACT", "FLOOR", "GREATEST", "LAG", "LEAST", "MAX", "MIN", "NULLIF", "ROW_NUMBER",
    "STDDEV_SAMP", "SUM", "TIMESTAMP_TRUNC", "CASE", "EXISTS", "AND", "OR", "DATE_TRUNC",
}  # fmt: skip


def stored_columns(con: Warehouse, view: str) -> list[str]:
    rows = con.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'analysis' AND table_name = ? ORDER BY ordinal_position",
        [view],
    )
    return [name for (name,) in rows]


def test_the_page_has_every_view_and_no_other(con: Warehouse) -> None:
    assert set(con.view_comments("analysis")) == set(analysis_views()) == set(SECTIONS)


@pytest.mark.parametrize("view", sorted(analysis_views()))
def test_the_page_has_the_columns_of_a_view(con: Warehouse, view: str) -> None:
    rows = re.findall(r"^\| (`[^|]*) \|", SECTIONS[view].split("## ")[0], flags=re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(documented) == sorted(stored_columns(con, view))


@pytest.mark.parametrize("view", sorted(analysis_views()))
def test_an_empty_warehouse_gives_no_rows_and_no_error(con: Warehouse, view: str) -> None:
    assert con.execute(f"SELECT * FROM analysis.{view}") == []
    (example,) = re.findall(r"```sql\n(.*?)```", SECTIONS[view], flags=re.DOTALL)
    assert f"analysis.{view}" in example
    assert all(set(row) <= {None} for row in con.execute(example))


@pytest.mark.parametrize("view", sorted(analysis_views()))
def test_a_view_uses_what_both_databases_have(view: str) -> None:
    query = sqlglot.parse_one(analysis_views()[view], read="postgres")
    called = {call.sql_name() if not isinstance(call, exp.Anonymous) else call.name.upper() for call in query.find_all(exp.Func)}
    called.discard(exp.If.sql_name())  # a branch of CASE
    assert called <= PORTABLE
    assert not list(query.find_all(exp.Qualify))


def test_views_are_made_once_and_again_when_one_is_missing_or_of_another_version(url: str) -> None:
    with connect(url, threads=1, memory_limit="200MB") as con:
        con.execute("COMMENT ON VIEW analysis.market_week IS 'mine'; DROP VIEW analysis.brand_month")
    with connect(url, threads=1, memory_limit="200MB") as con:
        comments = set(con.view_comments("analysis").values())
        assert "brand_quarter" in analysis_views()
        assert len(stored_columns(con, "brand_month")) > 0
        assert len(comments) == 1
        con.execute("CREATE VIEW analysis.of_a_planner AS SELECT 1 AS one")
    with connect(url, threads=1, memory_limit="200MB") as con:
        assert stored_columns(con, "of_a_planner") == ["one"]
