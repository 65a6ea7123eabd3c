"""What is learned from weeks a model has not seen: closed weeks teach nothing, capped ones that more may have been wanted."""

from __future__ import annotations

import json

import numpy as np

from models.demand_calibration import Calibration, UnseenWeeks, fit_calibration
from models.sizes import GRID, SizeLaw, SizeQuantiles

PAIRS, P = 4_000, 0.6
LAW = SizeQuantiles((SizeLaw(np.empty(0), -10.0 * np.log(1.0 - GRID)[None]),))


def weeks(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.exponential(10.0, (PAIRS, 8)) * np.less(rng.random((PAIRS, 8)), P)


def learned(least: np.ndarray, hidden: np.ndarray) -> Calibration | None:
    return fit_calibration(LAW, np.full((PAIRS, 8), P), np.full((PAIRS, 8), 10.0 * P), UnseenWeeks(least, hidden), seed=1)


def test_closed_weeks_teach_nothing() -> None:
    least, nothing = weeks(1), np.zeros((PAIRS, 8), dtype=bool)
    gaps = np.random.default_rng(2).random((PAIRS, 8)) < 0.05
    whole, partly = learned(least, nothing), learned(np.where(gaps, np.nan, least), nothing)
    assert whole is not None
    assert partly is not None
    np.testing.assert_allclose(partly.levels.levels, whole.levels.levels, atol=0.01)
    complete = np.asarray(~gaps.any(axis=1))
    alone = learned(np.where(complete[:, None], least, np.nan), nothing)
    assert alone is not None
    np.testing.assert_array_equal(partly.totals.ratios, alone.totals.ratios)


def test_a_week_that_was_closed_to_everybody_leaves_what_the_others_teach() -> None:
    least, nothing = weeks(3), np.zeros((PAIRS, 8), dtype=bool)
    whole = learned(least, nothing)
    least[:, 4] = np.nan
    seven = learned(least, nothing)
    least[0, 4] = 3.0
    but_one = learned(least, nothing)
    assert whole is not None
    assert seven is not None
    assert but_one is not None
    np.testing.assert_allclose(seven.levels.levels, whole.levels.levels, atol=0.01)
    expected, mean = np.array([7 * P]), np.array([80 * P])
    ends = [np.concatenate(law.totals.interval(expected, mean)) for law in (whole, seven, but_one)]
    np.testing.assert_allclose(ends[1], ends[0], rtol=0.15)
    np.testing.assert_allclose(ends[2], ends[1], rtol=0.01)


def test_without_a_known_week_nothing_is_learned() -> None:
    assert learned(np.full((PAIRS, 8), np.nan), np.zeros((PAIRS, 8), dtype=bool)) is None


def test_a_cap_hides_and_does_not_narrow() -> None:
    wanted = weeks(4)
    caps = np.random.default_rng(5).uniform(5, 60, (PAIRS, 8))
    whole = learned(wanted, np.zeros((PAIRS, 8), dtype=bool))
    hidden = learned(np.minimum(wanted, caps), wanted >= caps)
    taken_for_all = learned(np.minimum(wanted, caps), np.zeros((PAIRS, 8), dtype=bool))
    assert whole is not None
    assert hidden is not None
    assert taken_for_all is not None
    q90 = [law.totals.predict(np.array([8 * P]), np.array([80 * P]), [0.9])[0, 0] for law in (whole, hidden, taken_for_all)]
    assert abs(q90[1] / q90[0] - 1) < 0.1 < 1 - q90[2] / q90[0]
    read = Calibration.from_json(json.loads(json.dumps(hidden.to_json())))
    np.testing.assert_array_equal(read.levels.levels, hidden.levels.levels)
