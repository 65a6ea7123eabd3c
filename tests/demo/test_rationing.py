"""What a shop gets, recomputed from the written tables alone, and the sharing of a band cap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.rationing import share_out
from tests.demo.conftest import Written

CELL = ["retailer_id", "sku_id", "week_start"]


def _limit(limits: pd.DataFrame, keys: list[str], values: list[str]) -> pd.DataFrame:
    absent = [key for key in ("sku_id", "price_band", "retailer_id", "tier") if key not in keys]
    return limits[limits[absent].isna().all(axis=1) & limits[keys].notna().all(axis=1)][[*keys, "week_start", *values]]


@pytest.fixture(scope="module")
def cells(small: Written) -> pd.DataFrame:
    """Every retailer-SKU-week with true demand or a delivery, with what limited it, most specific first."""
    demand = small.truth("weekly_demand")
    demand = demand[demand["week_start"] <= pd.Timestamp(small.county.as_of)]
    cells = demand.merge(small.delivered_weeks().reset_index(), on=CELL, how="outer").fillna({"demand_units": 0, "delivered_units": 0})
    cells = cells.merge(small.rows("retailers")[["retailer_id", "tier"]], on="retailer_id")
    cells = cells.merge(small.rows("skus")[["sku_id", "price_band"]], on="sku_id")
    limits = small.rows("allocation_limits")
    for name, keys in {
        "own": ["sku_id", "retailer_id"],
        "tier": ["sku_id", "tier"],
        "all": ["sku_id"],
        "band": ["price_band", "tier"],
    }.items():
        of_keys = _limit(limits, keys, ["cap_units", "floor_units"]).rename(
            columns={"cap_units": f"cap_{name}", "floor_units": f"floor_{name}"}
        )
        cells = cells.merge(of_keys, on=[*keys, "week_start"], how="left")
    supply = small.rows("supply").rename(columns={"available_units": "available"})
    cells = cells.merge(supply, on=["sku_id", "week_start"], how="left")
    cells["cap"] = cells["cap_own"].fillna(cells["cap_tier"]).fillna(cells["cap_all"]).fillna(np.inf)
    cells["orders"] = cells.groupby(["retailer_id", "week_start"])["delivered_units"].transform("sum") > 0
    return cells.assign(floor=cells["floor_tier"].fillna(0).where(cells["orders"], 0))


def test_nothing_is_delivered_in_a_stock_out(cells: pd.DataFrame) -> None:
    assert (cells["available"] == 0).sum() > 100
    assert (cells.loc[cells["available"] == 0, "delivered_units"] == 0).all()


def test_supply_covers_what_was_delivered(cells: pd.DataFrame) -> None:
    totals = cells.groupby(["sku_id", "week_start"]).agg(delivered=("delivered_units", "sum"), available=("available", "first"))
    assert (totals["delivered"] <= totals["available"]).all()


def test_delivered_is_demand_between_floor_and_cap_where_no_band_is_capped(cells: pd.DataFrame) -> None:
    free = cells[(cells["available"] > 0) & cells["cap_band"].isna()]
    expected = free["demand_units"].clip(lower=free["floor"]).clip(upper=free["cap"])
    pd.testing.assert_series_equal(free["delivered_units"], expected, check_names=False)
    assert (free["delivered_units"] == free["cap"]).sum() > 1000
    assert ((free["delivered_units"] == free["floor"]) & (free["floor"] > 0)).sum() > 20


def test_a_shop_that_orders_takes_every_floor_of_its_tier(small: Written, cells: pd.DataFrame) -> None:
    limits = small.rows("allocation_limits")
    floors = limits.dropna(subset=["floor_units"])[["sku_id", "tier", "week_start"]]
    due = cells[cells["orders"]][["retailer_id", "tier", "week_start"]].drop_duplicates().merge(floors, on=["tier", "week_start"])
    out = small.rows("supply").query("available_units == 0")
    due = due.merge(out, on=["sku_id", "week_start"], how="left").query("available_units.isna()")
    taken = cells[cells["delivered_units"] > 0].set_index(CELL).index
    assert len(due) > 0
    assert pd.MultiIndex.from_frame(due[CELL]).isin(taken).all()


def test_a_band_cap_holds_over_all_skus_of_the_band_and_binds_at_times(cells: pd.DataFrame) -> None:
    band = cells[cells["cap_band"].notna()].assign(
        wish=lambda rows: np.minimum(rows["demand_units"], rows["cap"]) * (rows["available"] > 0)
    )
    weeks = band.groupby(["retailer_id", "price_band", "week_start"]).agg(
        delivered=("delivered_units", "sum"), wish=("wish", "sum"), cap=("cap_band", "first")
    )
    assert (weeks["delivered"] == np.minimum(weeks["wish"], weeks["cap"])).all()
    assert (weeks["delivered"] == weeks["cap"]).sum() > 20


def test_requests_are_recorded_by_some_shops_and_exceed_deliveries_only_where_rationed(small: Written, cells: pd.DataFrame) -> None:
    lines = small.rows("order_lines")
    assert 0.05 < lines["requested_units"].notna().mean() < 0.4
    assert lines.groupby("retailer_id")["requested_units"].agg(lambda units: units.notna().mean()).isin([0.0, 1.0]).all()
    recorded = lines.dropna(subset=["requested_units"])
    week_start = recorded["ordered_on"] - pd.to_timedelta(recorded["ordered_on"].dt.day_of_week, unit="D")
    asked = recorded.assign(week_start=week_start).groupby(CELL)["requested_units"].sum()
    true = cells.set_index(CELL).loc[asked.index, "demand_units"]
    pd.testing.assert_series_equal(asked, true, check_names=False)


def test_some_weeks_of_a_pair_come_as_two_lines_on_two_days(small: Written) -> None:
    lines = small.rows("order_lines")
    week_start = lines["ordered_on"] - pd.to_timedelta(lines["ordered_on"].dt.day_of_week, unit="D")
    weeks = lines.assign(week_start=week_start).groupby(CELL)["ordered_on"].agg(["size", "nunique"])
    assert set(weeks["size"]) == {1, 2}
    assert (weeks["size"] == weeks["nunique"]).all()


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), min_size=1, max_size=30),
    st.lists(st.integers(1, 60), min_size=4, max_size=4),
)
def test_sharing_out_uses_up_the_cap_and_gives_nobody_more_than_wanted(rows: list[tuple[int, int]], caps: list[int]) -> None:
    units = np.array([row[0] for row in rows])
    names, group = np.unique([row[1] for row in rows], return_inverse=True)
    cap = np.array(caps)[names]
    granted = share_out(units, group, cap)
    assert (granted >= 0).all()
    assert (granted <= units).all()
    assert np.bincount(group, granted).tolist() == np.minimum(np.bincount(group, units), cap).tolist()
    enough = (np.bincount(group) <= cap)[group]
    assert (granted[enough] >= 1).all()
