"""Shops that stop, and the signs they give."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo.departures import CAUSES
from tests.demo.conftest import Written


def _with_weeks_to_stop(rows: pd.DataFrame, churn: pd.DataFrame, day: str) -> pd.DataFrame:
    joined = rows.merge(churn.dropna(subset=["stopped_on"]), on="retailer_id")
    return joined.assign(weeks_to_stop=(joined["stopped_on"] - joined[day]).dt.days // 7)


def test_a_shop_that_stopped_orders_nothing_after_it(small: Written) -> None:
    gone = small.rows("order_lines").merge(small.truth("churn").dropna(subset=["stopped_on"]), on="retailer_id")
    assert len(gone) > 0
    assert (gone["ordered_on"] <= gone["stopped_on"]).all()


def test_a_shop_that_stopped_has_no_true_demand_after_it(small: Written) -> None:
    gone = small.truth("weekly_demand").merge(small.truth("churn").dropna(subset=["stopped_on"]), on="retailer_id")
    assert (gone["week_start"] <= gone["stopped_on"]).all()


def test_the_last_order_week_is_that_of_the_order_lines_where_the_shop_stopped_in_the_history(small: Written) -> None:
    churn = small.truth("churn")
    gone = churn[churn["stopped_on"] < pd.Timestamp(small.county.as_of)].set_index("retailer_id")["last_order_week"].dropna()
    last = small.delivered_weeks().reset_index().groupby("retailer_id")["week_start"].max()
    assert (last.loc[gone.index] == gone).all()


def test_truth_about_churn_has_one_row_per_licence_and_a_cause_for_every_stop(small: Written) -> None:
    churn = small.truth("churn")
    assert churn["retailer_id"].tolist() == small.rows("retailers")["retailer_id"].tolist()
    assert (churn["cause"].isna() == churn["stopped_on"].isna()).all()
    assert set(churn["cause"].dropna()) <= set(CAUSES)


def test_only_closed_and_relicensed_shops_are_closed_in_the_register(small: Written) -> None:
    retailers = small.rows("retailers").merge(small.truth("churn"), on="retailer_id")
    assert set(retailers.loc[retailers["closed_on"].notna(), "cause"]) <= {"closed", "relicensed"}
    assert (retailers.loc[retailers["successor_id"].notna(), "cause"] == "relicensed").all()


def test_a_successor_takes_over_the_demand_of_its_shop(full: Written) -> None:
    retailers = full.rows("retailers").dropna(subset=["successor_id"])
    weekly = full.truth("weekly_demand").groupby(["retailer_id", "week_start"])["demand_units"].sum().groupby("retailer_id").mean()
    before, after = weekly.reindex(retailers["retailer_id"]), weekly.reindex(retailers["successor_id"])
    assert np.corrcoef(np.log(before), np.log(after))[0, 1] > 0.8


def test_shops_that_leave_over_service_complain_more_and_wait_longer(full: Written) -> None:
    complaints = full.rows("interactions").query("kind == 'complaint'")
    near = _with_weeks_to_stop(complaints, full.truth("churn").query("cause == 'service'"), "occurred_on").query("0 <= weeks_to_stop < 10")
    shops = (full.truth("churn")["cause"] == "service").sum()
    usual = len(complaints) / full.facts.rows["retailers"] / full.county.n_weeks
    assert len(near) / shops / 10 > 5 * usual
    days = (near["resolved_on"] - near["occurred_on"]).dt.days.median()
    assert days > 2 * (complaints["resolved_on"] - complaints["occurred_on"]).dt.days.median()


def test_starved_shops_get_less_of_what_they_want_than_others(full: Written) -> None:
    demand = full.truth("weekly_demand")
    wanted = demand[demand["week_start"] <= pd.Timestamp(full.county.as_of)].groupby("retailer_id")["demand_units"].sum()
    share = 1 - full.rows("order_lines").groupby("retailer_id")["delivered_units"].sum() / wanted
    causes = full.truth("churn").set_index("retailer_id")["cause"].reindex(share.index)
    assert share[causes == "starved"].median() > 1.2 * share[causes.isna()].median()


def test_three_shops_in_ten_leave_without_a_sign_in_their_orders(full: Written) -> None:
    churn = full.truth("churn")
    left = churn[churn["cause"].isin(["competitor", "starved", "service", "footfall"])]
    assert 0.25 < (left["fading_weeks"] == 0).mean() < 0.35
    assert churn.loc[churn["cause"].isna() | (churn["cause"] == "relicensed"), "fading_weeks"].isna().all()


def test_demand_of_leaving_shops_falls_before_they_stop(full: Written) -> None:
    weekly = full.truth("weekly_demand").groupby(["retailer_id", "week_start"], as_index=False)[["demand_units"]].sum()
    churn = full.truth("churn")
    real = _with_weeks_to_stop(weekly, churn[churn["cause"].isin(["competitor", "footfall"])], "week_start")
    by_week = real.groupby("weeks_to_stop")["demand_units"].sum()
    assert by_week.loc[0:3].mean() < 0.7 * by_week.loc[20:30].mean()
