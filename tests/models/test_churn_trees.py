"""Do trees that are shown few columns each know the horizon?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from contracts.weeks import CHURN_HORIZONS
from models import churn_trees
from models.churn_columns import HORIZON, ChurnColumns
from models.churn_trees import ChurnSettings, TreeHalves, grow_halves

SETTINGS = ChurnSettings(rounds=150, leaves=8, learning_rate=0.06, min_rows_per_leaf=80, feature_share=0.15, members=2, threads=1)
COLUMNS = ChurnColumns(tuple(f"noise_{k}" for k in range(20)), ("noise",) * 20, {})
OF_HORIZON = {4: 0.2, 8: 0.08, 13: 0.03, 26: 0.01}


def shops(seed: int, n_retailers: int = 15_000) -> pd.DataFrame:
    """Shops of which nothing but the horizon tells anything."""
    random = np.random.default_rng(seed)
    retailers = pd.DataFrame(random.random((n_retailers, 20)), columns=list(COLUMNS.features)).assign(
        retailer_id=[f"R{number}" for number in range(n_retailers)], patience=random.random(n_retailers)
    )
    parts = [retailers.assign(horizon_weeks=weeks, no_order=retailers.patience < OF_HORIZON[weeks]) for weeks in CHURN_HORIZONS]
    return pd.concat(parts, ignore_index=True)


def said(trees: TreeHalves, rows: pd.DataFrame) -> pd.Series:
    p = expit(trees.odds(rows, rows[HORIZON]).mean(axis=0))
    return pd.Series(p).groupby(rows[HORIZON].to_numpy()).mean()


def test_trees_that_see_a_seventh_of_the_columns_tell_the_horizons_apart() -> None:
    rows = shops(seed=1)
    told = said(grow_halves(rows, "no_order", COLUMNS, SETTINGS, members=2), rows)

    assert told.to_numpy() == pytest.approx([OF_HORIZON[weeks] for weeks in CHURN_HORIZONS], rel=0.3)


def test_a_model_of_an_earlier_version_which_saw_the_horizon_once_still_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = shops(seed=2, n_retailers=1000)
    monkeypatch.setattr(churn_trees, "HORIZON_SEEN", 0.0)
    earlier = grow_halves(rows, "no_order", COLUMNS, SETTINGS, members=2)
    monkeypatch.undo()

    again = TreeHalves.from_text(earlier.to_text(), COLUMNS, threads=1)
    told = said(again, rows)

    assert np.isfinite(told).all()
    assert told.is_monotonic_decreasing
    assert list(again.gains()["feature"].sort_values()) == sorted([*COLUMNS.features, HORIZON])
    assert again.contributions(rows.iloc[:5], 13).shape == (5, 20)


def test_the_gain_of_all_columns_of_the_horizon_is_told_as_one() -> None:
    gains = grow_halves(shops(seed=3), "no_order", COLUMNS, SETTINGS, members=2).gains()

    assert gains.iloc[0]["feature"] == HORIZON
    assert gains["gain_share"].sum() == pytest.approx(1.0)
