"""The negative binomial law against sums of exact decimals, from Poisson to very lumpy and far out in both tails."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import pdtr, pdtrc

from models.negative_binomial import log_distribution, log_interval, log_pmf, log_survival, tail_ratio

DISTANCES = (1e-4, 1e-2, 0.3, 0.9, 1.0, 1.1, 3.0, 1e2, 1e4)


def one(*values: float) -> list[np.ndarray]:
    return [np.array([value], dtype=float) for value in values]


def decimal_pmf(y: int, mu: float, alpha: float) -> Decimal:
    r, scaled = 1 / Decimal(alpha), Decimal(alpha) * Decimal(mu)
    x = scaled / (1 + scaled)
    probability = ((1 - x).ln() * r).exp()
    for j in range(y):
        probability *= (j + r) / (j + 1) * x
    return probability


def decimal_sum(a: int, b: int, mu: float, alpha: float) -> float:
    """Return log P(a <= Y <= b) by adding up, with forty digits."""
    with localcontext() as context:
        context.prec = 40
        return float(sum(decimal_pmf(y, mu, alpha) for y in range(a, b + 1)).ln())  # type: ignore[union-attr]


@pytest.mark.parametrize("alpha", [1e-8, 1e-4, 0.3, 1.0, 10.0])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("count", [1, 12, 30])
def test_all_tails_are_those_that_adding_up_gives(count: int, distance: float, alpha: float) -> None:
    mu = count * distance
    assert log_pmf(*one(count, mu, alpha))[0] == pytest.approx(decimal_sum(count, count, mu, alpha), rel=1e-11, abs=1e-11)
    below = decimal_sum(0, count, mu, alpha)
    assert log_distribution(*one(count, mu, alpha))[0] == pytest.approx(below, rel=1e-10, abs=1e-11)
    rest = -np.expm1(decimal_sum(0, count - 1, mu, alpha))
    if rest > 1e-3:
        assert log_survival(*one(count, mu, alpha))[0] == pytest.approx(np.log(rest), rel=1e-9, abs=1e-11)
    else:
        tail = decimal_sum(count, count + 60, mu, alpha)
        assert log_survival(*one(count, mu, alpha))[0] == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize(("a", "b"), [(0, 3), (1, 1), (1, 2), (4, 9), (12, 40)])
@pytest.mark.parametrize("mu", [1e-3, 0.5, 6.0, 25.0, 1e4])
@pytest.mark.parametrize("alpha", [1e-8, 0.5, 10.0])
def test_intervals_are_those_that_adding_up_gives(a: int, b: int, mu: float, alpha: float) -> None:
    assert log_interval(*one(a, b, mu, alpha))[0] == pytest.approx(decimal_sum(a, b, mu, alpha), rel=1e-9, abs=1e-11)


def test_without_dispersion_the_law_is_poisson() -> None:
    count = np.repeat([0.0, 3.0, 60.0, 9999.0], len(DISTANCES))
    mu, none = (count + 1.0) * np.tile(DISTANCES, 4), np.zeros(count.size)
    for ours, reference in ((log_distribution(count, mu, none), pdtr(count, mu)), (log_survival(count + 1, mu, none), pdtrc(count, mu))):
        comparable = reference > 1e-280
        np.testing.assert_allclose(ours[comparable], np.log(reference[comparable]), rtol=2e-9, atol=1e-10)


def test_far_beyond_what_floats_hold_tails_still_fall_by_the_ratio_of_their_terms() -> None:
    c, mu, alpha = (np.array(values) for values in ([1e4, 1e4, 2e3], [1.0, 1.0, 0.2], [0.0, 1e-8, 0.1]))
    assert (log_survival(c, mu, alpha) < -1500).all()
    np.testing.assert_allclose(log_survival(c, mu, alpha) - log_pmf(c, mu, alpha), np.log(tail_ratio(c, mu, alpha)), atol=1e-9)
    np.testing.assert_allclose(tail_ratio(c, mu, alpha), 1.0 + tail_ratio(c + 1, mu, alpha) * _step_up(c, mu, alpha), rtol=1e-12)


def _step_up(y: np.ndarray, mu: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """p(y + 1) / p(y)."""
    return np.asarray(mu * (1 + alpha * y) / ((1 + alpha * mu) * (y + 1)))


@settings(max_examples=200, deadline=None)
@given(
    count=st.integers(0, 5_000),
    log_distance=st.floats(-4, 4),
    log_alpha=st.floats(-8, 1),
    width=st.integers(1, 500) | st.just(np.inf),
)
def test_parts_add_up_to_the_whole(count: int, log_distance: float, log_alpha: float, width: float) -> None:
    law = one((count + 1) * 10.0**log_distance, 10.0**log_alpha)
    a, b = one(count, count + width)
    below = np.exp(log_distribution(a - 1.0, *law))[0]
    within = np.exp(log_interval(a, b, *law))[0]
    above = np.exp(log_survival(b + 1.0, *law))[0] if np.isfinite(width) else 0.0
    assert below + within + above == pytest.approx(1.0, abs=1e-10)


@settings(max_examples=200, deadline=None)
@given(count=st.floats(0.5, 5_000), log_distance=st.floats(-4, 4), log_alpha=st.floats(-12, 2))
def test_nothing_is_ever_undefined_and_tails_fall(count: float, log_distance: float, log_alpha: float) -> None:
    law = one(count * 10.0**log_distance, 10.0**log_alpha)
    tails = [log_survival(*one(count * step), *law)[0] for step in (0.5, 1.0, 2.0)]
    masses = [log_distribution(*one(count * step), *law)[0] for step in (0.5, 1.0, 2.0)]
    assert np.isfinite([tails, masses]).all()
    assert tails[0] >= tails[1] >= tails[2]
    assert masses[0] <= masses[1] <= masses[2]


def test_arrays_are_taken_entry_by_entry() -> None:
    a, b = np.array([0.0, 3.0, 4.0, 0.0, 5.0]), np.array([np.inf, 3.0, np.inf, 2.0, 8.0])
    mu, alpha = np.array([1.0, 2.0, 9.0, 1.0, 1.0]), np.array([0.1, 0.0, 1.0, 3.0, 0.4])
    together = log_interval(a, b, mu, alpha)
    alone = [log_interval(*one(*row))[0] for row in zip(a, b, mu, alpha, strict=True)]
    np.testing.assert_array_equal(together, alone)
