"""Intervals of shares: counted, and expected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from models.share_intervals import count_law, expected_share_interval, wilson_interval

chances = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40)


@given(st.integers(0, 200), st.integers(0, 200))
def test_wilson_is_that_of_scipy(count: int, others: int) -> None:
    assume(count + others > 0)
    trials = count + others
    expected = binomtest(count, trials).proportion_ci(0.9, method="wilson")
    assert wilson_interval(count, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_equal_chances_follow_the_binomial_law() -> None:
    law = count_law(np.full(3000, 0.02))
    assert law.sum() == pytest.approx(1.0)
    assert law == pytest.approx(binom.pmf(np.arange(law.size), 3000, 0.02), abs=1e-12)


@given(chances)
def test_the_law_has_the_mean_and_the_variance_of_its_events(chances: list[float]) -> None:
    p = np.array(chances)
    law = count_law(p)
    count = np.arange(law.size)
    assert law.sum() == pytest.approx(1.0, abs=1e-9)
    assert law @ count == pytest.approx(p.sum(), abs=1e-6)
    assert law @ count**2 - (law @ count) ** 2 == pytest.approx((p * (1 - p)).sum(), abs=1e-6)


@given(chances)
def test_the_interval_holds_the_mean_whatever_the_order(chances: list[float]) -> None:
    low, high = expected_share_interval(chances)
    assert 0 <= low <= np.mean(chances) + 1e-12
    assert np.mean(chances) - 1e-12 <= high <= 1
    assert expected_share_interval(sorted(chances)) == pytest.approx((low, high))


def test_at_least_nine_in_ten_draws_lie_within() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.5, 8.0, 60)
    low, high = expected_share_interval(p)
    shares = (rng.random((4000, p.size)) < p).mean(axis=1)
    assert 0.9 <= ((shares >= low) & (shares <= high)).mean() <= 0.99
    assert (shares < low).mean() < 0.06
    assert (shares > high).mean() < 0.06


def test_certainty_has_no_width() -> None:
    assert expected_share_interval([1.0, 1.0, 0.0, 0.0]) == (0.5, 0.5)


@given(chances, st.floats(1.0, 9.0))
def test_dispersion_stretches_both_sides_alike_and_stays_a_share(chances: list[float], dispersion: float) -> None:
    mean = float(np.mean(chances))
    low, high = expected_share_interval(chances)
    wide_low, wide_high = expected_share_interval(chances, dispersion=dispersion)
    assert wide_low == pytest.approx(max(mean - dispersion**0.5 * (mean - low), 0.0), abs=1e-9)
    assert wide_high == pytest.approx(min(mean + dispersion**0.5 * (high - mean), 1.0), abs=1e-9)
