"""Bands and money of a churn probability."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.errors import ConfigurationError
from models.risk import margin_at_risk, risk_bands


def test_a_threshold_belongs_to_the_band_above_it() -> None:
    p_churn = [0.0, 0.0499, 0.05, 0.15, 0.3999, 0.4, 1.0]
    assert risk_bands(p_churn).tolist() == ["low", "low", "watch", "high", "high", "critical", "critical"]


def test_thresholds_are_the_callers() -> None:
    assert risk_bands([0.05], (0.01, 0.02, 0.03)).tolist() == ["critical"]


@pytest.mark.parametrize("thresholds", [(0.1, 0.1, 0.2), (0.3, 0.2, 0.1), (0.1, 0.2)])
def test_thresholds_that_do_not_rise_are_refused(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(ConfigurationError, match=r"churn\.risk_thresholds"):
        risk_bands([0.1], thresholds)


def test_margin_at_risk_is_unknown_without_prices_and_never_negative() -> None:
    p_churn = np.array([[0.9, 0.8, 0.7, 0.5]] * 3)
    known, unknown, loss_maker = margin_at_risk(p_churn, [10.0, np.nan, -10.0])
    assert known == pytest.approx(0.5 * 26 * 10)
    assert np.isnan(unknown)
    assert loss_maker == 0
