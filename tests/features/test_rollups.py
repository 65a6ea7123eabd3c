"""Sums over groups of pairs, counted by hand."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from features.pair_history import pair_history
from features.rollups import attach, ratio, roll_up
from tests.cell_rows import AS_OF, at_cap, cell, closed
from tests.statements import Statement

BACKGROUND = [cell("R", "S", ago, 1) for ago in range(80)]


@pytest.fixture(scope="module")
def by_sku() -> Statement:
    return Statement(lambda cells: roll_up(pair_history(cells, AS_OF), ["sku_id"], "sku", AS_OF), "demand_cells")


@pytest.fixture(scope="module")
def total() -> Statement:
    return Statement(lambda cells: roll_up(pair_history(cells, AS_OF), [], "total", AS_OF), "demand_cells")


def test_a_group_counts_its_pairs_retailers_and_skus_of_thirteen_weeks(by_sku: Statement, total: Statement) -> None:
    cells = [cell("Q", "S", 0, 3), cell("R", "S", 12, 4), cell("P", "S", 13, 5), cell("R", "T", 1, 6)]
    [s, t] = by_sku.rows(demand_cells=cells)
    assert (s["sku_units_13w"], s["sku_pairs_13w"], s["sku_retailers_13w"], s["sku_skus_13w"]) == (7, 2, 2, 1)
    assert (t["sku_units_13w"], t["sku_pairs_13w"]) == (6, 1)
    [everything] = total.rows(demand_cells=cells)
    assert (everything["total_units_13w"], everything["total_pairs_13w"]) == (13, 3)
    assert (everything["total_retailers_13w"], everything["total_skus_13w"]) == (2, 2)


def test_an_unchanged_level_has_trends_and_seasons_of_one(total: Statement) -> None:
    [level] = total.rows(demand_cells=BACKGROUND)
    assert [level[f"total_{name}"] for name in ("trend_4w", "trend_13w", "season_1", "season_8")] == [1, 1, 1, 1]


def test_trends_compare_weeks_with_the_longer_window(total: Statement) -> None:
    doubled = BACKGROUND + [cell("Q", "S", ago, 1) for ago in range(4)]
    [level] = total.rows(demand_cells=doubled)
    assert level["total_trend_4w"] == pytest.approx(2 / ((13 + 4) / 13))
    assert level["total_trend_13w"] == pytest.approx((17 / 13) / (56 / 52))


def test_a_young_group_is_measured_from_its_first_order(total: Statement) -> None:
    [level] = total.rows(demand_cells=[cell("R", "S", ago, 2) for ago in range(6)])
    assert (level["total_trend_4w"], level["total_trend_13w"], level["total_weeks_since_first_order"]) == (1, 1, 5)
    assert all(level[f"total_season_{horizon}"] is None for horizon in range(1, 9))


def test_a_season_is_the_same_weeks_of_last_year_against_that_years_mean(total: Statement) -> None:
    holiday = [*BACKGROUND, cell("Q", "S", 49, 26), cell("Q", "S", 0, 0.0001)]
    [level] = total.rows(demand_cells=holiday)
    mean = (52 + 26) / 52
    near = {horizon: level[f"total_season_{horizon}"] for horizon in range(1, 6)}
    high, low = pytest.approx((3 + 26) / 3 / mean, rel=1e-4), pytest.approx(1 / mean, rel=1e-4)
    assert near == {1: low, 2: high, 3: high, 4: high, 5: low}


def test_rates_are_shares_of_orders_and_of_open_weeks(by_sku: Statement) -> None:
    cells = [at_cap("R", "S", 1, 4, true=6), cell("R", "S", 2, 3), cell("Q", "S", 3, 3), cell("Q", "S", 30, 3)]
    cells += [closed("R", "S", 0), closed("Q", "S", 0), closed("Q", "S", 5)]
    [group] = by_sku.rows(demand_cells=cells)
    assert group["sku_cap_hit_rate_26w"] == pytest.approx(1 / 3)
    assert group["sku_order_rate_13w"] == 3 / (2 * 13 - 3)
    assert group["sku_closed_share_4w"] == 2 / 8
    assert (group["sku_weeks_since_order"], group["sku_weeks_since_first_order"]) == (1, 30)


def test_a_group_without_demand_has_no_rates(by_sku: Statement) -> None:
    [group] = by_sku.rows(demand_cells=[closed("R", "S", 0, delivered=3)])
    assert [group[f"sku_{name}"] for name in ("trend_4w", "trend_13w", "cap_hit_rate_26w", "season_1")] == [None] * 4
    assert (group["sku_pairs_13w"], group["sku_weeks_since_order"]) == (0, None)


def test_attach_keeps_every_row_once_and_leaves_the_unknown_null() -> None:
    left = ibis.memtable(pa.table({"a": [1, 2, 2], "b": [10, 20, 30]}))
    group = ibis.memtable(pa.table({"a": [2], "level": [5.0]}))
    con = ibis.duckdb.connect(threads=1)
    known = con.to_pyarrow(attach(left, group, ["a"]).order_by("b")).to_pylist()
    assert known == [{"a": 1, "b": 10, "level": None}, {"a": 2, "b": 20, "level": 5}, {"a": 2, "b": 30, "level": 5}]
    everybody = con.to_pyarrow(attach(left, group.select("level"), []).order_by("b")).to_pylist()
    assert [row["level"] for row in everybody] == [5, 5, 5]


def test_a_share_of_nothing_is_unknown() -> None:
    shares = ibis.memtable(pa.table({"part": [1, 1], "whole": [2, 0]}))
    con = ibis.duckdb.connect(threads=1)
    assert con.to_pyarrow(shares.select(share=ratio(shares.part, shares.whole))).to_pydict() == {"share": [0.5, None]}
