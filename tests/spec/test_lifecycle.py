"""The rule: the stage that figures show, and when it becomes the stage of the retailer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pandas as pd
import pytest

from models.lifecycle import settled_stages, stages_seen
from tests.statements import Rows

FIGURES = """
    retailer     silent_weeks silent_gaps age_weeks growth_ratio p_churn_13w | stage
    steady            0            1         .          1.00         0.01    | maintenance
    risen             0            1        80          1.34         0.01    | growth
    nearly_risen      0            1        80          1.33         0.01    | maintenance
    fallen            0            1        80          0.75         0.01    | decline
    nearly_fallen     0            1        80          0.76         0.39    | maintenance
    at_risk           3            2        80          1.50         0.40    | decline
    newcomer          0            1        25          0.50         0.90    | acquisition
    no_newcomer       0            1        26          1.00         0.01    | maintenance
    silent            8          2.9        80          1.00         .       | decline
    gone              8            3        80          1.00         .       | win_back
    patient_gone     26            1        80          1.00         .       | win_back
    newly_gone       10            5        12          1.00         .       | win_back
    not_silent        7            7        80          1.00         0.01    | maintenance
"""


def test_the_first_rule_that_holds_gives_the_stage(rows_of: Callable[[str], Rows]) -> None:
    shops = pd.DataFrame(rows_of(FIGURES))
    numbers = shops.drop(columns=["retailer", "stage"]).astype("float64")
    assert dict(zip(shops.retailer, stages_seen(numbers), strict=True)) == dict(zip(shops.retailer, shops.stage, strict=True))


@pytest.mark.parametrize(
    ("seen", "settled"),
    [
        ("m m m m", "m m m m"),
        ("m d m m", "m m m m"),
        ("m d d m", "m m d d"),
        ("m d d m m", "m m d d m"),
        ("m d g g", "m m m g"),
        ("a m m", "a a m"),
        ("d", "d"),
        ("m d m d m d", "m m m m m m"),
    ],
)
def test_a_stage_changes_when_two_reclassifications_in_a_row_see_the_same_other_one(seen: str, settled: str) -> None:
    months = seen.split()
    stages = [str(settled_stages(months[:1], [None], [None])[0])]
    for before, now in pairwise(months):
        stages += settled_stages([now], [before], [stages[-1]]).tolist()
    assert " ".join(stages) == settled
