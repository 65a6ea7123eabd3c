"""Hoarding in the county: who orders more than it wants, and what stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from contracts.errors import ConfigurationError
from demo.county import County, write_county
from tests.demo.conftest import Written

KEY = ["retailer_id", "sku_id", "week_start"]


@pytest.fixture(scope="module")
def hoarding(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder, county = tmp_path_factory.mktemp("hoarding"), replace(County.small(7), hoarding=0.3)
    return Written(county, folder, write_county(county, folder))


def test_true_demand_and_limits_are_those_of_the_county_without_hoarding(small: Written, hoarding: Written) -> None:
    assert small.truth("weekly_demand").equals(hoarding.truth("weekly_demand"))
    assert small.table("allocation_limits").equals(hoarding.table("allocation_limits"))


def test_orders_grow_up_to_the_cap_and_nowhere_shrink(small: Written, hoarding: Written) -> None:
    before, after = small.delivered_weeks(), hoarding.delivered_weeks()
    assert before.index.equals(after.index)
    assert (after >= before).all()
    grown = after[after > before].reset_index()
    wanted = grown.merge(hoarding.truth("weekly_demand"), on=KEY)
    assert len(wanted) == len(grown) > 200
    assert (wanted["demand_units"] < wanted["delivered_units"]).all()
    limits = hoarding.rows("allocation_limits")
    limited = limits.loc[limits["cap_units"].notna(), ["sku_id", "week_start"]].drop_duplicates()
    assert len(grown.merge(limited, on=["sku_id", "week_start"])) == len(grown)


def test_about_the_share_asked_for_is_hoarded(small: Written, hoarding: Written) -> None:
    before, after = small.delivered_weeks(), hoarding.delivered_weeks()
    limits = small.rows("allocation_limits")
    capped = limits.loc[limits["cap_units"].notna() & limits["sku_id"].notna() & limits["retailer_id"].isna(), ["sku_id", "week_start"]]
    weeks = pd.DataFrame({"before": before, "after": after}).reset_index().merge(capped.drop_duplicates(), on=["sku_id", "week_start"])
    below_cap = weeks[weeks["before"] < weeks.groupby(["sku_id", "week_start"])["after"].transform("max")]
    assert 0.1 < (below_cap["after"] > below_cap["before"]).mean() <= 0.35


def test_what_was_hoarded_stays_on_the_shelf(small: Written, hoarding: Written) -> None:
    stock = [county.rows("sell_through")["stock_units"].sum() for county in (small, hoarding)]
    sold = [county.rows("sell_through")["sold_units"].sum() for county in (small, hoarding)]
    assert stock[1] > 1.2 * stock[0]
    assert sold[0] <= sold[1] < 1.1 * sold[0]


def test_a_recorded_request_of_a_hoarder_is_what_it_took(hoarding: Written) -> None:
    lines = hoarding.rows("order_lines")
    week_start = lines["ordered_on"] - pd.to_timedelta(lines["ordered_on"].dt.day_of_week, unit="D")
    recorded = lines[lines["requested_units"].notna()].assign(week_start=week_start)
    weeks = recorded.groupby(KEY)[["delivered_units", "requested_units"]].sum().reset_index().merge(hoarding.truth("weekly_demand"), on=KEY)
    inflated = weeks[(weeks["delivered_units"] > weeks["demand_units"]) & (weeks["demand_units"] > 0)]
    asked_all = np.isclose(inflated["requested_units"], inflated["delivered_units"])
    assert asked_all.mean() > 0.8


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ConfigurationError, match=r"county\.hoarding"):
        replace(County.small(7), hoarding=share)
