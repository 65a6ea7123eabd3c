"""Forecasts beside what came, on weeks small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from contracts.weeks import HORIZONS
from models.demand import DemandForecast
from models.evaluation import FORECASTS, compare_calibrated, compare_forecasts, judged_weeks, order_calibration
from models.metrics import pinball_loss

LEVELS = (0.05, 0.10, 0.50, 0.90, 0.95)


@pytest.fixture(scope="module")
def weeks() -> pd.DataFrame:
    """Two pairs of a SKU over eight weeks; the second week was closed to the second pair, and the year before to the first."""
    columns: dict[str, object] = {"retailer_id": ["P", "Q"], "sku_id": ["S", "S"], "mean_13w": pa.array([2.0, None])}
    for h in HORIZONS:
        columns |= {f"target_{h}": pa.array([float(h), None if h == 2 else 4.0]), f"naive_{h}": pa.array([None, 3.0])}
    forecasts = {
        h: DemandForecast(np.array([h + 1.0, 4.0]), np.array([0.1 * h, 0.9]), np.outer([h, 4.0], [0, 0, 1, 1.5, 2])) for h in HORIZONS
    }
    return judged_weeks(pa.table(columns), forecasts, LEVELS)


def test_weeks_that_were_closed_are_not_judged(weeks: pd.DataFrame) -> None:
    assert len(weeks) == 15
    assert sorted(set(HORIZONS) - set(weeks[weeks["retailer_id"] == "Q"]["horizon_weeks"])) == [2]


def test_every_forecast_stands_beside_what_came(weeks: pd.DataFrame) -> None:
    third = weeks[weeks["horizon_weeks"] == 3]
    names = ["actual", "model", "seasonal_naive", "recent_mean", "p_order", "q0.5", "q0.95"]
    assert third["retailer_id"].tolist() == ["P", "Q"]
    np.testing.assert_allclose(third[names], [[3, 4, 2, 2, 0.3, 3, 6], [4, 4, 3, 0, 0.9, 4, 8]])


def test_a_week_at_a_floor_is_told_from_those_in_which_an_order_is_known(weeks: pd.DataFrame) -> None:
    assert weeks.order_known.all()
    pairs = pa.table(
        {"retailer_id": ["P", "Q"], "sku_id": ["S", "S"], "mean_13w": [2.0, 1.0], "target_1": [0.1, 3.0], "naive_1": [1.0, 1.0]}
    )
    forecast = {1: DemandForecast(np.ones(2), np.ones(2), np.ones((2, len(LEVELS))))}
    floored = pairs.append_column("target_1_floored", pa.array([True, False]))
    assert judged_weeks(floored, forecast, LEVELS).order_known.tolist() == [False, True]


def test_the_model_and_the_baselines_are_judged_alike(weeks: pd.DataFrame) -> None:
    figures = compare_forecasts(weeks, LEVELS)
    actual = 36 + 28
    assert figures["model.pair_week_wape_loss"] == pytest.approx(8 / actual)
    assert figures["recent_mean.pair_week_wape_loss"] == pytest.approx((sum(abs(h - 2) for h in HORIZONS) + 28) / actual)
    assert figures["recent_mean.pair_8w_wape_loss"] == pytest.approx((36 - 16 + 28) / actual)
    assert figures["seasonal_naive.bias"] == pytest.approx((16 + 21 - actual) / actual)
    assert figures["seasonal_naive.sku_week_wape_loss"] == pytest.approx(
        sum(abs(h + 4 - 2 - 3) if h != 2 else 0 for h in HORIZONS) / actual
    )
    assert figures["model.sku_8w_wape_loss"] == pytest.approx(8 / actual)
    assert (figures["model.coverage_80"], figures["model.coverage_90"]) == (1, 1)
    kinds = {name.split(".")[1] for name in figures if name.startswith("model.")}
    for baseline in FORECASTS[1:]:
        assert {name.split(".")[1] for name in figures if name.startswith(f"{baseline}.")} == kinds - {"coverage_80", "coverage_90"}


def test_a_baseline_takes_its_point_for_every_quantile(weeks: pd.DataFrame) -> None:
    figures = compare_forecasts(weeks, LEVELS)
    actual = weeks["actual"].to_numpy()
    points = np.repeat(weeks["recent_mean"].to_numpy()[:, None], len(LEVELS), axis=1)
    assert figures["recent_mean.pinball_loss"] == pytest.approx(pinball_loss(actual, points, LEVELS))
    quantiles = weeks[[f"q{level}" for level in LEVELS]].to_numpy()
    assert figures["model.pinball_loss"] == pytest.approx(pinball_loss(actual, quantiles, LEVELS))


def test_calibrated_quantiles_are_judged_by_week_and_by_total() -> None:
    actual = np.array([[0.0] * 7 + [8.0], [5.0] * 8, [5.0] * 7 + [np.nan]])
    quantiles = np.broadcast_to([0.0, 4.0, 6.0], (3, 8, 3))
    figures = compare_calibrated(actual, quantiles, (0.5, 0.9, 0.95), np.array([[0.0, 7.0], [40.0, 41.0], [0.0, 1.0]]))
    assert figures["calibrated.at_most_q90"] == pytest.approx(7 / 23)
    assert figures["calibrated.at_most_q95"] == pytest.approx(22 / 23)
    assert figures["calibrated.total_coverage_80"] == pytest.approx(1 / 2)
    known = ~np.isnan(actual)
    assert figures["calibrated.pinball_loss"] == pytest.approx(pinball_loss(actual[known], quantiles[known], (0.5, 0.9, 0.95)))


def test_no_total_is_judged_where_every_pair_has_a_closed_week() -> None:
    actual = np.array([[1.0] * 7 + [np.nan]])
    assert "calibrated.total_coverage_80" not in compare_calibrated(actual, np.ones((1, 8, 2)), (0.9, 0.95), np.zeros((1, 2)))


def test_chances_of_an_order_are_compared_with_how_often_there_was_one() -> None:
    rng = np.random.default_rng(1)
    chance = rng.random(20_000)
    judged = pd.DataFrame({"p_order": chance, "actual": 5.0 * (rng.random(20_000) < chance)})
    table = order_calibration(judged)
    assert table["weeks"].tolist() == [2000] * 10
    assert (table["predicted"] - table["observed"]).abs().max() < 0.04
    assert table["predicted"].is_monotonic_increasing
    doubled = order_calibration(judged.assign(p_order=chance / 2), bins=4)
    assert (doubled["observed"] / doubled["predicted"]).tolist() == pytest.approx([2] * 4, rel=0.1)


def test_bins_are_of_equal_size_where_all_chances_are_alike() -> None:
    table = order_calibration(pd.DataFrame({"p_order": [0.5] * 20, "actual": [0.0, 1.0] * 10}))
    assert table["weeks"].tolist() == [2] * 10
