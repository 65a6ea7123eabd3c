"""The shape of true demand."""

from __future__ import annotations

import pandas as pd

from tests.demo.conftest import Written


def test_truth_goes_eight_weeks_beyond_the_history_and_order_lines_do_not(small: Written) -> None:
    as_of = pd.Timestamp(small.county.as_of)
    demand = small.truth("weekly_demand")
    assert demand["week_start"].max() == as_of + pd.Timedelta(weeks=7, days=1)
    assert small.rows("order_lines")["ordered_on"].max() <= as_of


def test_true_demand_has_one_row_per_pair_week_in_whole_units(small: Written) -> None:
    demand = small.truth("weekly_demand")
    assert not demand.duplicated(["retailer_id", "sku_id", "week_start"]).any()
    assert (demand["demand_units"] == demand["demand_units"].round()).all()
    assert (demand["week_start"].dt.day_of_week == 0).all()


def test_true_demand_of_zero_is_written_only_where_a_floor_was_pushed(small: Written) -> None:
    demand = small.truth("weekly_demand")
    nothing = demand[demand["demand_units"] == 0].merge(small.rows("retailers")[["retailer_id", "tier"]], on="retailer_id")
    floors = small.rows("allocation_limits").dropna(subset=["floor_units"])[["sku_id", "tier", "week_start", "floor_units"]]
    assert len(nothing) > 0
    assert nothing.merge(floors, on=["sku_id", "tier", "week_start"])["floor_units"].gt(0).sum() == len(nothing)


def test_some_pairs_order_in_bundles_and_many_in_single_units(small: Written) -> None:
    demand = small.truth("weekly_demand").query("demand_units > 0").merge(small.rows("skus")[["sku_id", "pack_units"]], on="sku_id")
    weeks = (
        demand.assign(whole=demand["demand_units"] % demand["pack_units"] == 0)
        .groupby(["retailer_id", "sku_id"])["whole"]
        .agg(["all", "size"])
    )
    assert ((weeks["size"] > 10) & weeks["all"]).sum() > 10
    assert (demand["demand_units"] == 1).mean() > 0.2


def test_some_shops_order_every_second_week(small: Written) -> None:
    weeks = (
        small.delivered_weeks().reset_index()[["retailer_id", "week_start"]].drop_duplicates().sort_values(["retailer_id", "week_start"])
    )
    gaps = weeks.groupby("retailer_id")["week_start"].diff().dt.days.groupby(weeks["retailer_id"]).median()
    assert 0.05 < (gaps == 14).mean() < 0.35
    assert (gaps == 7).mean() > 0.5
