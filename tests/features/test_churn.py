"""Features of the churn model on small markets counted by hand, and the laws they keep."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import UsageError
from contracts.weeks import last_week
from features.churn import churn_features, retailer_features
from features.churn_season import SEASON_FEATURES
from tests.statements import Statement

AS_OF = date(2019, 9, 29)


@cache
def statement(attributes: tuple[str, ...]) -> Statement:
    """The features as of AS_OF of stored tables."""

    def build(cells: Any, retailers: Any, skus: Any, interactions: Any, events: Any) -> Any:
        return retailer_features(cells, retailers, skus, interactions, AS_OF, attributes=attributes, events=events)

    return Statement(build, "demand_cells", "retailers", "skus", "interactions", "events")


def cell(
    retailer_id: str, sku_id: str, weeks_ago: int, delivered: float, *, true: float | None = None, **more: float | str | date | None
) -> dict[str, Any]:
    """One retailer-SKU-week."""
    row = {"retailer_id": retailer_id, "sku_id": sku_id, "week_start": last_week(AS_OF) - timedelta(weeks=weeks_ago)}
    row |= {"delivered_units": delivered, "true_units": delivered if true is None else true, "lower_units": delivered}
    return row | {"upper_units": delivered, "censoring": "none", "amount": 10 * delivered} | more


def features_of(
    cells: list[dict[str, Any]],
    *,
    retailers: list[dict[str, Any]] | None = None,
    skus: list[dict[str, Any]] | None = None,
    interactions: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    attributes: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Features by retailer, as of AS_OF; what a row does not say is null."""
    registers = {"retailers": retailers or [], "skus": skus or [], "interactions": interactions or [], "events": events or []}
    features: pd.DataFrame = statement(attributes).table(demand_cells=cells, **registers).to_pandas()
    return features.set_index("retailer_id").sort_index()


def test_columns_are_the_catalogue_in_its_order() -> None:
    rows = features_of([cell("R", "S", 0, 1)], retailers=[{"retailer_id": "R", "district": "north"}], attributes=("district",))
    assert list(rows.columns) == [feature.name for feature in churn_features(["district"])]
    assert len({feature.name for feature in churn_features(["district"])}) == rows.shape[1]


def test_rhythm_is_counted_in_weeks_with_an_order() -> None:
    weeks_ago = (3, 5, 6, 10, 20)
    shop = features_of([cell("R", sku, ago, 2) for ago in weeks_ago for sku in ("A", "B")]).loc["R"]
    assert shop["recency_weeks"] == 3
    assert shop["mean_gap_weeks"] == (2 + 1 + 4 + 10) / 4
    assert shop["longest_gap_weeks"] == 10
    assert shop["recency_gap_ratio"] == 3 / 4.25
    assert shop["recency_longest_ratio"] == pytest.approx(0.3)
    assert (shop["order_weeks_13w"], shop["order_weeks_prev_13w"], shop["tenure_weeks"]) == (4, 1, 20)
    assert shop["order_share_13w"] == 4 / 13
    assert shop["order_weeks_trend_13w"] == 4
    assert shop["longer_gaps_share"] == (2 + 1) / (4 + 1)
    assert shop["gap_spread_weeks"] == pytest.approx(pd.Series([2, 1, 4, 10]).std(ddof=0))


def test_share_of_weeks_begins_with_a_newcomers_first_order() -> None:
    shop = features_of([cell("R", "A", ago, 1) for ago in (0, 1, 2)]).loc["R"]
    assert shop["order_share_52w"] == 1


def test_a_single_week_has_no_rhythm() -> None:
    shop = features_of([cell("R", "A", 2, 1)]).loc["R"]
    assert shop[["mean_gap_weeks", "gap_spread_weeks", "recency_gap_ratio"]].isna().all()


def test_season_looks_at_the_weeks_a_year_before_those_to_come() -> None:
    ordered = [cell("R", "A", ago, 1) for ago in (0, 51, 48, 47, 60)]
    shop = features_of(ordered).loc["R"]
    assert shop["order_share_ahead_4w"] == 2 / 4
    assert shop["order_share_ahead_13w"] == 3 / 13
    assert features_of(ordered[:1]).loc[["R"], "order_share_ahead_13w"].isna().all()


