"""Lifetime value: the constant case in closed form, and the laws of survival and value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.attrition import ASSUMED_WEEKLY_HAZARD, return_shares, weekly_hazards
from models.lifetime_value import Outlook, ValueSettings, discounted_value, lifetime_values, survival

SETTINGS = ValueSettings(horizon_weeks=104, yearly_discount_rate=0.08, cost_per_order=2.0, cost_per_visit=10.0, recent_weight=0.5)


def outlook(**changed: float) -> Outlook:
    """One retailer that brings 100 a week, unless ``changed`` says otherwise."""
    usual = {
        "p_stopped": 0.0,
        "weekly_hazard": 0.0,
        "near_margin": 800.0,
        "level_margin": 100.0,
        "weekly_orders": 0.0,
        "weekly_visits": 0.0,
    }
    return Outlook(**{name: np.array([value]) for name, value in (usual | changed).items()})


@given(retention=st.floats(0.05, 0.98), rate=st.floats(0.01, 0.5), margin=st.floats(-100, 1000))
def test_a_constant_margin_and_retention_without_end_is_worth_the_closed_form(retention: float, rate: float, margin: float) -> None:
    lives = retention ** np.arange(1.0, 2001.0)[None, :]
    expected = margin * retention / (1 + rate - retention)
    assert discounted_value(lives, margin, rate)[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_whole_of_it_meets_the_closed_form_too() -> None:
    settings = ValueSettings(horizon_weeks=4000, yearly_discount_rate=0.08, cost_per_order=2.0, cost_per_visit=10.0, recent_weight=0.5)
    hazard = 0.01
    lives = survival([0.0], [hazard], 8).mean()
    one = outlook(weekly_hazard=hazard, near_margin=800.0 * lives, weekly_orders=1.0, weekly_visits=0.5)
    rate, retention = 1.08 ** (1 / 52) - 1, np.exp(-hazard)
    assert lifetime_values(one, 1.0, settings)[0] == pytest.approx((100 - 2 - 5) * retention / (1 + rate - retention), rel=1e-9)


def test_without_discount_stopping_and_costs_value_is_the_sum_of_the_margins() -> None:
    free = ValueSettings(horizon_weeks=52, yearly_discount_rate=0.0, cost_per_order=0.0, cost_per_visit=0.0, recent_weight=0.0)
    assert lifetime_values(outlook(near_margin=400.0), 1.0, free)[0] == pytest.approx(400 + 44 * 100)


def test_a_season_in_the_weeks_forecast_does_not_raise_the_level_beyond() -> None:
    free = ValueSettings(horizon_weeks=52, yearly_discount_rate=0.0, cost_per_order=0.0, cost_per_visit=0.0, recent_weight=1.0)
    assert lifetime_values(outlook(near_margin=1600.0), 2.0, free)[0] == pytest.approx(1600 + 44 * 100)


def test_a_retailer_that_brings_less_than_it_costs_is_worth_less_than_nothing() -> None:
    assert lifetime_values(outlook(near_margin=8.0, level_margin=1.0, weekly_orders=1.0), 1.0, SETTINGS)[0] < 0


@given(first=st.floats(0, 1), second=st.floats(0, 1), hazard=st.floats(0, 0.2), more=st.floats(0, 0.2))
def test_survival_never_rises_and_falls_with_the_risk(first: float, second: float, hazard: float, more: float) -> None:
    low, high = sorted((first, second))
    lives = survival([low, high], [hazard, hazard + more], 60)
    assert (np.diff(lives, axis=1) <= 0).all()
    assert (lives[0] >= lives[1]).all()
    assert ((lives >= 0) & (lives <= 1)).all()


@given(risk=st.floats(0, 0.99), more=st.floats(0, 0.5))
def test_a_riskier_retailer_with_the_same_forecast_is_never_worth_more_beyond_it(risk: float, more: float) -> None:
    free = ValueSettings(horizon_weeks=104, yearly_discount_rate=0.08, cost_per_order=0.0, cost_per_visit=0.0, recent_weight=0.0)
    safe = lifetime_values(outlook(p_stopped=risk), 1.0, free)[0]
    assert lifetime_values(outlook(p_stopped=min(1.0, risk + more)), 1.0, free)[0] <= safe + 1e-6


def past(**changed: list[int]) -> pd.DataFrame:
    """What became of retailers of past cut-offs."""
    usual = {"silent_weeks": [0, 10, 40], "silent_gaps": [1, 2, 9], "order_weeks": [26, 10, 0], "retailers": [1000, 100, 50]}
    usual |= {"ordered_first": [980, 50, 5], "ordered_second": [950, 40, 6], "ordered_either": [980, 50, 8]}
    return pd.DataFrame(usual | changed)


def test_the_hazard_is_that_of_active_retailers_who_ordered_in_the_first_half_year_only() -> None:
    assert weekly_hazards(past(), [26.0])[0] == pytest.approx(-np.log(950 / 980) / 26)


def test_who_has_been_silent_for_longer_comes_back_less_often() -> None:
    shares = return_shares(past(), [0.0, 5.0, 10.0, 20.0, 40.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    assert (np.diff(shares) <= 0).all()
    assert shares[0] == pytest.approx(0.98, abs=0.001)
    assert shares[-1] == pytest.approx(0.1, abs=0.02)


def test_of_two_silent_as_long_the_one_with_the_longer_gaps_comes_back_more_often() -> None:
    patient, hasty = return_shares(past(), [10.0, 10.0], [1.5, 10.0])
    assert patient == pytest.approx(0.5, abs=0.02)
    assert hasty == pytest.approx(0.1, abs=0.02)


def test_without_past_cut_offs_there_is_an_assumed_hazard() -> None:
    nobody = past().head(0)
    assert weekly_hazards(nobody, [26.0, 1.0]).tolist() == [ASSUMED_WEEKLY_HAZARD] * 2
    assert return_shares(nobody, [0.0, 51.0], [1.0, 60.0]).tolist() == [1.0, 0.0]
