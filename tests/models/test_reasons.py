"""The rule: one plain sentence per factor, with the retailer's own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from contracts.errors import UncapError
from models.reason_sentences import SENTENCES
from models.reasons import churn_reasons, ranked_reasons

# factor | the retailer's numbers | what is said ("-" is nothing)
TABLE = """
silence       | recency_weeks=5 mean_gap_weeks=1.2                             | No order for 5 weeks; it usually orders every 1.2 weeks
silence       | recency_weeks=1 mean_gap_weeks=1.04                            | No order for 1 week; it usually orders every 1.0 weeks
silence       | recency_weeks=3                                                | No order for 3 weeks; it has no rhythm of its own yet
silence       | recency_weeks=1 mean_gap_weeks=8.5                             | -
silence       | recency_weeks=0 mean_gap_weeks=1                               | -
order rhythm  | order_weeks_13w=4 order_weeks_prev_13w=11                      | Orders in 4 of the last 13 weeks, 11 of the 13 before
order rhythm  | order_weeks_13w=3 order_weeks_prev_13w=3 median_order_weeks_13w=9 | Orders seldom: in 3 of the last 13 weeks
order rhythm  | longest_gap_weeks=9 mean_gap_weeks=2                           | Has paused before: 9 weeks at the longest, 2.0 on average
order rhythm  | longest_gap_weeks=2 mean_gap_weeks=1                           | -
season        | order_share_ahead_13w=0.31                                     | A year ago it ordered in 4 of the 13 weeks that come next
season        | order_share_ahead_13w=1                                        | -
tenure        | tenure_weeks=8                                                 | A customer for 9 weeks only
tenure        | tenure_weeks=103                                               | -
volume | true_units_13w=68 true_units_prev_13w=118 | Volume down 42 % against the previous 13 weeks (118 → 68 units)
volume | true_units_13w=68 true_units_trend_year=0.8 | Volume down 20 % against the same 13 weeks a year ago (now 68 units)
volume | true_units_13w=68 median_true_units_13w=1662 | Low volume: 68 units in 13 weeks, half of the retailers order over 1,662
volume        | true_units_13w=117 true_units_prev_13w=118                     | -
volume        | true_units_13w=0 true_units_prev_13w=0                         | -
money         | amount_13w=0 amount_prev_13w=0                                 | -
long decline | true_units_trend_year=0.66 true_units_trend_year_vs_all=0.6 | Volume down 34 % on a year ago, everybody's up 10 %
long decline | true_units_trend_year=1.08 true_units_trend_year_vs_all=0.9 | Volume up 8 % on a year ago, everybody's up 20 %
long decline | true_units_trend_year=0.9 true_units_trend_year_vs_all=0.98 | -
long decline | true_units_26w=6 true_units_52w=16 true_units_trend_26w_vs_all=.5 | Half-year volume down 40 %, everybody's up 20 %
money         | amount_13w=300 amount_prev_13w=400                             | Spends 25 % less than in the previous 13 weeks (400 → 300)
money | amount_13w=300 median_amount_13w=900 | Spends little: 300 in 13 weeks, half of the retailers spend over 900
range         | skus_13w=6 skus_prev_13w=11                                    | Orders fewer products: 6 in 13 weeks, 11 in the 13 before
range | skus_13w=6 median_skus_13w=20 | Narrow range: 6 products in 13 weeks, half of the retailers order over 20
delisted SKUs | delisted_share_52w=0.37 | 37 % of the units it took in a year are of products delisted since
delisted SKUs | delisted_share_52w=0                                           | -
rationing     | cap_hit_rate_26w=0.61 unmet_units_26w=120  | Cap reached in 61 % of its capped orders; 120 units went unserved in 26 weeks
rationing     | cap_hit_rate_26w=0.61 unmet_units_26w=0                        | Cap reached in 61 % of its capped orders
rationing     | unmet_units_26w=0                                              | -
rationing     | unmet_units_26w=12 | 12 units that it asked for went unserved in 26 weeks
stock-outs | closed_share_26w=0.2 | 20 % of what it orders was out of stock or closed to it, over 26 weeks
stock-outs    | closed_share_26w=0                                             | -
complaints    | complaints_26w=3 unresolved_complaints=1                       | 3 complaints in 26 weeks, 1 unresolved
complaints    | complaints_26w=1 slow_complaints_26w=1                         | 1 complaint in 26 weeks, 1 took or waits over 14 days
complaints    | complaints_26w=0 unresolved_complaints=2                       | 2 complaints of the last year unresolved
complaints    | complaints_26w=0 unresolved_complaints=0                       | -
survey | last_survey_score=35 median_last_survey_score=70 | Last survey score 35 of 100; half of the retailers gave over 70
survey        | last_survey_score=90 median_last_survey_score=70               | -
contact       | weeks_since_contact=9.3                                        | Last visit or call 9 weeks ago
contact       | weeks_since_contact=40                                         | No visit or call in 26 weeks
contact       | weeks_since_contact=1                                          | -
returns       | returns_26w=2                                                  | 2 returns in 26 weeks
returns       | returns_26w=0                                                  | -
district | district_silent_share=0.12 | 12 % of the retailers of its district that ordered a quarter ago are silent
district | district_silent_share=0 district_trend_13w=0.9 | Volume of its district down 10 % against the previous 13 weeks
competitor    | weeks_since_competitor=6.4                                     | A competitor opened in its district 6 weeks ago
competitor    | recency_weeks=2                                                | -
district      | district_silent_share=0 district_trend_13w=1.1                 | -
shop          | area=rural channel=kiosk                                       | Shops like it stop more often (area rural, channel kiosk)
shop          | floating_population=3                                          | Shops in a place like its own stop more often
"""
LINES = [[part.strip() for part in line.split("|")] for line in TABLE.strip().splitlines()]


def numbers_of(text: str) -> dict[str, Any]:
    """Numbers, or words, by name."""
    pairs = (pair.split("=") for pair in text.split())
    return {name: value if value.isalpha() else float(value) for name, value in pairs}


@pytest.mark.parametrize(("factor", "numbers", "sentence"), LINES)
def test_a_factor_speaks_with_the_retailers_own_numbers(factor: str, numbers: str, sentence: str) -> None:
    assert (SENTENCES[factor](numbers_of(numbers)) or "-") == sentence


def test_every_factor_is_in_the_table() -> None:
    assert {factor for factor, _, _ in LINES} == set(SENTENCES)


@pytest.mark.parametrize("factor", sorted(set(SENTENCES) - {"contact", "shop"}))
def test_unknown_numbers_give_no_reason(factor: str) -> None:
    assert SENTENCES[factor]({}) is None


def reasons_of(contributions: dict[str, float], **numbers: float) -> list[str | None]:
    """The three reasons of one retailer."""
    shop = pd.DataFrame(
        [{"retailer_id": "R", "recency_weeks": 5.0, "mean_gap_weeks": 1.2, "complaints_26w": 2.0, "returns_26w": 1.0} | numbers]
    )
    found = churn_reasons(shop, pd.DataFrame([{"retailer_id": "R"} | contributions]))
    assert found.columns.tolist() == ["retailer_id", "reason_1", "reason_2", "reason_3"]
    return found.iloc[0, 1:].tolist()


def test_what_raises_the_risk_most_comes_first_and_what_lowers_it_is_no_reason() -> None:
    found = reasons_of({"silence": 0.4, "complaints": 1.3, "returns": -0.5})
    assert found == ["2 complaints in 26 weeks", "No order for 5 weeks; it usually orders every 1.2 weeks", None]


def test_a_factor_with_nothing_to_show_gives_its_place_to_the_next() -> None:
    assert reasons_of({"complaints": 1.3, "silence": 0.4, "returns": 0.2}, complaints_26w=0.0)[1] == "1 return in 26 weeks"


def test_a_factor_that_adds_next_to_nothing_is_no_reason() -> None:
    assert reasons_of({"complaints": 0.01})[1:] == [None, None]


@pytest.mark.parametrize(
    ("recency", "gap", "sentence"),
    [
        (0.0, 1.0, "Orders as it usually does: every 1.0 weeks, last order this week"),
        (1.0, 2.5, "Orders as it usually does: every 2.5 weeks, last order 1 week ago"),
        (2.0, np.nan, "Too new for a rhythm of its own: one week with an order in the last year, 2 weeks ago"),
    ],
)
def test_where_nothing_raises_the_risk_the_first_reason_says_how_it_orders(recency: float, gap: float, sentence: str) -> None:
    assert reasons_of({"silence": -1.0}, recency_weeks=recency, mean_gap_weeks=gap) == [sentence, None, None]


def five_shops(**columns: list[float]) -> pd.DataFrame:
    """Five retailers that order every week, and what is said of each."""
    shops = {"retailer_id": list("ABCDE"), "recency_weeks": [3.0] * 5, "mean_gap_weeks": [1.0] * 5}
    return pd.DataFrame(shops | {"true_units_13w": [10.0] * 5, "true_units_prev_13w": [20.0] * 5} | columns)


def factors_of(shops: pd.DataFrame, **log_odds: float) -> list[list[str]]:
    """The factors of the reasons of each retailer."""
    contributions = pd.DataFrame({"retailer_id": shops["retailer_id"]} | {name: [value] * len(shops) for name, value in log_odds.items()})
    return [[reason.factor for reason in reasons] for reasons in ranked_reasons(shops, contributions)]


def test_a_cause_that_few_show_comes_before_symptoms_of_which_it_leaves_one_place() -> None:
    shops = five_shops(complaints_26w=[2, 0, 0, 0, 0])
    found = factors_of(shops, silence=2.0, volume=1.0, complaints=0.0)
    assert found == [["complaints", "silence"], *[["silence", "volume"]] * 4]


def test_a_cause_that_many_show_as_badly_is_named_only_where_the_model_says_so() -> None:
    shops = five_shops(complaints_26w=[2, 2, 2, 0, 0])
    assert factors_of(shops, silence=2.0, volume=1.0, complaints=0.0)[0] == ["silence", "volume"]
    assert factors_of(shops, silence=2.0, volume=1.0, complaints=3.0)[0] == ["complaints", "silence", "volume"]


def test_a_retailer_scored_by_rule_is_told_its_cause_too() -> None:
    assert factors_of(five_shops(complaints_26w=[2, 0, 0, 0, 0]), silence=2.0)[0] == ["complaints", "silence"]


def test_a_factor_without_a_sentence_is_an_error() -> None:
    with pytest.raises(UncapError, match="no sentence for the factor 'weather'"):
        reasons_of({"weather": 1.0})