def test_volume_counts_true_and_delivered_units_apart() -> None:
    cells = [cell("R", "A", 0, 4, true=10, censoring="cap", cap_units=4), cell("R", "A", 14, 5), cell("R", "A", 55, 20)]
    shop = features_of(cells).loc["R"]
    assert (shop["true_units_13w"], shop["delivered_units_13w"], shop["true_units_52w"]) == (10, 4, 15)
    assert (shop["true_units_trend_13w"], shop["delivered_units_trend_13w"], shop["true_units_trend_year"]) == (2, 0.8, 0.5)
    assert (shop["amount_13w"], shop["basket_13w"]) == (40, 40)
    assert shop["last_order_ratio"] == pytest.approx(4 / 4.5)


def test_season_is_what_everybody_does_who_was_there_before() -> None:
    halved = [cell("R", "A", ago, 10) for ago in (60, 70, 30)] + [cell("R", "A", 0, 5)]
    kept = [cell("Q", "A", ago, 30) for ago in (60, 70, 30, 0)]
    rows = features_of([*halved, *kept, cell("new", "A", 0, 100)])
    shop = rows.loc["R"]
    assert shop["true_units_trend_year_vs_all"] == pytest.approx((5 / 10) / (35 / 40))
    assert shop["true_units_trend_26w_vs_all"] == pytest.approx((5 / 10) / (35 / 40))
    assert rows.loc["Q", "true_units_trend_year_vs_all"] == pytest.approx(1 / (35 / 40))
    assert rows.loc[["new"], [f.name for f in SEASON_FEATURES if f.name != "true_units_trend_4w_vs_all"]].isna().all(axis=None)


def test_a_season_that_everybody_has_moves_no_retailer() -> None:
    cells = [cell(name, "A", ago, size * (1 + ago % 13)) for name, size in (("R", 1), ("Q", 7)) for ago in range(90)]
    rows = features_of(cells)
    assert np.allclose(rows[[feature.name for feature in SEASON_FEATURES]], 1)


def test_range_counts_skus_and_the_share_of_the_largest() -> None:
    cells = [cell("R", "A", 0, 6), cell("R", "A", 1, 2), cell("R", "B", 5, 2), cell("R", "C", 14, 10), cell("R", "D", 30, 1)]
    shop = features_of(cells, skus=[{"sku_id": "C", "delisted_on": AS_OF}, {"sku_id": "A", "delisted_on": date(2020, 1, 1)}]).loc["R"]
    assert [shop[f"skus_{n}w"] for n in (4, 13, 26, 52)] == [1, 2, 3, 4]
    assert (shop["skus_prev_13w"], shop["skus_trend_13w"], shop["top_sku_share_26w"]) == (1, 2, 0.5)
    assert shop["delisted_share_52w"] == 10 / 21
    assert shop["top_sku_share_change_13w"] == 8 / 10 - 10 / 10


def test_rationing_counts_caps_reached_unmet_units_and_closed_weeks() -> None:
    capped = {"cap_units": 4.0, "upper_units": None}
    cells = [
        cell("R", "A", 0, 4, true=7, censoring="cap", **capped),
        cell("R", "A", 1, 3, cap_units=4.0),
        cell("R", "B", 2, 9, true=6, censoring="floor", floor_units=9.0),
        cell("R", "C", 3, 0, censoring="stockout", upper_units=None),
        cell("R", "A", 20, 4, true=8, censoring="band", upper_units=None),
    ]
    cells.append(cell("R", "A", 30, 4, cap_units=9.0))
    shop = features_of(cells).loc["R"]
    assert shop["unmet_share_rise"] == pytest.approx(3 / 16 - 4 / 12)
    assert shop["cap_hit_rate_rise"] == 0.5 - 0.5
    assert (shop["cap_hit_rate_13w"], shop["limited_orders_26w"]) == (0.5, 3)
    assert (shop["unmet_units_26w"], shop["unmet_share_26w"]) == (7, 7 / 24)
    assert shop["closed_share_4w"] == 0.25


