"""Whether a district that orders more stands out among shops whose orders vary, and one that does not stays quiet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.estimates import Estimate
from models.level_shift import level_shift
from models.matured_forecasts import relative_bias

SHOPS, OF_DISTRICT, WEEKS = 500, 60, 150
SIGMAS = 4.0


def weeks_of(times: float, seed: int) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Simulate weeks of shops that were forecast well, whose orders vary as those of small shops do, and split off a district."""
    draws = np.random.default_rng(seed)
    expected = draws.gamma(1.5, 20.0, SHOPS)
    weeks = []
    shops = [f"R{n}" for n in range(SHOPS)]
    for _ in range(WEEKS):
        wanted = expected * np.where(np.arange(SHOPS) < OF_DISTRICT, times, 1.0)
        actual = draws.poisson(wanted * draws.gamma(1.2, 1 / 1.2, SHOPS)).astype(float)
        rows = pd.DataFrame({"retailer_id": shops, "expected": expected, "actual": actual})
        weeks.append((rows[:OF_DISTRICT], rows[OF_DISTRICT:]))
    return weeks


def out_share(figures: list[Estimate | None]) -> float:
    """Share of the weeks in which the bias lies so many errors from none, on the logarithm."""
    found = [figure for figure in figures if figure is not None]
    assert len(found) == WEEKS
    return float(np.mean([abs(np.log1p(each.value)) > SIGMAS * each.error / (1 + each.value) for each in found]))


def test_a_shift_is_found_more_often_than_by_the_errors_of_its_own_shops_and_no_more_often_without_cause() -> None:
    shifted, quiet = weeks_of(1.6, seed=1), weeks_of(1.0, seed=2)
    found, found_by_own = (out_share([measure(*week) for week in shifted]) for measure in (level_shift, relative_bias))
    assert found > 1.5 * found_by_own > 0
    assert out_share([level_shift(*week) for week in quiet]) <= 0.005


@pytest.mark.parametrize("times", [0.7, 1.0, 1.6])
def test_the_bias_is_that_of_the_shift(times: float) -> None:
    logs = [np.log1p(found.value) for week in weeks_of(times, seed=3)[:40] if (found := level_shift(*week)) is not None]
    assert np.mean(logs) == pytest.approx(-np.log(times), abs=0.05)


def test_a_district_that_orders_nothing_is_out_and_one_of_a_single_shop_is_not_judged() -> None:
    part, rest = weeks_of(1.0, seed=4)[0]
    nothing = level_shift(part.assign(actual=0.0), rest)
    assert nothing is not None
    assert nothing.value == pytest.approx(19.0)
    assert np.log1p(nothing.value) > SIGMAS * nothing.error / (1 + nothing.value)
    assert level_shift(part[:1], rest) is None
