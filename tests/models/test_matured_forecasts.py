"""Whether a forecast of true demand is judged by what could be seen, so that a cap is no error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.matured_forecasts import (
    at_most_estimate,
    bias_estimate,
    coverage_estimate,
    grouped_wape,
    pinball_estimate,
    relative_bias,
    seen_weeks,
    value_added,
)

QUANTILES = {"q10": 0.1, "q50": 0.5, "q90": 0.9}


def weeks_of(rng: np.random.Generator, retailers: int, rate: float = 1.0) -> pd.DataFrame:
    """Exponential demand of mean ten times the rate, forecast as of mean ten; every second retailer has a cap of 8."""
    demand = rng.exponential(10.0 * rate, size=(retailers, 20)).ravel()
    retailer = np.repeat(np.arange(retailers), 20)
    caps = np.where(retailer % 2 == 0, 8.0, np.nan)
    return pd.DataFrame(
        {
            "retailer_id": retailer,
            "tier": retailer % 3,
            "sku_id": np.tile(np.arange(20), retailers),
            "delivered_units": np.fmin(demand, caps),
            "cap_units": caps,
            "mean_units": 10.0,
            "p_order": 1.0,
            "naive": rng.exponential(10.0, size=demand.size),
            "recent": 6.0,
            **{name: -10.0 * np.log1p(-level) for name, level in QUANTILES.items()},
        }
    )


def seen(weeks: pd.DataFrame) -> pd.DataFrame:
    expected = 10.0 * (1.0 - np.exp(-weeks.cap_units.to_numpy() / 10.0))
    return seen_weeks(weeks, expected, list(QUANTILES))


def test_a_right_forecast_has_no_bias_under_caps_although_less_than_it_came() -> None:
    weeks = seen(weeks_of(np.random.default_rng(1), 400))
    found = bias_estimate(weeks)
    assert found is not None
    assert abs(found.value) < 3 * found.error < 0.1
    assert weeks.mean_units.sum() / weeks.actual.sum() > 1.25


def test_the_error_of_the_bias_is_that_of_draws_of_retailers() -> None:
    found = [bias_estimate(seen(weeks_of(np.random.default_rng(seed), 60))) for seed in range(150)]
    values, errors = np.array([each.value for each in found if each]), np.array([each.error for each in found if each])
    assert errors.mean() == pytest.approx(values.std(), rel=0.2)


def test_a_part_that_orders_more_stands_out_and_the_rest_does_not() -> None:
    rng = np.random.default_rng(3)
    usual, grown = weeks_of(rng, 300), weeks_of(rng, 60, rate=1.6)
    together = seen(
        pd.concat([usual.assign(part="usual"), grown.assign(part="grown", retailer_id=grown.retailer_id + 1000)]).reset_index(drop=True)
    )
    found = relative_bias(together[together.part == "grown"], together[together.part == "usual"])
    assert found is not None
    assert found.value < -0.15
    assert found.value < -3.3 * found.error
    # what grows for everybody is no part's alone
    everybody = together.assign(actual=1.6 * together.actual)
    alike = relative_bias(everybody[everybody.part == "grown"], everybody[everybody.part == "usual"])
    assert alike is not None
    assert alike.value == pytest.approx(found.value)


def test_quantiles_that_reach_the_cap_hold_everything_and_are_expected_to() -> None:
    weeks = seen(weeks_of(np.random.default_rng(4), 400))
    capped = at_most_estimate(weeks[weeks.cap_units.notna()], "q90", 0.9)
    assert (capped.value, capped.baseline) == (1.0, 1.0)
    free = at_most_estimate(weeks[weeks.cap_units.isna()], "q90", 0.9)
    assert free.baseline == pytest.approx(0.9)
    assert abs(free.value - 0.9) < 3 * free.error
    inside = coverage_estimate(weeks, ("q10", 0.1), ("q90", 0.9))
    assert inside.baseline is not None
    assert abs(inside.value - inside.baseline) < 3 * inside.error < 0.03


def test_where_nothing_is_likely_a_quantile_of_zero_is_expected_to_hold_more_than_its_level() -> None:
    weeks = weeks_of(np.random.default_rng(5), 10).assign(q90=0.0, p_order=0.03)
    assert at_most_estimate(seen(weeks), "q90", 0.9).baseline == pytest.approx(0.97)


def test_the_forecast_saves_the_error_of_one_that_is_always_too_low() -> None:
    weeks = seen(weeks_of(np.random.default_rng(6), 200))
    added = value_added(weeks, "recent", ["tier", "sku_id"])
    own, simple = (grouped_wape(weeks, name, ["tier", "sku_id"]) for name in ("expected", "recent"))
    assert added is not None
    assert own is not None
    assert simple is not None
    assert added.value == pytest.approx(1 - own / simple)
    assert added.value > 5 * added.error


def test_the_right_quantiles_have_the_least_pinball_loss() -> None:
    weeks = weeks_of(np.random.default_rng(7), 200)
    right = pinball_estimate(seen(weeks), QUANTILES)
    half = pinball_estimate(seen(weeks.assign(**{name: weeks[name] / 2 for name in QUANTILES})), QUANTILES)
    assert right is not None
    assert half is not None
    assert right < half


def test_weeks_without_any_order_have_no_relative_figures() -> None:
    nothing = seen(weeks_of(np.random.default_rng(8), 4).assign(delivered_units=0.0))
    assert bias_estimate(nothing) is None
    assert pinball_estimate(nothing, QUANTILES) is None
    assert grouped_wape(nothing, "expected", ["sku_id"]) is None
