"""Checks that need no truth, on simulated markets whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contracts.scored import QUANTILES
from models.observable import (
    DENSE_LEVELS,
    PitHistogram,
    Staircase,
    at_cap_calibration,
    cap_check,
    coverage_by,
    pit_histogram,
    rationed_weeks,
    staircase,
    unlimited_weeks,
)

PACK = 6.0
SIZES, SHARES = PACK * np.arange(1, 7), np.array([0.45, 0.25, 0.12, 0.08, 0.06, 0.04])
"""Orders in packs, with a tail."""

P_ORDER = np.array([0.03, 0.08, 0.2, 0.4, 0.7, 0.95])


def quantiles_of(p_order: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """The quantiles of nothing with 1 - p, else a size."""
    cumulative = np.cumsum(SHARES)
    within = (np.asarray(levels) - (1 - p_order[:, None])) / p_order[:, None]
    positions = np.minimum(np.searchsorted(cumulative, within - 1e-12), SIZES.size - 1)
    return np.where(within > 1e-12, SIZES[positions], 0.0)


def simulated(n: int, seed: int, *, forecast_times: float = 1.0) -> pd.DataFrame:
    """Weeks of pairs of which a third stand under a cap; the forecast is the law itself, its chances of an order times a factor."""
    rng = np.random.default_rng(seed)
    p = rng.choice(P_ORDER, n)
    demand = np.where(rng.random(n) < p, rng.choice(SIZES, n, p=SHARES), 0.0)
    cap = np.where(rng.random(n) < 1 / 3, rng.choice([6.0, 12.0, 18.0], n), np.nan)
    told = np.clip(forecast_times * p, 0.0, 0.99)
    quantiles = {f"q{level}": column for level, column in zip(QUANTILES, quantiles_of(told, QUANTILES).T, strict=True)}
    drawn = pd.DataFrame({"actual": demand, "cap_units": cap, "delivered_units": np.fmin(demand, cap), "p_order": told, **quantiles})
    drawn["model"] = told * (SIZES * SHARES).sum()
    drawn["velocity"] = np.where(p > 0.5, "weekly", "rarer")
    return drawn.assign(band_cap_units=np.nan, floored=False)


def steps_of(weeks: pd.DataFrame) -> Staircase:
    p = weeks.p_order.to_numpy()
    return staircase(weeks.model.to_numpy(), p, quantiles_of(p, DENSE_LEVELS), DENSE_LEVELS)


def pit_of(weeks: pd.DataFrame) -> PitHistogram:
    steps, actual = steps_of(weeks), weeks.actual.to_numpy()
    return pit_histogram(1 - steps.p_at_least(actual), steps.p_at_most(actual))


def expecting(weeks: pd.DataFrame) -> pd.DataFrame:
    """Rationed weeks with what the forecast expects of them."""
    rows = rationed_weeks(weeks)
    steps, caps = steps_of(rows), rows.cap_units.to_numpy()
    return rows.assign(expected_units=steps.expected_under_cap(caps), p_at_cap=steps.p_at_least(caps))


def test_a_staircase_keeps_the_mean_and_the_chance_of_an_order() -> None:
    mean = P_ORDER * (SIZES * SHARES).sum()
    for levels in (QUANTILES, DENSE_LEVELS):
        steps = staircase(mean, P_ORDER, quantiles_of(P_ORDER, levels), levels)
        assert steps.shares.sum(axis=1) == pytest.approx(1.0)
        assert (steps.shares >= 0).all()
        assert (np.diff(steps.units, axis=1) >= 0).all()
        assert steps.shares[:, 0] == pytest.approx(1 - P_ORDER)
        assert steps.p_at_least(np.full(P_ORDER.size, 1e-9)) == pytest.approx(P_ORDER)
    assert (steps.shares * steps.units).sum(axis=1) == pytest.approx(mean, rel=0.01)


@pytest.mark.parametrize("cap", [6.0, 12.0, 18.0, 36.0])
def test_what_is_expected_under_a_cap_is_near_the_exact_value(cap: float) -> None:
    p = np.linspace(0.01, 0.95, 500)
    steps = staircase(p * (SIZES * SHARES).sum(), p, quantiles_of(p, DENSE_LEVELS), DENSE_LEVELS)
    caps = np.full(p.size, cap)
    assert steps.expected_under_cap(caps).sum() == pytest.approx((p * (np.minimum(SIZES, cap) * SHARES).sum()).sum(), rel=0.005)
    assert steps.p_at_least(caps) == pytest.approx(p * SHARES[cap <= SIZES].sum(), abs=0.0101)


def test_a_right_forecast_expects_the_orders_that_came() -> None:
    check = cap_check(expecting(simulated(60_000, 1))).iloc[0]
    assert check.gap == pytest.approx(0.0, abs=0.02)
    assert check.p_at_cap == pytest.approx(check.at_cap, abs=0.01)
    assert check.ordered_units == pytest.approx(check.expected_units, rel=0.02)


@pytest.mark.parametrize("times", [0.8, 1.3])
def test_a_wrong_level_shows_without_the_truth(times: float) -> None:
    rationed = expecting(simulated(60_000, 2, forecast_times=times))
    rarer = cap_check(rationed, "velocity").set_index("value").loc["rarer"]
    assert rarer.gap == pytest.approx(times - 1, abs=0.05)
    assert (rarer.p_at_cap > rarer.at_cap) == (times > 1)


def test_chances_at_the_cap_are_compared_in_bins_of_equal_size() -> None:
    table = at_cap_calibration(expecting(simulated(30_000, 3)), bins=5)
    assert table.weeks.max() - table.weeks.min() <= 1
    assert (table.predicted - table.observed).abs().max() < 0.03
    assert at_cap_calibration(expecting(simulated(10, 3)).iloc[:0]).empty


def test_weeks_are_chosen_by_limits_and_not_by_what_came() -> None:
    nothing = float("nan")
    caps, bands, floors = [6.0, 6.0, 6.0, nothing, nothing, 0.0], [nothing, 9.0, nothing, 9.0, nothing, nothing], [False, False, True] * 2
    weeks = pd.DataFrame({"cap_units": caps, "band_cap_units": bands, "floored": floors})
    assert rationed_weeks(weeks).index.tolist() == [0]
    assert unlimited_weeks(weeks).index.tolist() == [4]


def test_the_histogram_of_a_right_forecast_is_flat_and_that_of_a_wrong_one_is_not() -> None:
    right = pit_of(unlimited_weeks(simulated(60_000, 4)))
    assert right.shares.sum() == pytest.approx(1.0)
    assert right.heights == pytest.approx(np.ones(20), abs=0.12)
    assert right.distance < 0.02
    wrong = pit_of(unlimited_weeks(simulated(60_000, 4, forecast_times=0.5)))
    assert wrong.distance > 5 * right.distance
    assert wrong.heights[-1] > 1.3


def test_the_histogram_is_what_drawing_at_random_comes_to() -> None:
    rng = np.random.default_rng(5)
    low, high = np.array([0.0, 0.4, 0.62, 0.9, 0.97]), np.array([0.4, 0.81, 0.62, 1.0, 0.98])
    drawn = rng.uniform(low[:, None], high[:, None], (5, 40_000))
    counted, _ = np.histogram(drawn, np.arange(11) / 10)
    assert pit_histogram(low, high, bins=10).shares == pytest.approx(counted / drawn.size, abs=0.003)


def test_no_week_without_a_limit_is_no_fault() -> None:
    assert pit_of(simulated(5, 6).iloc[:0]).distance == 0.0


def test_coverage_knows_that_a_quantile_of_zero_holds_every_zero() -> None:
    table = coverage_by(unlimited_weeks(simulated(60_000, 7)), QUANTILES, "velocity").set_index("value")
    assert table["rows"].sum() == len(unlimited_weeks(simulated(60_000, 7)))
    assert table["at_most_0.25"]["rarer"] == pytest.approx(table["expected_0.25"]["rarer"], abs=0.01)
    assert table["expected_0.25"]["rarer"] > 0.8
    assert table["expected_0.95"]["weekly"] == 0.95
    assert (table["at_most_0.95"] >= 0.94).all()


def test_totals_are_covered_without_a_chance_of_an_order() -> None:
    totals = pd.DataFrame({"actual": [1.0, 2.0, 3.0, 4.0], "q0.5": 2.5, "velocity": "weekly"})
    row = coverage_by(totals, [0.5], "velocity").iloc[0]
    assert (row["rows"], row["at_most_0.5"], row["expected_0.5"]) == (4, 0.5, 0.5)
