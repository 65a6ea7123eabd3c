"""Metrics against loops that anyone can check."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.metrics import bias, coverage, forecast_value_added_score, grouped_wape_loss, pinball_loss, wape_loss

RNG = np.random.default_rng(1)
ACTUAL, FORECAST = RNG.poisson(3, 60).astype(float), RNG.uniform(0, 6, 60)
SHOP, SKU = RNG.integers(0, 4, 60), pd.Series(RNG.integers(0, 3, 60)).map({0: "A", 1: "B", 2: "C"})


def test_wape_is_the_sum_of_errors_over_the_sum_of_units() -> None:
    assert wape_loss(ACTUAL, FORECAST) == pytest.approx(sum(abs(a - f) for a, f in zip(ACTUAL, FORECAST, strict=True)) / sum(ACTUAL))
    assert wape_loss(ACTUAL, ACTUAL) == 0


def test_grouped_wape_sums_before_it_compares() -> None:
    errors = 0.0
    for shop in range(4):
        for sku in "ABC":
            member = (shop == SHOP) & SKU.eq(sku).to_numpy()
            errors += abs(FORECAST[member].sum() - ACTUAL[member].sum())
    assert grouped_wape_loss(ACTUAL, FORECAST, [SHOP.astype(float), SKU]) == pytest.approx(errors / ACTUAL.sum())
    assert grouped_wape_loss(ACTUAL, FORECAST, [np.arange(60.0)]) == pytest.approx(wape_loss(ACTUAL, FORECAST))


@pytest.mark.parametrize(("times", "expected"), [(1.0, 0.0), (0.9, -0.1), (1.5, 0.5)])
def test_bias_is_the_share_that_is_forecast_too_much(times: float, expected: float) -> None:
    assert bias(ACTUAL, times * ACTUAL) == pytest.approx(expected)


def test_pinball_weighs_what_lies_above_by_the_level_and_what_lies_below_by_the_rest() -> None:
    levels = [0.1, 0.5, 0.9]
    quantiles = np.column_stack([FORECAST, FORECAST + 1, FORECAST + 2])
    losses = [
        level * (actual - quantile) if actual >= quantile else (1 - level) * (quantile - actual)
        for actual, row in zip(ACTUAL, quantiles, strict=True)
        for level, quantile in zip(levels, row, strict=True)
    ]
    assert pinball_loss(ACTUAL, quantiles, levels) == pytest.approx(np.mean(losses) / ACTUAL.mean())


def test_pinball_is_least_at_the_true_quantile() -> None:
    units = np.random.default_rng(2).exponential(10, 20_000)
    losses = {q: pinball_loss(units, np.full((units.size, 1), np.quantile(units, q)), [0.8]) for q in (0.6, 0.7, 0.8, 0.9)}
    assert min(losses, key=lambda q: losses[q]) == 0.8


def test_coverage_counts_both_ends_in() -> None:
    assert coverage(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 0, 0]), np.array([1.0, 4, 3, 1])) == 0.5


def test_value_added_is_the_share_of_the_loss_saved() -> None:
    assert [forecast_value_added_score(loss, 0.8) for loss in (0.0, 0.4, 0.8, 1.2)] == [1, 0.5, 0, -0.5]
