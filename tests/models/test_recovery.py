"""Recovery on simulated markets whose true demand is known, and the laws it keeps."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_ndtr
from scipy.stats import norm, truncnorm

from models.recovery import censored_history, recover
from models.size_laws import RecoverySettings

SETTINGS = RecoverySettings(power=0.15, pooling_orders=1.0, spread_pooling_orders=4.0, iterations=30)
FIRST = date(2019, 1, 7)
KEY = ["retailer_id", "sku_id", "week_start"]


def sunday(week: int) -> date:
    """The end of a week; 0 is the first."""
    return FIRST + timedelta(weeks=week, days=6)


def cell(retailer: str, week: int, delivered: float, censoring: str = "none", **more: object) -> dict[str, Any]:
    """One cell with the interval that its censoring says."""
    at_least = censoring in ("cap", "band", "stockout")
    row = {
        "retailer_id": retailer,
        "sku_id": "S",
        "tier": "T1",
        "category": "",
        "pack_units": np.nan,
        "week_start": pd.Timestamp(FIRST) + pd.Timedelta(weeks=week),
    }
    row |= {"delivered_units": delivered, "cap_units": delivered if censoring == "cap" else np.nan, "censoring": censoring}
    row |= {"lower_units": 0.0 if censoring in ("floor", "stockout") else delivered, "upper_units": np.nan if at_least else delivered}
    return row | more


def recovered(cells: list[dict[str, Any]] | pd.DataFrame, as_of: date | None = None, using: RecoverySettings = SETTINGS) -> pd.DataFrame:
    """Recovered demand, by key, as of the end of the newest week."""
    frame = pd.DataFrame(cells)
    newest = (frame["week_start"].max() + pd.Timedelta(days=6)).date()
    found = recover(censored_history(frame, using.power), as_of or newest, using)
    return found.astype({"retailer_id": str, "sku_id": str, "censoring": str}).sort_values(KEY, ignore_index=True)


def market(seed: int, *, retailers: int = 50, skus: int = 4, weeks: int = 52) -> pd.DataFrame:
    """Orders in whole units, lumpy and of two tiers, half of the time under a cap that about half of them reach."""
    rng = np.random.default_rng(seed)
    rows = []
    for sku in range(skus):
        hotness = rng.normal(2.3, 0.5)
        capped = np.repeat(rng.random(weeks // 13) < 0.6, 13)
        for tier, size in (("T1", 0.0), ("T2", 0.7)):
            cap = np.round(np.exp(hotness + size + rng.normal(0.1, 0.15, weeks // 13))).repeat(13)
            for retailer in range(retailers // 2):
                level = hotness + size + rng.normal(0, 0.4)
                true = np.maximum(1, np.round(np.exp(level + rng.normal(0, 0.6, weeks))))
                for week in np.flatnonzero(rng.random(weeks) < 0.5):
                    at_cap = bool(capped[week] and true[week] >= cap[week])
                    delivered = float(min(true[week], cap[week]) if capped[week] else true[week])
                    limit = float(cap[week]) if capped[week] else np.nan
                    row = cell(f"{tier}-{retailer:02d}", int(week), delivered, "cap" if at_cap else "none", tier=tier, sku_id=f"S{sku}")
                    rows.append(row | {"cap_units": limit, "asked": true[week]})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def one_market() -> pd.DataFrame:
    return market(7, retailers=20, skus=2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_recovery_is_far_nearer_to_the_truth_than_orders_at_face_value(seed: int) -> None:
    orders = market(seed)
    estimates = recovered(orders).merge(orders[[*KEY, "asked"]], on=KEY)
    asked = estimates["asked"].sum()
    face_value, bias = estimates["delivered_units"].sum() / asked - 1, estimates["true_units"].sum() / asked - 1
    assert face_value < -0.4
    assert abs(bias) < 0.12
    assert abs(bias) < abs(face_value) / 3
    wrong = (estimates[["true_units", "delivered_units"]].sub(estimates["asked"], axis=0)).abs().sum()
    assert wrong["true_units"] < 0.8 * wrong["delivered_units"]
    inside = estimates["asked"].between(estimates["true_units_p10"], estimates["true_units_p90"]).mean()
    assert 0.65 < inside < 0.85


def test_every_capped_cell_has_an_estimate_within_its_interval(one_market: pd.DataFrame) -> None:
    estimates = recovered(one_market)
    assert len(estimates) == (one_market["censoring"] == "cap").sum()
    assert (estimates["true_units"] > estimates["delivered_units"]).all()
    assert (estimates["true_units_p10"] >= estimates["delivered_units"]).all()
    assert (estimates["true_units_p90"] > estimates["true_units_p10"]).all()
    assert estimates["identified"].all()


def test_what_came_later_changes_nothing(one_market: pd.DataFrame) -> None:
    past = one_market[one_market["week_start"] <= pd.Timestamp(FIRST) + pd.Timedelta(weeks=35)]
    known = recovered(one_market, sunday(35))
    assert 0 < len(known) < len(recovered(one_market))
    pd.testing.assert_frame_equal(known, recovered(past, sunday(35)), rtol=1e-9)


def test_weeks_in_which_nothing_was_learned_change_nothing(one_market: pd.DataFrame) -> None:
    shut = one_market.sample(60, random_state=1).assign(censoring="stockout", lower_units=0.0, upper_units=np.nan, delivered_units=500.0)
    shut["week_start"] += pd.Timedelta(weeks=60)
    with_shut = pd.concat([shut, one_market], ignore_index=True)
    pd.testing.assert_frame_equal(recovered(with_shut, sunday(51)), recovered(one_market, sunday(51)), rtol=1e-12)
    assert len(recovered(with_shut)) == len(recovered(one_market))


def test_the_order_of_rows_does_not_matter_and_the_cells_given_are_not_changed(one_market: pd.DataFrame) -> None:
    shuffled = one_market.sample(frac=1, random_state=3)
    before = shuffled.copy(deep=True)
    pd.testing.assert_frame_equal(recovered(shuffled), recovered(one_market), rtol=1e-9)
    pd.testing.assert_frame_equal(shuffled, before)


def test_one_history_serves_many_cut_offs_in_any_order(one_market: pd.DataFrame) -> None:
    history = censored_history(one_market, SETTINGS.power)
    newest_first = [recover(history, sunday(week), SETTINGS) for week in (51, 20, 51)]
    pd.testing.assert_frame_equal(newest_first[0], newest_first[2])
    assert len(newest_first[1]) < len(newest_first[0])


@pytest.mark.parametrize("times", [6.0, 0.5])
def test_recovery_in_packs_is_recovery_in_units_in_packs(one_market: pd.DataFrame, times: float) -> None:
    units = ["delivered_units", "cap_units", "lower_units", "upper_units"]
    scaled = recovered(one_market.assign(**{name: times * one_market[name] for name in units}))
    expected = recovered(one_market)[["true_units", "true_units_p10", "true_units_p90"]] * times
    np.testing.assert_allclose(scaled[list(expected)], expected, rtol=2e-3)


def test_a_pair_alone_gets_the_maximum_of_its_censored_likelihood() -> None:
    rng = np.random.default_rng(4)
    true = np.exp(rng.normal(2.0, 0.5, 300))
    cap = 9.0
    cells = [cell("R", week, float(min(size, cap)), "cap" if size >= cap else "none") for week, size in enumerate(true)]
    z = (np.minimum(true, cap) ** 0.15 - 1) / 0.15
    hidden, bound = true >= cap, (cap**0.15 - 1) / 0.15

    def minus_log_likelihood(law: Any) -> float:
        mu, sd = law[0], np.exp(law[1])
        return float(-norm.logpdf(z[~hidden], mu, sd).sum() - hidden.sum() * log_ndtr((mu - bound) / sd))

    mu, log_sd = minimize(minus_log_likelihood, [z.mean(), np.log(z.std())]).x
    law = truncnorm((bound - mu) / np.exp(log_sd), np.inf, mu, np.exp(log_sd))
    sizes = (1 + 0.15 * law.ppf([0.1, 0.9])) ** (1 / 0.15)
    expected = float(np.mean((1 + 0.15 * law.rvs(200_000, random_state=1)) ** (1 / 0.15)))
    estimate = recovered(cells, using=RecoverySettings(0.15, 1.0, 4.0, 300)).iloc[0]
    assert [estimate["true_units_p10"], estimate["true_units_p90"]] == pytest.approx(list(sizes), rel=0.01)
    assert estimate["true_units"] == pytest.approx(expected, rel=0.02)


def test_a_short_history_borrows_from_its_tier_and_a_long_one_speaks_for_itself() -> None:
    rng = np.random.default_rng(5)
    sizes = {"large": 60.0, "small": 6.0}
    cells = [
        cell(f"{tier}-{n}", week, float(round(size * np.exp(rng.normal(0, 0.3)))), tier=tier)
        for tier, size in sizes.items()
        for n in range(6)
        for week in range(20)
    ]
    cells += [cell("newcomer-large", 20, 5.0, "cap", tier="large"), cell("newcomer-small", 20, 5.0, "cap", tier="small")]
    cells += [cell("modest", week, 4.0 + week % 3, tier="large") for week in range(20)] + [cell("modest", 20, 5.0, "cap", tier="large")]
    estimates = recovered(cells).set_index("retailer_id")["true_units"]
    assert 30 < estimates["newcomer-large"] < 90
    assert 5 < estimates["newcomer-small"] < 9
    assert 5 < estimates["modest"] < 9


def test_a_wish_that_was_recorded_is_the_most_that_was_wanted() -> None:
    cells = [cell("R", week, 20.0 + week % 7) for week in range(20)]
    cells += [cell("R", 20, 5.0, "cap"), cell("R", 21, 5.0, "cap", upper_units=7.0), cell("R", 22, 0.0, "cap", upper_units=4.0)]
    estimates = recovered(cells)
    free, asked, refused = estimates["true_units"]
    assert free > 15
    assert 6 < asked <= 7
    assert 0 < refused <= 4
    assert estimates["true_units_p90"].iloc[1:].le([7, 4]).all()


def test_at_a_used_up_band_the_demand_is_at_least_the_delivery() -> None:
    cells = [cell("R", week, 5.0 + week % 5) for week in range(20)] + [cell("R", 20, 6.0, "band"), cell("R", 21, 1.0, "band")]
    estimates = recovered(cells)
    assert (estimates["true_units"] > estimates["delivered_units"]).all()
    assert estimates["censoring"].tolist() == ["band", "band"]


def test_what_a_retailer_was_made_to_take_it_mostly_did_not_want() -> None:
    bundle = [cell("never", week, 6.0, "floor") for week in range(10)]
    others = [cell("never", 0, 5.0)] + [cell("often", week, 4.0, sku_id="W") for week in range(40)]
    others += [cell("often", week, 6.0, "floor", sku_id="W") for week in range(40, 44)]
    estimates = recovered(bundle + others)
    assert (estimates[["true_units", "true_units_p90"]].max(axis=1) <= 6).all()
    never, often = (estimates[estimates["retailer_id"] == shop] for shop in ("never", "often"))
    assert never["true_units"].max() < 0.5
    assert never["true_units_p10"].max() == 0
    assert (never["true_units_p90"] == never["true_units"]).all()
    assert often["true_units"].between(3, 5).all()


def test_weeks_without_stock_do_not_make_it_look_as_if_a_retailer_wanted_less() -> None:
    ordered = [cell("R", week, 4.0) for week in range(40) if week % 4 == 0]
    made_to_take = [cell("R", week, 6.0, "floor") for week in range(40, 44)]
    closed = [cell("R", week, 0.0, "stockout") for week in range(40) if week % 4]
    far = [cell("R", week, 0.0, "stockout") for week in range(44, 90)] + [cell("R", 90, 4.0)]
    wanted, with_closed, later = (
        recovered(ordered + made_to_take + more, as_of=sunday(43)).true_units.mean() for more in ([], closed, closed + far)
    )
    assert 0.5 < wanted < 1.5
    # in the weeks with stock it was ordered nearly always
    assert 3 < with_closed == later


def test_a_sku_capped_nearly_always_is_not_identified() -> None:
    cells = [cell(shop, week, 5.0, "cap") for shop in ("P", "Q") for week in range(10)]
    cells += [cell("Q", week, 5.0, "cap" if week else "none", sku_id="free in one week of ten") for week in range(10)]
    cells += [cell("Q", week, 5.0, "cap" if week else "none", sku_id="free in one week of eleven") for week in range(11)]
    estimates = recovered(cells)[["sku_id", "identified"]].drop_duplicates()
    expected = {"S": False, "free in one week of ten": True, "free in one week of eleven": False}
    assert dict(zip(estimates["sku_id"], estimates["identified"], strict=True)) == expected
    assert len(estimates) == 3


@pytest.mark.parametrize("cells", [[cell("R", 0, 5.0)], [cell("R", 0, 5.0), cell("R", 1, 5.0, "stockout")]])
def test_where_nothing_was_hidden_there_is_nothing_to_recover(cells: list[dict[str, Any]]) -> None:
    estimates = recovered(cells)
    assert len(estimates) == 0
    assert list(estimates.columns) == [*KEY, "delivered_units", "censoring", "true_units", "true_units_p10", "true_units_p90", "identified"]


def test_before_the_first_order_there_is_nothing_to_recover() -> None:
    assert len(recovered([cell("R", 5, 5.0, "cap")], sunday(4))) == 0
    assert len(recovered([cell("R", 5, 5.0, "cap")], sunday(5))) == 1


def test_without_any_cell_there_is_nothing_to_recover() -> None:
    nothing = pd.DataFrame([cell("R", 0, 5.0)]).iloc[:0]
    assert len(recover(censored_history(nothing, SETTINGS.power), sunday(0), SETTINGS)) == 0


def test_a_single_capped_order_is_all_there_is_to_go_by() -> None:
    estimates = recovered([cell("R", 0, 5.0, "cap")])
    assert estimates["true_units"].between(5, 20).tolist() == [True]
    assert estimates["identified"].tolist() == [False]


drawn = st.lists(
    st.tuples(
        st.sampled_from("PQR"),
        st.integers(0, 12),
        st.integers(1, 40),
        st.sampled_from(["none", "cap", "band", "floor", "stockout"]),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda entry: entry[:2],
)


@settings(max_examples=40, deadline=None)
@given(entries=drawn)
def test_no_estimate_leaves_its_interval(entries: list[tuple[str, int, int, str, int]]) -> None:
    cells = []
    for shop, week, units, censoring, more in entries:
        asked = {"upper_units": float(units + more)} if more and censoring in ("cap", "band") else {}
        cells.append(cell(shop, week, float(units), censoring, **asked))
    estimates = recovered(cells).merge(pd.DataFrame(cells)[[*KEY, "lower_units", "upper_units"]], on=KEY)
    assert len(estimates) == sum(entry[3] in ("cap", "band", "floor") for entry in entries)
    for name in ("true_units", "true_units_p10", "true_units_p90"):
        assert (estimates[name] >= estimates["lower_units"]).all()
        assert (estimates[name] <= estimates["upper_units"].fillna(np.inf)).all()
        assert np.isfinite(estimates[name]).all()
    assert estimates["true_units"].between(estimates["true_units_p10"], estimates["true_units_p90"]).all()
