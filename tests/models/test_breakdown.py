"""Figures by slice, on weeks small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.breakdown import (
    CAP_LIFTED,
    CAPPED,
    MEASURES,
    NEVER_CAPPED,
    SILENT,
    SLICES,
    break_down,
    censoring_class,
    value_added,
    velocity_class,
    with_slices,
)
from models.evaluation import compare_forecasts

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)
FORECASTS = {"model": "model", "recent_mean": "recent_mean", "other": "rival other"}


def weeks(n: int = 400, seed: int = 1) -> pd.DataFrame:
    """Judged weeks of pairs in two tiers and two origins; the model is near what came, the others are not."""
    rng = np.random.default_rng(seed)
    pair, origin, horizon = rng.integers(0, 12, n), rng.integers(0, 2, n), rng.integers(1, 9, n)
    actual = rng.poisson(2.0, n).astype(float)
    near = np.abs(actual + rng.normal(0.2, 0.5, n))
    drawn = pd.DataFrame(
        {
            "origin": np.where(origin == 0, "2025-08-03", "2025-06-08"),
            "retailer_id": [f"R{p % 4}" for p in pair],
            "sku_id": [f"S{p // 4}" for p in pair],
            "tier": np.where(pair % 4 < 2, "T1", "T2"),
            "horizon_weeks": horizon,
            "actual": actual,
            "model": near,
            "seasonal_naive": 3.0,
            "recent_mean": 1.0,
            "rival other": 2.0,
            "orders_52w": np.select([pair < 4, pair < 8], [40.0, 15.0], 2.0),
            "open_weeks_52w": 52.0,
            "orders_26w": np.where(pair < 4, 20.0, 2.0),
            "capped_orders_26w": np.where(pair < 2, 5.0, 0.0),
            "capped_weeks_26w": np.where(pair < 2, 9.0, 0.0),
            "cap_units": np.where((pair < 2) & (horizon < 5), 6.0, np.nan),
            "band_cap_units": np.nan,
        }
    )
    drawn = drawn.drop_duplicates(["origin", "retailer_id", "sku_id", "horizon_weeks"], ignore_index=True)
    return drawn.assign(**{f"q{level}": drawn.model * (0.5 + level) for level in LEVELS})


@pytest.fixture(scope="module")
def sliced() -> pd.DataFrame:
    return with_slices(weeks())


@pytest.mark.parametrize(
    ("orders", "open_weeks", "expected"),
    [
        (26, 52, "weekly"),
        (25, 52, "every 2-4 weeks"),
        (13, 52, "every 2-4 weeks"),
        (12, 52, "rarer"),
        (3, 4, "weekly"),
        (0, 9, "no order yet"),
    ],
)
def test_a_class_of_velocity_begins_at_its_share_of_the_open_weeks(orders: int, open_weeks: int, expected: str) -> None:
    assert velocity_class([orders], [open_weeks]).tolist() == [expected]


def test_pairs_without_a_capped_order_are_apart_and_the_rest_are_in_ten_bins_of_equal_size() -> None:
    capped = np.r_[np.zeros(50), np.arange(1, 101)]
    classes = censoring_class(np.full(150, 100.0), capped)
    counts = classes.value_counts(sort=False)
    assert counts.index.tolist()[:4] == [SILENT, "0 %", "1-10 %", "11-20 %"]
    assert counts.tolist() == [0, 50] + [10] * 10


def test_equal_shares_stay_in_one_bin() -> None:
    classes = censoring_class([10.0] * 20, [10.0] * 15 + [5.0] * 5)
    assert classes.value_counts(sort=False).to_dict() == {SILENT: 0, "0 %": 0, "50 %": 5, "100 %": 15}


def test_a_cap_is_lifted_where_one_stood_before_and_none_stands_now(sliced: pd.DataFrame) -> None:
    assert set(sliced.rationing) == {NEVER_CAPPED, CAP_LIFTED, CAPPED}
    lifted = sliced[sliced.rationing == CAP_LIFTED]
    assert lifted.horizon_weeks.min() == 5
    assert (lifted.capped_weeks_26w > 0).all()


def test_a_slice_has_the_figures_of_its_rows_alone(sliced: pd.DataFrame) -> None:
    found = break_down(sliced, FORECASTS, LEVELS).set_index(["slice_kind", "slice_value", "forecast"])
    part = sliced[sliced.origin == "2025-08-03"]
    alone = compare_forecasts(part, LEVELS)
    for name in ("model", "recent_mean"):
        row = found.xs(("origin", "2025-08-03", name))
        for measure in ("pair_8w_wape_loss", "sku_week_wape_loss", "sku_8w_wape_loss", "bias", "pinball_loss"):
            assert row[measure] == pytest.approx(alone[f"{name}.{measure}"]), (name, measure)
    assert found.loc[("origin", "2025-08-03", "model"), "coverage_80"] == pytest.approx(alone["model.coverage_80"])
    assert bool(found.coverage_80.isna()[("origin", "2025-08-03", "other")])
    sums = part.groupby(["tier", "sku_id", "horizon_weeks"])[["actual", "rival other"]].sum()
    expected = (sums["rival other"] - sums.actual).abs().sum() / sums.actual.sum()
    assert found.loc[("origin", "2025-08-03", "other"), "tier_sku_week_wape_loss"] == pytest.approx(expected)


def test_the_slices_of_a_kind_add_up_to_the_whole(sliced: pd.DataFrame) -> None:
    found = break_down(sliced, FORECASTS, LEVELS)
    sizes = found[found.forecast == "model"].groupby("slice_kind")[["weeks", "units"]].sum()
    assert set(sizes.index) == set(SLICES)
    assert set(sizes.weeks) == {len(sliced)}
    assert sizes.units.to_numpy() == pytest.approx([sliced.actual.sum()] * len(SLICES))


def test_origins_are_not_summed_into_each_other() -> None:
    opposite = with_slices(weeks())
    opposite["model"] = opposite.actual + np.where(opposite.origin == "2025-08-03", 1.0, -1.0)
    row = break_down(opposite, {"model": "model"}, LEVELS, ["all"]).iloc[0]
    assert row.pair_8w_wape_loss == pytest.approx(len(opposite) / opposite.actual.sum())


def test_a_slice_in_which_nothing_was_wanted_has_no_errors(sliced: pd.DataFrame) -> None:
    nothing = sliced.assign(actual=np.where(sliced.tier == "T2", 0.0, sliced.actual))
    row = break_down(nothing, {"model": "model"}, LEVELS, ["tier"]).set_index("slice_value").loc["T2"]
    assert row.weeks > 0
    assert row[list(MEASURES)].isna().all()


def test_value_added_is_the_share_of_the_other_error_that_is_saved(sliced: pd.DataFrame) -> None:
    found = break_down(sliced, FORECASTS, LEVELS, ["tier"]).set_index(["slice_value", "forecast"])
    added = value_added(found.reset_index().assign(slice_kind="tier"), ["pinball_loss"]).set_index(["slice_value", "baseline"])
    assert sorted(added.index) == [(tier, name) for tier in ("T1", "T2") for name in ("other", "recent_mean")]
    expected = 1 - found.pinball_loss["T1", "model"] / found.pinball_loss["T1", "other"]
    assert added.pinball_loss["T1", "other"] == pytest.approx(expected)


def test_the_frame_that_is_given_stays_as_it_is() -> None:
    given = weeks()
    before = given.copy(deep=True)
    break_down(with_slices(given), FORECASTS, LEVELS)
    pd.testing.assert_frame_equal(given, before)
