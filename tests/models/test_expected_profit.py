"""The expected profit of a campaign against the integral it is the closed form of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from models.expected_profit import Campaign, ProfitSteps, break_even_acceptance, expected_profit_score

FloatArray = npt.NDArray[np.float64]


def integrated_profit(outcomes: FloatArray, scores: FloatArray, values: FloatArray, campaign: Campaign) -> float:
    """The profit of every cut-off for each acceptance, the best of them, and its mean by quadrature: no hull, no closed form."""
    contact = campaign.contact_share * values.mean()
    cut_offs = [np.inf, *np.unique(scores)]

    def best_profit(acceptance: float) -> float:
        gains = outcomes * (acceptance * values * (1 - campaign.incentive_share) - contact)
        costs = (1 - outcomes) * (campaign.incentive_share * values + contact)
        return max(float((gains - costs)[scores >= cut_off].sum()) for cut_off in cut_offs) / len(outcomes)

    law = beta(campaign.acceptance_alpha, campaign.acceptance_beta)
    return float(quad(lambda g: best_profit(g) * law.pdf(g), 0, 1, limit=200, epsabs=1e-7, epsrel=1e-7)[0])


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([0.0, 0.05, 0.3]), st.sampled_from([0.001, 0.1]))
@settings(max_examples=12, deadline=None)
def test_the_closed_form_is_the_integral(seed: int, one_value: bool, incentive_share: float, contact_share: float) -> None:
    random = np.random.default_rng(seed)
    outcomes = (random.random(40) < 0.3).astype(np.float64)
    scores = np.round(random.random(40) + 0.4 * outcomes, 1)
    values = np.full(40, 200.0) if one_value else random.lognormal(4, 1, 40)
    campaign = Campaign(incentive_share, contact_share)
    expected = integrated_profit(outcomes, scores, values, campaign)
    assert expected_profit_score(outcomes, scores, values, campaign) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_a_perfect_ranking_earns_what_the_paper_has() -> None:
    # Every leaving retailer contacted, for every acceptance above φ/(1−δ): ∫ (g·190 − 1) h(g) dg = .3·190 − 1 each.
    outcomes = np.repeat([1.0, 0.0], [10, 90])
    assert expected_profit_score(outcomes, outcomes, 200.0) == pytest.approx(0.1 * (0.3 * 190 - 1), abs=1e-6)


def test_nobody_is_contacted_where_that_would_lose_money() -> None:
    outcomes = np.repeat([1.0, 0.0], [1, 999])
    assert expected_profit_score(outcomes, np.zeros(1000), 200.0) == pytest.approx(0, abs=1e-9)


def test_who_ranks_valuable_retailers_first_earns_more() -> None:
    outcomes, values = np.ones(100), np.repeat([1000.0, 10.0], 50)
    campaign = Campaign(contact_share=0.1)
    assert expected_profit_score(outcomes, values, values, campaign) > expected_profit_score(outcomes, -values, values, campaign) + 10


@pytest.mark.parametrize("contact_share", [0.001, 0.02, 0.1])
def test_for_true_probabilities_the_order_of_break_even_is_best(contact_share: float) -> None:
    random = np.random.default_rng(3)
    p, values = random.beta(1, 2, 20_000), random.lognormal(4, 1.5, 20_000)
    outcomes, campaign = random.random(20_000) < p, Campaign(contact_share=contact_share)
    best = expected_profit_score(outcomes, -break_even_acceptance(p, values, campaign), values, campaign)
    for other in (p, p * values, values):
        assert best > 0.99 * expected_profit_score(outcomes, other, values, campaign)
    assert best > 1.01 * expected_profit_score(outcomes, p * values, values, campaign)


def test_with_one_value_for_all_break_even_is_the_order_of_the_probabilities() -> None:
    p = np.random.default_rng(1).random(100)
    assert np.argsort(break_even_acceptance(p, 7.0, Campaign())).tolist() == np.argsort(-p).tolist()


def test_a_retailer_worth_nothing_is_contacted_last() -> None:
    assert np.argmax(break_even_acceptance([0.9, 0.1, 0.0], [-5.0, 10.0, 20.0], Campaign())) in (0, 2)
    assert break_even_acceptance([0.9], [0.0], Campaign())[0] >= 0


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_weight_of_two_is_the_row_twice(seed: int) -> None:
    random = np.random.default_rng(seed)
    outcomes, scores = (random.random(30) < 0.4).astype(np.float64), np.round(random.random(30), 1)
    weights = random.integers(0, 3, 30).astype(np.float64)
    weights[0] = 1
    repeated = np.repeat(np.arange(30), weights.astype(int))
    weighted = ProfitSteps.along(outcomes, scores, 50.0, Campaign()).profits(weights[None, :])[0]
    assert weighted == pytest.approx(expected_profit_score(outcomes[repeated], scores[repeated], 50.0), abs=1e-9)
