"""Who is promoted: on simulated retailers whose probability of stopping is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from models.baseline_scores import SIMPLEST_FIRST
from models.promotion_gate import MODEL, Challenge, Gate, challenge

ORIGINS = 3


def challenged(n_retailers: int, noise: dict[str, float], gate: Gate | None = None, seed: int = 1) -> Challenge:
    """Let forecasts compete that know the log-odds of stopping up to a noise of so many standard deviations."""
    random = np.random.default_rng(seed)
    retailers = np.repeat(np.arange(n_retailers), ORIGINS)
    odds = np.repeat(random.normal(-3, 1.5, n_retailers), ORIGINS)
    outcomes = random.random(len(odds)) < expit(odds)
    forecasts = {name: expit(odds + spread * random.normal(size=len(odds))) for name, spread in noise.items()}
    return challenge(outcomes, forecasts, retailers, gate=gate)


NOISY = dict.fromkeys(SIMPLEST_FIRST, 1.5)
FAST = Gate(resamples=60)


def test_a_model_ahead_of_every_baseline_is_promoted() -> None:
    judged = challenged(1000, NOISY | {MODEL: 0.0}, FAST)
    assert judged.chosen == MODEL
    assert "ahead of every rival" in judged.verdict
    brier = judged.differences.query("metric == 'brier_loss'")
    assert (brier["high"] < 0).all()
    assert len(judged.table) == len(set(judged.table["metric"])) * 6


def test_a_baseline_ahead_of_the_model_is_promoted_and_the_verdict_says_so() -> None:
    judged = challenged(1000, NOISY | {"log_rfm": 0.0, MODEL: 1.0}, FAST)
    assert judged.chosen == "log_rfm"
    assert "recency, frequency and money is promoted" in judged.verdict
    assert "the model is not ahead of recency, frequency and money in AUC, Brier loss, expected profit" in judged.verdict


def test_logistic_regression_on_all_features_has_no_veto() -> None:
    judged = challenged(800, NOISY | {"all_features": 0.0, MODEL: 0.3})
    assert judged.chosen == MODEL
    measured = judged.differences.query("baseline == 'all_features' and metric == 'brier_loss'")
    assert (measured["low"] > 0).tolist() == [True]


def test_of_equal_forecasts_the_simplest_is_promoted() -> None:
    judged = challenged(800, dict.fromkeys((*SIMPLEST_FIRST, MODEL), 0.0), FAST)
    assert judged.chosen == "recency"


def test_being_ahead_by_chance_is_not_enough() -> None:
    # A hair's breadth: ahead in points on these rows, with an interval that holds 0.
    spread = {"recency": 0.5, MODEL: 0.4}
    judged = [challenged(300, spread, Gate(least_events=events), seed=2) for events in (1, 10_000)]
    by_interval, by_figures = judged
    brier = by_interval.differences.set_index("metric").loc["brier_loss"]
    assert brier["estimate"] < 0 < brier["high"]
    assert (by_interval.chosen, by_figures.chosen) == ("recency", MODEL)
    assert "Brier loss beyond chance" in by_interval.verdict
    assert "too few for an interval (expected at least 10000): the figures alone decided" in by_figures.verdict


def test_values_decide_whose_loss_counts() -> None:
    random = np.random.default_rng(5)
    large = np.tile([True, False], 1500)
    outcomes = random.random(3000) < 0.2
    knows_large = np.where(large, np.where(outcomes, 0.8, 0.05), 0.2)
    knows_small = np.where(large, 0.2, np.where(outcomes, 0.8, 0.05))
    forecasts = {"recency": knows_small, MODEL: knows_large}
    judged = challenge(outcomes, forecasts, np.arange(3000), values=np.where(large, 1000.0, 10.0))
    profit = judged.differences.set_index("metric").loc["expected_profit_score"]
    assert profit["low"] > 0


def test_unknown_values_are_the_mean_of_the_others() -> None:
    outcomes, p = np.array([True, False, True, False]), {"recency": [0.5] * 4, MODEL: [0.9, 0.1, 0.8, 0.2]}
    gate = Gate(resamples=10)
    unknown = challenge(outcomes, p, range(4), values=[10.0, np.nan, 30.0, np.nan], gate=gate)
    known = challenge(outcomes, p, range(4), values=[10.0, 20.0, 30.0, 20.0], gate=gate)
    assert unknown.table["estimate"].tolist() == pytest.approx(known.table["estimate"].tolist(), nan_ok=True)


def test_without_an_outcome_to_judge_by_the_model_stays_and_the_verdict_says_so() -> None:
    judged = challenge([False] * 4, {"recency": [0.1] * 4, MODEL: [0.2] * 4}, range(4))
    assert (judged.chosen, judged.events) == (MODEL, 0)
    assert "without a challenge" in judged.verdict
    assert judged.table.empty
