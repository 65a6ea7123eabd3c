"""How families are compared, on cases small enough to reckon by hand or by a naive sum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom, norm

from models.negative_binomial_family import NegativeBinomialSettings
from models.orders import Orders
from models.recovery_checks import (
    BLENDS,
    Estimates,
    HeldOut,
    compare_laws,
    judge,
    law_below_caps,
    law_log_loss,
    nearest,
    negative_binomial_below_caps,
    spread_around,
)
from models.size_laws import PairLaws, RecoverySettings, transform
from tests.models.test_negative_binomial_family import SMALL, orders_of_market

LAWS = RecoverySettings(power=0.15, pooling_orders=1.0, spread_pooling_orders=4.0, iterations=10)


def orders(size: list[float], cap: list[float]) -> Orders:
    """Orders of one pair."""
    code, units, caps = np.zeros(len(size), dtype=np.int64), np.array(size), np.array(cap)
    rows = np.arange(len(size))
    one = np.ones(len(size))
    return Orders(rows, rows, code, code, code, code, code, code, units, caps, units >= caps, np.isfinite(caps), one)


def test_families_are_judged_by_the_weights_of_the_orders_and_the_nearest_wins() -> None:
    true = np.array([2.0, 4.0, 6.0])
    estimates = Estimates(law=np.zeros(3), negative_binomial=true + 1.0, recensoring=true - 1.0)
    cap, open_week, likeness = np.full(3, 10.0), np.array([False, False, True]), np.array([1.0, 1.0, 2.0])
    checks = {(check.family, check.where): check for check in judge(estimates, cap, true, open_week, likeness)}
    assert {family for family, _ in checks} == set(BLENDS)
    assert checks["law", "all"].bias == pytest.approx(-18 / 58)
    assert checks["negative_binomial", "all"].bias == pytest.approx(4 / 58)
    assert checks["recensoring", "open weeks"].bias == pytest.approx(-2 / 32)
    assert (checks["negative_binomial_blend", "all"].bias, checks["negative_binomial_blend", "all"].wape) == pytest.approx((0.0, 0.0))
    assert nearest(tuple(checks.values())) == "negative_binomial_blend"


def test_a_family_that_is_not_to_be_had_is_not_judged() -> None:
    estimates = Estimates(law=np.ones(2), negative_binomial=None, recensoring=np.ones(2))
    assert set(estimates.families()) == {"law", "blend", "recensoring"}


def test_no_blend_falls_below_the_cap() -> None:
    estimates = Estimates(law=np.array([-1.0, 3.0]), negative_binomial=None, recensoring=np.array([0.5, 1.0]))
    assert estimates.blended(BLENDS["blend"]).tolist() == [0.0, 2.0]


def test_the_spread_is_read_around_expected_excesses_of_like_size() -> None:
    rng = np.random.default_rng(1)
    expected, cap = np.repeat([5.0, 50.0], 5000), np.full(10_000, 10.0)
    true = expected * np.where(expected < 10, rng.uniform(0, 1, 10_000), rng.uniform(1, 2, 10_000))
    edges, spread = spread_around(expected, true, cap)
    member = np.searchsorted(edges, expected / cap)
    assert spread[member[0]] == pytest.approx([0.1, 0.9], abs=0.03)
    assert spread[member[-1]] == pytest.approx([1.1, 1.9], abs=0.03)


def test_the_loss_of_the_pairs_law_is_that_of_whole_units_given_an_order() -> None:
    law = PairLaws(0.15, np.array([2.0]), np.array([0.8]))
    asked = orders([3.0, 12.0, 400.0, 5.0], [np.inf, np.inf, np.inf, 5.0])

    def below(units: float) -> float:
        return float(norm.cdf((transform(np.array(units), 0.15) - 2.0) / 0.8))

    whole = 1 - below(0.5)
    mass = [below(3.5) - below(2.5), below(12.5) - below(11.5), 0.0, 1 - below(4.5)]
    loss = law_log_loss(asked, law)
    np.testing.assert_allclose(loss[[0, 1, 3]], -np.log(np.array(mass)[[0, 1, 3]] / whole), rtol=1e-6)
    assert 50 < loss[2] < 1e4


def test_what_is_expected_below_a_cap_is_a_mean_of_cut_sizes() -> None:
    law = PairLaws(0.15, np.array([2.0]), np.array([0.8]))
    drawn = (1 + 0.15 * np.random.default_rng(1).normal(2.0, 0.8, 400_000)) ** (1 / 0.15)
    drawn = drawn[drawn >= 0.5]
    expected = [np.minimum(drawn, cap).mean() for cap in (6.0, np.inf)]
    assert law_below_caps(orders([3.0, 3.0], [6.0, np.inf]), law) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("mean", "alpha"), [(3.0, 0.5), (20.0, 0.1), (0.7, 2.0)])
def test_what_a_count_is_expected_to_be_below_a_cap_is_a_naive_sum(mean: float, alpha: float) -> None:
    counts = np.arange(1, 4000)
    mass = nbinom.pmf(counts, 1 / alpha, 1 / (1 + alpha * mean))
    naive = [(np.minimum(counts, cap) * mass).sum() / mass.sum() for cap in (1, 6, 40)]
    found = negative_binomial_below_caps(np.array([1.0, 6.0, 40.0]), np.full(3, mean), np.full(3, alpha))
    np.testing.assert_allclose(found, naive, rtol=1e-6)


def test_laws_are_compared_on_orders_held_out_of_both() -> None:
    market, _ = orders_of_market(3)
    held_out = compare_laws(market, LAWS, SMALL)
    assert [check.family for check in held_out] == ["law", "negative_binomial"]
    assert held_out[0].orders == held_out[1].orders
    assert 0.1 * market.count < held_out[0].orders < 0.2 * market.count
    for check in held_out:
        assert 1.0 < check.log_loss < 5.0
        assert abs(check.capped_bias) < 0.2
        assert check.loss == check.log_loss + abs(check.capped_bias)


def test_of_too_few_orders_none_are_held_out() -> None:
    few = orders([3.0, 4.0], [np.inf, 4.0])
    settings = NegativeBinomialSettings(SMALL.boosting, 100, 2, 2, 100)
    assert compare_laws(few, LAWS, settings) == ()


def test_a_large_bias_below_caps_outweighs_a_little_likelihood() -> None:
    assert HeldOut("law", 10, 2.0, -0.3).loss > HeldOut("negative_binomial", 10, 2.2, 0.02).loss