def test_complaints_settled_later_are_unresolved_and_slow() -> None:
    def contact(number: int, kind: str, days_ago: int, **more: float | str | date | None) -> dict[str, Any]:
        return {"interaction_id": str(number), "retailer_id": "R", "kind": kind, "occurred_on": AS_OF - timedelta(days=days_ago)} | more

    talks = [
        contact(1, "complaint", 30, score=20, resolved_on=AS_OF - timedelta(days=25)),
        contact(2, "complaint", 40, score=80, resolved_on=AS_OF + timedelta(days=1)),
        contact(3, "complaint", 200),
        contact(4, "survey", 300, score=90),
        contact(5, "survey", 100, score=40),
        contact(6, "survey", 10),
        contact(7, "visit", 14),
        contact(8, "call", 100),
        contact(9, "return", 5),
        contact(10, "complaint", -1),
    ]
    rows = features_of([cell("R", "A", 0, 1), cell("Q", "A", 0, 1)], interactions=talks)
    shop, quiet = rows.loc["R"], rows.loc["Q"]
    assert (shop["complaints_13w"], shop["complaints_26w"], shop["unresolved_complaints"], shop["slow_complaints_26w"]) == (2, 2, 2, 1)
    assert (shop["days_to_resolve_26w"], shop["last_survey_score"]) == (5, 40)
    assert (shop["longest_wait_days_26w"], shop["complaint_severity_26w"], shop["survey_score_change"]) == (40, 50, -50)
    assert (shop["contacts_13w"], shop["contacts_26w"], shop["weeks_since_contact"], shop["returns_26w"]) == (1, 2, 2, 1)
    assert (quiet["complaints_26w"], quiet["contacts_13w"]) == (0, 0)
    assert quiet[["last_survey_score", "weeks_since_contact"]].isna().all()


def test_neighbours_that_fell_silent_are_counted_but_not_those_that_closed() -> None:
    register: list[dict[str, Any]] = [{"retailer_id": name, "district": "north"} for name in "ABCD"] + [{"retailer_id": "E"}]
    register[3]["closed_on"] = AS_OF - timedelta(days=20)
    cells = [cell("A", "S", 0, 5), cell("E", "S", 0, 5)] + [cell(name, "S", 14, 5) for name in "ABCD"]
    rows = features_of(cells, retailers=register, attributes=("district", "consumption_level"))
    assert rows.loc["A", "district_silent_share"] == pytest.approx(2 / 3)
    assert rows.loc["A", "district_trend_13w"] == pytest.approx(1 / 3)
    assert rows.loc["A", "district"] == "north"
    assert rows.loc[["E"], "district_silent_share"].isna().all()


def test_a_competitors_opening_is_news_for_a_year_where_it_happened() -> None:
    def event(days_ago: int, name: str, district: str | None) -> dict[str, Any]:
        return {"event_date": AS_OF - timedelta(days=days_ago), "name": name, "district": district}

    register = [{"retailer_id": name, "district": name} for name in ("north", "south", "east")]
    days = [event(21, "Competing wholesaler opens", "north"), event(70, "competitor", "north"), event(-7, "competitor", "south")]
    days += [event(14, "temple fair", "south"), event(400, "competitor", "east")]
    cells = [cell(name, "S", 0, 1) for name in ("north", "south", "east")]
    rows = features_of(cells, retailers=register, events=days, attributes=("district",))
    assert rows["weeks_since_competitor"].dropna().to_dict() == {"north": 3}
    everywhere = features_of(cells, retailers=register, events=[*days, event(28, "competitor", None)], attributes=("district",))
    assert everywhere["weeks_since_competitor"].to_dict() == {"north": 3, "south": 4, "east": 4}


def test_shops_nearby_that_fell_silent_are_counted_where_all_have_coordinates() -> None:
    far = {"retailer_id": "far", "latitude": 31.0, "longitude": 120.0}
    register = [{"retailer_id": f"R{number}", "latitude": 30.0 + number / 200, "longitude": 120.001} for number in range(6)] + [far]
    cells = [cell(str(row["retailer_id"]), "S", 14, 5) for row in register]
    cells += [cell(name, "S", 0, 5) for name in ("R0", "R1", "R2", "R3", "far")]
    rows = features_of(cells, retailers=register)
    assert rows["nearby_silent_share"].dropna().to_dict() == {"R2": 2 / 6, "R3": 2 / 6}
    assert features_of(cells, retailers=register[1:])["nearby_silent_share"].isna().all()


