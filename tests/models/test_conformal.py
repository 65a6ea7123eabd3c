"""Where a law must be read: on simulated orders whose law was learned too narrow, too wide or right, some of them cut at a cap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.conformal import CHANCE_EDGES, CORRECTED, LevelCorrection, fit_correction, product_limit, product_limit_quantiles
from models.sizes import GRID, SizeLaw, SizeQuantiles

LEVELS = (0.5, 0.9, 0.95)
OFTEN = 0.8
LAW = SizeQuantiles((SizeLaw(np.empty(0), -10.0 * np.log(1.0 - GRID)[None]),))
"""Sizes of orders are exponential with mean 10."""

AS_READ = LevelCorrection(np.tile(CORRECTED, (len(CHANCE_EDGES) + 1, 1)))


def orders(n: int, seed: int, *, p: float = OFTEN, mean: float = 10.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.full(n, p), np.full(n, 10.0 * p), rng.exponential(mean, n) * (rng.random(n) < p)


def share_at_most(correction: LevelCorrection, p: np.ndarray, mean: np.ndarray, units: np.ndarray, level: float) -> float:
    return float((units <= LAW.predict(p, mean, correction.corrected(p, [level]))[:, 0]).mean())


@pytest.mark.parametrize("mean", [7.5, 10.0, 13.0])
def test_quantiles_hold_on_later_weeks_as_often_as_they_say(mean: float) -> None:
    p, expected, units = orders(20_000, 1, mean=mean)
    correction = fit_correction(p, LAW.p_less(p, expected, units), np.zeros(p.size, dtype=bool))
    later = orders(20_000, 2, mean=mean)
    for level in CORRECTED:
        assert share_at_most(correction, *later, level) == pytest.approx(level, abs=0.01)
        assert mean == 10.0 or abs(share_at_most(AS_READ, *later, level) - level) > 0.01


def test_orders_cut_at_a_cap_count_as_that_or_more() -> None:
    p, expected, units = orders(40_000, 3, mean=13.0)
    caps = np.random.default_rng(4).uniform(5, 40, p.size)
    seen, hidden = np.minimum(units, caps), units >= caps
    reached = LAW.p_less(p, expected, seen)
    later = orders(20_000, 5, mean=13.0)
    assert share_at_most(fit_correction(p, reached, hidden), *later, 0.9) == pytest.approx(0.9, abs=0.015)
    assert share_at_most(fit_correction(p, reached, np.zeros(p.size, dtype=bool)), *later, 0.9) < 0.85


def test_a_quantile_of_zero_that_holds_by_itself_keeps_its_level() -> None:
    p, expected, units = orders(20_000, 6, p=0.07, mean=20.0)
    found = fit_correction(p, LAW.p_less(p, expected, units), np.zeros(p.size, dtype=bool)).levels[np.digitize(0.07, CHANCE_EDGES)]
    assert found[0] == pytest.approx(0.9)
    assert found[1] > 0.955


def test_few_orders_move_a_level_little() -> None:
    p, expected, _ = orders(10, 7)
    found = fit_correction(p, LAW.p_less(p, expected, np.full(10, 1e6)), np.zeros(10, dtype=bool)).levels
    assert found[np.digitize(OFTEN, CHANCE_EDGES)] == pytest.approx([(10 * 1 + 100 * level) / 110 for level in CORRECTED])
    np.testing.assert_array_equal(np.delete(found, np.digitize(OFTEN, CHANCE_EDGES), axis=0), AS_READ.levels[1:])


def test_a_correction_survives_json() -> None:
    found = LevelCorrection.from_json(AS_READ.to_json())
    np.testing.assert_array_equal(found.levels, AS_READ.levels)


def test_levels_up_to_three_quarters_are_read_as_they_are() -> None:
    correction = LevelCorrection(np.tile([0.8, 0.85], (len(CHANCE_EDGES) + 1, 1)))
    assert correction.corrected(np.array([0.3]), [0.05, 0.5, 0.75, 0.9, 0.95])[0].tolist() == [0.05, 0.5, 0.75, 0.8, 0.85]


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 300), levels=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12))
def test_corrected_levels_never_cross_and_stay_levels(seed: int, n: int, levels: list[float]) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    correction = fit_correction(p, rng.random(n) * (rng.random(n) < 0.5), rng.random(n) < 0.3)
    read = correction.corrected(p, sorted(levels))
    assert (np.diff(read, axis=1) >= 0).all()
    assert (read >= 0).all()
    assert (read <= 1).all()


def test_shares_with_nothing_hidden_are_plain_shares() -> None:
    values = np.random.default_rng(8).integers(0, 9, 50).astype(float)
    support, shares = product_limit(values, np.zeros(50, dtype=bool))
    np.testing.assert_allclose(shares, [(values <= value).mean() for value in support])
    levels = np.array([0.1, 0.5, 0.9])
    expected = np.quantile(values, levels, method="inverted_cdf")
    np.testing.assert_array_equal(product_limit_quantiles(values, np.zeros(50, dtype=bool), levels), expected)


def test_where_the_largest_is_hidden_it_stands_for_all_that_is_larger() -> None:
    found = product_limit_quantiles(np.array([1.0, 5.0]), np.array([False, True]), np.array([0.5, 0.99]))
    assert found.tolist() == [1, 5]
