"""Derivatives, expectations and quantiles of interval-censored counts against finite differences and against sums over all counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from models.censored_likelihood import (
    ALPHA_RANGE,
    conditional_quantile,
    expected_units,
    gradient_and_hessian,
    negative_log_likelihood,
    order_mean,
    profiled_alpha,
    survival,
)

INF = np.inf
KINDS = [(1, 1), (12, 12), (1, INF), (12, INF), (600, INF), (0, 4), (1, 6), (6, 24), (12, 13), (0, INF)]
DISTANCES = [1e-4, 1e-2, 0.3, 0.9, 1.1, 3.0, 1e2, 1e4]
ALPHAS = [1e-8, 1e-3, 0.2, 1.0, 10.0]


def one(*values: float) -> list[np.ndarray]:
    return [np.array([value], dtype=float) for value in values]


def loss_at(eta: np.ndarray, interval: list[np.ndarray], alpha: float, ordered: bool) -> np.ndarray:
    lower, upper = (np.repeat(bound, eta.size) for bound in interval)
    return negative_log_likelihood(lower, upper, np.exp(eta), np.full(eta.size, alpha), ordered=ordered)


def slope(values: np.ndarray, step: float) -> float:
    """Five-point central difference."""
    return float((values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * step))


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(("lower", "upper"), KINDS)
def test_derivatives_are_those_of_finite_differences(lower: float, upper: float, distance: float, alpha: float, ordered: bool) -> None:
    interval = one(lower, upper)
    eta = np.log(distance * max(lower, 1.0))
    steps = np.arange(-2, 3)
    five = (np.full(5, float(lower)), np.full(5, float(upper)), np.exp(eta + 1e-3 * steps), np.full(5, alpha))
    gradients, hessians = gradient_and_hessian(*five, ordered=ordered)
    losses = loss_at(eta + 1e-3 * steps, interval, alpha, ordered)
    # what rounding of the loss, and of the gradient, leaves of a difference over a thousandth
    loss_noise, gradient_noise = (1e-12 * (1.0 + np.abs(size).max()) for size in (losses, gradients))
    assert gradients[2] == pytest.approx(slope(losses, 1e-3), rel=1e-6, abs=loss_noise / 1e-3)
    # the second derivative is a difference of two terms of the size of the gradient's square
    cancelled = 2e-11 * gradients[2] ** 2
    assert hessians[2] == pytest.approx(slope(gradients, 1e-3), rel=1e-6, abs=max(gradient_noise / 1e-3, 1e-9, cancelled))


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("lower", "upper"), [(3, 3), (5, INF), (0, 4), (2, 9)])
@pytest.mark.parametrize("mu", [0.4, 5.0, 20.0])
@pytest.mark.parametrize("alpha", [0.01, 0.7, 3.0])
def test_likelihood_and_expectation_are_those_of_adding_up_all_counts(
    lower: float, upper: float, mu: float, alpha: float, ordered: bool
) -> None:
    counts = np.arange(5_000)
    pmf = nbinom.pmf(counts, 1 / alpha, 1 / (1 + alpha * mu))
    least = max(lower, 1) if ordered else lower
    inside = (counts >= least) & (counts <= upper)
    whole = pmf[1:].sum() if ordered else 1.0
    likelihood = np.exp(-negative_log_likelihood(*one(lower, upper, mu, alpha), ordered=ordered))[0]
    assert likelihood == pytest.approx(pmf[inside].sum() / whole, rel=1e-8)
    mean = (pmf * counts)[inside].sum() / pmf[inside].sum()
    assert expected_units(*one(least, upper, mu, alpha))[0] == pytest.approx(mean, rel=1e-8)
    assert order_mean(*one(mu, alpha))[0] == pytest.approx((pmf * counts).sum() / pmf[1:].sum(), rel=1e-8)


@pytest.mark.parametrize(("lower", "upper"), [(12, INF), (0, 9), (1, INF), (6, 24), (7, 7)])
@pytest.mark.parametrize(("mu", "alpha"), [(3.0, 0.8), (12.0, 1e-6), (40.0, 2.0)])
@pytest.mark.parametrize("probability", [0.05, 0.5, 0.9, 0.99])
def test_quantiles_are_the_least_counts_with_enough_probability(
    lower: float, upper: float, mu: float, alpha: float, probability: float
) -> None:
    counts = np.arange(20_000)
    pmf = nbinom.pmf(counts, 1 / alpha, 1 / (1 + alpha * mu))
    inside = np.where((counts >= lower) & (counts <= upper), pmf, 0.0)
    enough = np.cumsum(inside) / inside.sum() >= probability
    assert conditional_quantile(probability, *one(lower, upper, mu, alpha))[0] == counts[enough][0]


@settings(max_examples=200, deadline=None)
@given(
    lower=st.integers(0, 3_000),
    width=st.integers(0, 200) | st.just(INF),
    log_distance=st.floats(-4, 4),
    log_alpha=st.floats(-8, 1),
    ordered=st.booleans(),
)
def test_nothing_is_ever_undefined_and_expectations_stay_in_the_interval(
    lower: int, width: float, log_distance: float, log_alpha: float, ordered: bool
) -> None:
    known = one(lower, max(lower + width, 1), max(lower, 1) * 10.0**log_distance, 10.0**log_alpha)
    parts = [negative_log_likelihood(*known, ordered=ordered), *gradient_and_hessian(*known, ordered=ordered), expected_units(*known)]
    assert np.isfinite(parts).all()
    assert known[0][0] <= parts[3][0] <= known[1][0]


@settings(max_examples=60, deadline=None)
@given(cap=st.integers(1, 500), log_distance=st.floats(-2, 2), log_alpha=st.floats(-6, 1))
def test_a_capped_order_always_pulls_the_mean_up_and_curves_the_right_way(cap: int, log_distance: float, log_alpha: float) -> None:
    gradient, hessian = gradient_and_hessian(*one(cap, INF, cap * 10.0**log_distance, 10.0**log_alpha), ordered=False)
    assert gradient[0] <= 0
    assert hessian[0] >= -1e-9


@settings(max_examples=40, deadline=None)
@given(
    cap=st.integers(1, 60),
    log_distance=st.floats(-2, 2),
    log_alpha=st.floats(-6, 1),
    levels=st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)),
)
def test_quantiles_do_not_cross_nor_fall_below_the_cap(
    cap: int, log_distance: float, log_alpha: float, levels: tuple[float, float]
) -> None:
    known = one(cap, INF, cap * 10.0**log_distance, 10.0**log_alpha)
    low, high = (conditional_quantile(level, *known)[0] for level in sorted(levels))
    assert cap <= low <= high


@pytest.mark.parametrize("alpha", [0.05, 0.6, 3.0])
def test_dispersion_is_found_although_a_cap_hid_the_large_orders(alpha: float) -> None:
    rng = np.random.default_rng(7)
    mu = np.repeat([6.0, 15.0, 40.0], 8_000)
    demand = rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mu)).astype(float)
    mu, demand = mu[demand > 0], demand[demand > 0]
    capped = demand >= 10
    lower, upper = np.where(capped, 10.0, demand), np.where(capped, INF, demand)
    found = profiled_alpha(lower, upper, mu, np.ones(mu.size), ordered=True)
    assert found == pytest.approx(alpha, rel=0.12)
    small, level = demand[~capped], mu[~capped]
    assert profiled_alpha(small, small, np.minimum(level, small.mean()), np.ones(small.size), ordered=True) < alpha


def test_orders_that_never_vary_have_the_least_dispersion() -> None:
    size = np.full(200, 12.0)
    assert profiled_alpha(size, size, size, np.ones(200), ordered=True) == pytest.approx(ALPHA_RANGE[0], rel=0.05)


def test_the_chance_to_reach_a_cap_of_one_is_certain_for_an_order() -> None:
    assert survival(*one(1.0, 0.3, 2.0), ordered=True)[0] == pytest.approx(1.0)
    assert survival(*one(1.0, 0.3, 2.0), ordered=False)[0] == pytest.approx(1 - 1.6**-0.5)
