"""False alarms of many exact tests together stay within the share they are given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact

from models.exact_tests import binomial_test, group_test, level_per_test


@given(st.integers(1, 60), st.data(), st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=50)
def test_a_binomial_test_is_that_of_scipy(trials: int, drawn: st.DataObject, chance: float) -> None:
    count = drawn.draw(st.integers(0, trials))
    assert binomial_test(count, trials, chance).p == pytest.approx(binomtest(count, trials, chance, alternative="greater").pvalue)
    assert binomial_test(count, trials, chance).p >= binomial_test(count, trials, chance).least_p * (1 - 1e-12)


@given(st.integers(1, 20), st.integers(1, 40), st.data())
@settings(deadline=None, max_examples=50)
def test_a_group_test_is_fishers_exact_test(group: int, others: int, drawn: st.DataObject) -> None:
    marked, marked_elsewhere = drawn.draw(st.integers(0, group)), drawn.draw(st.integers(0, others))
    expected = fisher_exact([[marked, group - marked], [marked_elsewhere, others - marked_elsewhere]], alternative="greater").pvalue
    assert group_test(marked, group, marked + marked_elsewhere, group + others).p == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [[3] * 40, [10] * 10, [1, 2, 3, 5, 8, 13, 21, 34, 55]])
def test_by_chance_any_alarm_is_as_rare_as_it_was_asked_to_be(sizes: list[int]) -> None:
    random, alarms = np.random.default_rng(1), 0
    for _ in range(500):
        tests = [binomial_test(int(random.binomial(size, 0.5)), size, 0.5) for size in sizes]
        alarms += any(test.p <= level_per_test(tests, 0.05) for test in tests)
    assert alarms / 500 <= 0.05 + 3 * (0.05 * 0.95 / 500) ** 0.5


def test_tests_that_could_never_reach_the_level_cost_the_others_nothing() -> None:
    few, many = binomial_test(1, 2, 0.5), binomial_test(20, 20, 0.5)
    assert level_per_test([many], 0.05) == level_per_test([many, *[few] * 100], 0.05) == 0.05