def test_only_active_retailers_are_rows() -> None:
    register: list[dict[str, Any]] = [
        {"retailer_id": "closed", "closed_on": AS_OF},
        {"retailer_id": "closing", "closed_on": AS_OF + timedelta(days=1)},
        {"retailer_id": "replaced", "successor_id": "successor"},
        {"retailer_id": "to be replaced", "successor_id": "nobody yet"},
    ]
    cells = [cell(name, "S", 1, 1) for name in ("closed", "closing", "replaced", "successor", "to be replaced", "unregistered")]
    cells += [cell("eight weeks", "S", 7, 1), cell("silent", "S", 8, 1), cell("nothing delivered", "S", 0, 0), cell("to come", "S", -1, 1)]
    cells += [cell("nobody yet", "S", -1, 1)]
    rows = features_of(cells, retailers=register)
    assert sorted(rows.index) == ["closing", "eight weeks", "successor", "to be replaced", "unregistered"]


def test_a_day_in_the_week_is_refused_as_cut_off() -> None:
    nothing = ibis.table({"retailer_id": "string"}, name="nothing")
    with pytest.raises(UsageError, match="is a Monday"):
        retailer_features(nothing, nothing, nothing, nothing, date(2019, 9, 30))


def test_an_unknown_attribute_is_refused() -> None:
    with pytest.raises(UsageError, match=r"retailers.longitude: not an attribute"):
        churn_features(["longitude"])


orders = st.lists(
    st.tuples(st.sampled_from("PQR"), st.sampled_from("AB"), st.integers(-8, 70), st.integers(0, 9), st.booleans()), max_size=25
)


@settings(max_examples=20, deadline=None)
@given(market=orders, other_future=orders, seed=st.integers(0, 99))
def test_nothing_after_the_cut_off_and_no_order_of_rows_changes_a_feature(
    market: list[tuple[str, str, int, int, bool]], other_future: list[tuple[str, str, int, int, bool]], seed: int
) -> None:
    def cells_of(drawn: list[tuple[str, str, int, int, bool]]) -> list[dict[str, Any]]:
        unique = {entry[:3]: entry for entry in drawn}.values()
        return [cell(r, s, ago, n, true=2 * n if cap else n, censoring="cap" if cap else "none") for r, s, ago, n, cap in unique]

    def talk(days_ago: int, resolved_days_ago: int | None) -> dict[str, Any]:
        resolved = None if resolved_days_ago is None else AS_OF - timedelta(days=resolved_days_ago)
        day = AS_OF - timedelta(days=days_ago)
        return {"interaction_id": f"I{days_ago}", "retailer_id": "P", "kind": "complaint", "occurred_on": day, "resolved_on": resolved}

    register: list[dict[str, Any]] = [
        {"retailer_id": name, "district": "north", "successor_id": "R" if name == "P" else None, "latitude": 30.0, "longitude": 120.0}
        for name in "PQR"
    ]
    opening = {"event_date": AS_OF - timedelta(days=9), "name": "competitor", "district": "north"}
    another = {"event_date": AS_OF + timedelta(days=1), "name": "competitor", "district": "north"}
    later = [row | {"closed_on": AS_OF + timedelta(days=9)} for row in register]
    known = [entry for entry in market if entry[2] >= 0]
    future = [entry for entry in other_future if entry[2] < 0]
    first = features_of(cells_of(market), retailers=register, interactions=[talk(9, None)], events=[opening], attributes=("district",))
    shuffled = pd.Series(cells_of(known + future)).sample(frac=1, random_state=seed).tolist()
    talks = [talk(-3, -4), talk(9, -10)]
    second = features_of(shuffled, retailers=later, interactions=talks, events=[another, opening], attributes=("district",))
    pd.testing.assert_frame_equal(first, second, check_dtype=False)
