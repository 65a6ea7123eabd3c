"""A forecast taken apart sums to the forecast, whatever the scores, and gives to each feature what the trees took from it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.weeks import HORIZONS
from models.demand import DemandModel, DemandSettings, fit_demand
from models.explanation import logarithmic_mean, mean_parts, shown_value, units_of_contributions
from models.stacking import feature_space, level_units, sample_rows

CALENDAR = [{"holiday_days": 3.0 if horizon in (2, 7) else 0.0} for horizon in HORIZONS]
SETTINGS = DemandSettings(
    rounds=40,
    order_rounds=5,
    members=2,
    most_rows=2_000_000,
    leaves=15,
    min_rows_per_leaf=20,
    learning_rate=0.2,
    feature_fraction=1.0,
    max_bin=63,
    max_delta_step=0.7,
    threads=1,
    seed=1,
)


def pairs_of(n: int, seed: int) -> pa.Table:
    """Pairs that want twice their level in the weeks of a holiday, and half of it in one tier."""
    rng = np.random.default_rng(seed)
    level, half = rng.gamma(2.0, 3.0, n), rng.random(n) < 0.5
    columns: dict[str, object] = {f"mean_{weeks}w": rng.poisson(level * weeks) / weeks for weeks in (13, 26, 52)}
    columns |= {"peer_units": np.full(n, 6.0), "tier": np.where(half, "T2", "T1")}
    for horizon, week in zip(HORIZONS, CALENDAR, strict=True):
        wanted = level * np.where(half, 0.5, 1.0) * (2.0 if week["holiday_days"] else 1.0)
        columns |= {f"target_{horizon}": rng.poisson(wanted).astype(float), f"season_{horizon}": np.ones(n)}
    return pa.table(columns)


@pytest.fixture(scope="module")
def model() -> DemandModel:
    pairs = pairs_of(2_000, 1)
    space = feature_space(pairs, ["mean_13w", "mean_26w", "mean_52w", "peer_units"], ["season"], ["holiday_days"], ["tier"])
    return fit_demand(sample_rows(space, pairs, CALENDAR, HORIZONS, 8 * pairs.num_rows, seed=1), space, SETTINGS)


def test_the_parts_of_a_forecast_sum_to_what_the_model_forecasts(model: DemandModel) -> None:
    unseen = pairs_of(300, 2)
    forecasts = model.predict(unseen, CALENDAR, (0.5,), threads=1)
    for horizon, parts in mean_parts(model, unseen, CALENDAR, threads=1).items():
        assert parts.feature_units.shape == (300, len(model.space.names))
        np.testing.assert_array_equal(parts.level_units, level_units(unseen))
        sums = parts.level_units + parts.average_units + parts.feature_units.sum(axis=1)
        np.testing.assert_allclose(sums, parts.mean_units, rtol=1e-12)
        np.testing.assert_allclose(parts.mean_units, forecasts[horizon].mean_units, rtol=1e-9)


def test_what_moves_demand_is_given_the_units(model: DemandModel) -> None:
    unseen = pairs_of(400, 3)
    parts = mean_parts(model, unseen, CALENDAR, threads=1)
    holiday, tier = model.space.names.index("holiday_days"), model.space.names.index("tier")
    lowered = np.asarray(unseen["tier"].to_pylist()) == "T2"
    for horizon, week in zip(HORIZONS, CALENDAR, strict=True):
        assert ((parts[horizon].feature_units[:, holiday] > 0) == bool(week["holiday_days"])).all()
    assert (parts[1].feature_units[lowered, tier] < 0).all()
    assert (parts[1].feature_units[~lowered, tier] > 0).all()
    assert [shown_value(model.space, "tier", value) for value in parts[1].values[:, tier]] == unseen["tier"].to_pylist()


def test_without_any_tree_all_of_the_forecast_is_the_level() -> None:
    units, mean = units_of_contributions(np.zeros((2, 3)), np.array([0.01, 40.0]))
    assert units.tolist() == np.zeros((2, 3)).tolist()
    assert mean.tolist() == [0.01, 40.0]


@given(st.lists(st.floats(-6, 6, allow_subnormal=False), min_size=1, max_size=30), st.floats(0.01, 1e4))
def test_units_of_contributions_leave_no_rest_and_have_their_signs(contributions: list[float], level: float) -> None:
    units, mean = units_of_contributions(np.array([contributions]), np.array([level]))
    # a contribution may be many times the sum in which it is nearly cancelled out
    largest = np.abs(units).max() + level + mean[0]
    assert abs(units.sum() + level - mean[0]) <= 1e-11 * largest
    assert (np.sign(units[0]) == np.sign(contributions)).all()


@given(st.floats(-20, 20), st.floats(0.01, 1e4))
def test_the_logarithmic_mean_lies_between_its_arguments_and_is_their_quotient(score: float, level: float) -> None:
    (found,) = logarithmic_mean(np.array([level]), np.array([score]))
    mean = level * np.exp(score)
    assert min(level, mean) * (1 - 1e-12) <= found <= max(level, mean) * (1 + 1e-12)
    if abs(score) > 1e-3:
        assert found == pytest.approx((mean - level) / np.log(mean / level), rel=1e-9)


@pytest.mark.parametrize("score", [9.9e-6, 1e-5, 1.01e-5, -9.9e-6, -1.01e-5])
def test_the_series_near_zero_meets_the_quotient(score: float) -> None:
    (found,) = logarithmic_mean(np.ones(1), np.array([score]))
    assert found == pytest.approx(np.expm1(score) / score, rel=1e-10)


def test_an_unknown_value_is_shown_as_none(model: DemandModel) -> None:
    assert shown_value(model.space, "tier", float("nan")) is None
    assert shown_value(model.space, "mean_13w", 2.5) == 2.5
