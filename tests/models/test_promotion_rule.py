"""When a challenger takes the champion's place, and when it does not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.promotion_rule import Guard, OriginFigures, PromotionRule, compare, mean_figures

RULE = PromotionRule("loss", worse_at_origin=0.05, worse_when_forced=0.04, guards=(Guard("bias", 0.10, 0.0), Guard("wape", None, 0.05)))

# losses at three origins, mean bias, WAPE: of the challenger, then of the champion whose losses are all 0.30 | passes | passes when forced
CASES = """
0.30 0.30 0.30   0.05 0.50   0.05 0.50   yes yes
0.29 0.30 0.30   0.05 0.50   0.05 0.50   yes yes
0.31 0.30 0.30   0.05 0.50   0.05 0.50   no  yes
0.20 0.33 0.33   0.05 0.50   0.05 0.50   no  yes
0.20 0.29 0.33   0.05 0.50   0.05 0.50   yes yes
0.33 0.33 0.33   0.05 0.50   0.05 0.50   no  no
0.29 0.29 0.29   0.12 0.50   0.05 0.50   no  no
0.29 0.29 0.29  -0.12 0.50  -0.15 0.50   yes yes
0.29 0.29 0.29   0.09 0.50   0.00 0.50   yes yes
0.29 0.29 0.29   0.05 0.52   0.05 0.50   yes yes
0.29 0.29 0.29   0.05 0.53   0.05 0.50   no  no
"""


def judged(losses: list[float], **others: float) -> list[OriginFigures]:
    first = date(2019, 8, 4)
    return [OriginFigures(first + timedelta(weeks=2 * k), 100, {"loss": loss, **others}) for k, loss in enumerate(losses)]


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_a_challenger_passes_as_the_rule_says(case: str) -> None:
    words = case.split()
    losses, (bias, wape, rival_bias, rival_wape) = [float(w) for w in words[:3]], (float(w) for w in words[3:7])
    challenger, champion = judged(losses, bias=bias, wape=wape), judged([0.30] * 3, bias=rival_bias, wape=rival_wape)
    passed = [compare(challenger, champion, RULE, forced=forced).passed for forced in (False, True)]
    assert passed == [word == "yes" for word in words[7:]]


def test_a_ruling_names_what_was_missed_with_both_figures() -> None:
    ruling = compare(judged([0.20, 0.33, 0.33], bias=0.2, wape=0.5), judged([0.30] * 3, bias=0.0, wape=0.5), RULE)
    assert ruling.sentence() == "origins at which loss is clearly above the other's: 2 against 1; mean bias: 0.2 against 0"
    assert [one.origin for one in ruling.origins] == ["2019-08-04", "2019-08-18", "2019-09-01"]


def test_a_guard_that_one_of_the_models_lacks_at_an_origin_is_not_asked() -> None:
    ruling = compare(judged([0.29], bias=0.3), judged([0.30]), RULE)
    assert [condition.asked for condition in ruling.conditions] == [
        "mean loss over 1 origins",
        "origins at which loss is clearly above the other's",
    ]


def test_models_judged_at_other_origins_are_not_compared() -> None:
    with pytest.raises(ValueError, match="at the same origins"):
        compare(judged([0.3, 0.3]), judged([0.3]), RULE)


losses = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8)


@given(losses)
def test_a_model_passes_against_itself(at_origins: list[float]) -> None:
    own = judged(at_origins, bias=0.4, wape=0.7)
    assert compare(own, own, RULE).passed


@given(losses, st.floats(0.001, 0.5))
def test_who_is_better_everywhere_passes_and_the_other_does_not(at_origins: list[float], share: float) -> None:
    worse, better = judged(at_origins), judged([loss * (1.0 - share) for loss in at_origins])
    assert compare(better, worse, RULE).passed
    assert not compare(worse, better, RULE).passed


def test_a_figure_that_an_origin_lacks_has_no_mean() -> None:
    assert mean_figures([*judged([0.2], auc=0.9), *judged([0.4])]) == {"loss": 0.3}
    assert mean_figures([]) == {}
