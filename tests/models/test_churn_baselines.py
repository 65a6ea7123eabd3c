"""The baseline that every churn model has to beat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.churn_baselines import fit_recency_baseline


def test_the_curve_that_made_the_outcomes_is_found() -> None:
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"recency_weeks": random.integers(0, 8, 40_000), "horizon_weeks": random.choice([4, 8, 13, 26], 40_000)})
    truth = expit(0.5 + 1.2 * np.log1p(rows["recency_weeks"]) - 1.5 * np.log(rows["horizon_weeks"]))
    baseline = fit_recency_baseline(rows.assign(no_order=random.random(40_000) < truth))
    assert baseline.predict(rows) == pytest.approx(truth.to_numpy(), abs=0.05)


def test_longer_silence_is_a_higher_risk() -> None:
    rows = pd.DataFrame({"recency_weeks": [0, 0, 0, 7, 7, 7] * 50, "horizon_weeks": 13, "no_order": [0, 0, 1, 0, 1, 1] * 50})
    p_recent, p_silent = fit_recency_baseline(rows).predict(rows.iloc[[0, 3]])
    assert (p_recent, p_silent) == (pytest.approx(1 / 3, abs=0.01), pytest.approx(2 / 3, abs=0.01))
