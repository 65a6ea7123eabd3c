"""Whether the bounds of probabilities of churn hold what they say, where the true probabilities are known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

from contracts.weeks import CHURN_HORIZONS
from models.calibrated_trees import CalibratedTrees, fit_calibrated_trees
from models.churn_columns import ChurnColumns
from models.churn_interval import curves_of_odds, nested, odds_bounds, rate_bounds
from models.churn_trees import ChurnSettings

COLUMNS = ChurnColumns(("trait", "mood"), ("silence", "volume"), {})
SETTINGS = ChurnSettings(rounds=80, leaves=6, learning_rate=0.08, min_rows_per_leaf=60, feature_share=1.0, members=8, threads=1)


def market(seed: int, n_retailers: int, origins: int) -> pd.DataFrame:
    """Retailers whose traits last over the origins, with the true probability of no order."""
    random = np.random.default_rng(seed)
    lasting, parts = random.normal(0, 1, n_retailers), []
    for origin in range(origins):
        shops = pd.DataFrame({"retailer_id": [f"{seed}-{number}" for number in range(n_retailers)]})
        shops["as_of"] = date(2018, 1, 7) + timedelta(weeks=4 * origin)
        shops["trait"] = 0.8 * lasting + 0.6 * random.normal(0, 1, n_retailers)
        shops["mood"] = random.normal(0, 1, n_retailers)
        stops = expit(-2.5 + shops["trait"] + 0.5 * np.maximum(shops["mood"], 0))
        next_order = np.where(random.random(n_retailers) < stops, 999, random.geometric(0.35, n_retailers))
        for weeks in CHURN_HORIZONS:
            true = stops + (1 - stops) * 0.65**weeks
            parts.append(shops.assign(horizon_weeks=weeks, no_order=next_order > weeks, true=true))
    return pd.concat(parts, ignore_index=True)


def fitted(seed: int) -> CalibratedTrees:
    train, calibrate = market(seed, 1000, 6), market(seed + 1, 1000, 3)
    return fit_calibrated_trees(train, calibrate, pd.concat([train, calibrate], ignore_index=True), "no_order", COLUMNS, SETTINGS)


def test_about_nine_of_ten_intervals_hold_the_true_probability() -> None:
    later = market(99, 1500, 1)
    truth = np.column_stack([later.loc[later.horizon_weeks == weeks, "true"] for weeks in CHURN_HORIZONS])
    shops = later[later.horizon_weeks == CHURN_HORIZONS[0]]
    held, widths = [], []
    for seed in (10, 20):
        curves = fitted(seed).curves(shops, CHURN_HORIZONS)
        held.append(((curves.low <= truth) & (truth <= curves.high)).mean())
        widths.append((curves.high - curves.low).mean())
    assert 0.85 <= np.mean(held) <= 0.99
    assert np.mean(widths) < 0.15


def test_more_retailers_make_narrower_bounds() -> None:
    shops = market(99, 500, 1).query("horizon_weeks == 4")
    few, many = market(5, 150, 6), market(5, 1500, 6)
    width = []
    for rows in (few, many):
        curves = fit_calibrated_trees(rows, rows, rows, "no_order", COLUMNS, SETTINGS).curves(shops, CHURN_HORIZONS)
        width.append((curves.high - curves.low).mean())
    assert width[1] < 0.7 * width[0]


odds_grids = arrays(np.float64, (5, 4), elements=st.floats(-8, 8))


@given(odds_grids, arrays(np.float64, (5, 4), elements=st.floats(0, 9)))
def test_bounds_hold_the_curve_and_none_rises_with_the_horizon(odds: npt.NDArray[np.float64], variance: npt.NDArray[np.float64]) -> None:
    curves = curves_of_odds(np.minimum.accumulate(odds, axis=1), variance)
    assert (curves.low <= curves.p).all()
    assert (curves.p <= curves.high).all()
    for numbers in (curves.p, curves.low, curves.high):
        assert (np.diff(numbers, axis=1) <= 0).all()


@given(odds_grids, odds_grids)
def test_nested_bounds_are_never_narrower(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> None:
    low, high = np.minimum(one, other), np.maximum(one, other)
    lower, higher = nested(low, high)
    assert (lower <= low).all()
    assert (higher >= high).all()


def test_an_unknown_variance_gives_unknown_bounds() -> None:
    low, high = odds_bounds([0.0], [np.nan])
    assert np.isnan(low).all()
    assert np.isnan(high).all()


@given(st.floats(0, 1), st.integers(0, 5000))
def test_the_bounds_of_a_rate_hold_it(rate: float, retailers: int) -> None:
    low, high = rate_bounds([rate], [retailers])
    assert 0 <= low[0] <= rate <= high[0] <= 1
