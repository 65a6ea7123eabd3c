"""Whether a measure is out only where it is both materially and significantly off."""

from __future__ import annotations

import pytest

from models.estimates import Estimate
from models.monitoring_bounds import Centre, Rule, Scale, Tolerances, bounds_of

ALLOWED = Tolerances({"kind": (0.1, 0.25)}, sigmas=3.0, least_history=4)


@pytest.mark.parametrize(
    ("value", "error", "status"),
    [(0.05, 0.0, "ok"), (0.15, 0.01, "watch"), (0.15, 0.06, "ok"), (0.30, 0.01, "alert"), (-0.30, 0.01, "alert"), (-0.30, 0.2, "ok")],
)
def test_a_difference_is_out_where_tolerance_and_chance_are_both_left(value: float, error: float, status: str) -> None:
    bounds = bounds_of(Estimate(value, error, 100), Rule("kind", Centre.ZERO), [], ALLOWED)
    assert bounds.status(value) == status


def test_a_ratio_may_be_as_many_times_too_small_as_too_large() -> None:
    bounds = bounds_of(Estimate(1.0, 0.0, 100), Rule("kind", Centre.ONE, Scale.RATIO), [], ALLOWED)
    assert bounds.lower == pytest.approx(1 / 1.1, abs=1e-4)
    assert bounds.upper == pytest.approx(1.1)
    assert bounds.alert_lower == pytest.approx(0.8)
    assert bounds.alert_upper == pytest.approx(1.25)


@pytest.mark.parametrize(
    ("stopped", "expected", "status"),
    [(0, 400.0, "alert"), (300, 400.0, "alert"), (385, 400.0, "ok"), (2, 0.5, "ok"), (30, 10.0, "alert"), (0, 4.0, "ok")],
)
def test_a_count_is_held_against_what_chance_makes_of_the_count_that_was_expected(stopped: int, expected: float, status: str) -> None:
    found = Estimate(stopped / expected, expected**-0.5, 1000)
    assert bounds_of(found, Rule("kind", Centre.ONE, Scale.RATIO), [], ALLOWED).status(found.value) == status


def test_without_enough_weeks_before_there_are_no_bounds() -> None:
    rule = Rule("kind", Centre.HISTORY)
    assert bounds_of(Estimate(9.0, 0.0, 1), rule, [1.0, 1.0, 1.0], ALLOWED).upper is None
    assert bounds_of(Estimate(9.0, 0.0, 1), rule, [1.0, 1.0, 1.0, 5.0], ALLOWED).upper == pytest.approx(1.1)


def test_a_rule_of_one_side_has_no_bound_at_the_other() -> None:
    bounds = bounds_of(Estimate(0.0, 0.0, 1, 0.5), Rule("kind", Centre.BASELINE, down=False), [], ALLOWED)
    assert (bounds.lower, bounds.alert_lower) == (None, None)
    assert bounds.upper == pytest.approx(0.6)
