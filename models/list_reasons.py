"""Why is a retailer on a work list, in plain words with its own numbers?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from contracts.churn_targets import CLOSED_SHARE

Numbers = Mapping[str, Any]
"""One candidate of a list by column."""


def with_reasons(candidates: pd.DataFrame, sentence: Callable[[Numbers], str]) -> pd.DataFrame:
    """Return the candidates with ``reason``."""
    columns = [str(name) for name in candidates.columns]
    reasons = [sentence(dict(zip(columns, row, strict=True))) for row in candidates.itertuples(index=False, name=None)]
    return candidates.assign(reason=pd.Series(reasons, index=candidates.index, dtype=object))


def key_account_reason(numbers: Numbers) -> str:
    """Say what warns of a key account.

    >>> key_account_reason({"p_churn_13w": 0.2, "p_decline_13w": 0.5, "weekly_margin": 812.4, "reason_1": "No order for 5 weeks"})
    'Key account: 20 % likely not to order in 13 weeks, 50 % likely to order half of last year; brings 812 a week. No order for 5 weeks'
    """
    halves = "" if _unknown(numbers["p_decline_13w"]) else f", {_percent(numbers['p_decline_13w'])} likely to order half of last year"
    return f"Key account: {_percent(numbers['p_churn_13w'])} likely not to order in 13 weeks{halves}{_brings(numbers)}. {_why(numbers)}"


def at_risk_reason(numbers: Numbers) -> str:
    """Say how likely an active retailer stops, what it brings and why.

    >>> at_risk_reason({"p_churn_13w": 0.2, "weekly_margin": 40.0, "reason_1": "No order for 5 weeks", "reason_2": "2 returns in 26 weeks"})
    '20 % likely not to order in 13 weeks; brings 40 a week. No order for 5 weeks; 2 returns in 26 weeks'
    """
    return f"{_percent(numbers['p_churn_13w'])} likely not to order in 13 weeks{_brings(numbers)}. {_why(numbers)}"


def win_back_reason(numbers: Numbers) -> str:
    """Say since when a lost retailer is silent, what it brought, and what its score said before it stopped.

    >>> win_back_reason({"silent_weeks": 16, "mean_gap_weeks": 1.25, "p_return": 0.08, "weekly_margin": 40.0, "reason_1": None})
    'No order for 16 weeks, before every 1.2 weeks: 8 % likely to come back by itself; brought 40 a week. No score from before it stopped'
    """
    why = "No score from before it stopped" if _unknown(numbers.get("reason_1")) else f"Before it stopped: {_why(numbers)}"
    return (
        f"{_silence(numbers)}, before every {numbers['mean_gap_weeks']:.1f} weeks: {_percent(numbers['p_return'])} likely to come back by"
        f" itself{_brings(numbers, 'brought')}. {why}"
    )


def mistaken_lost_reason(numbers: Numbers) -> str:
    """Say what speaks against a silent retailer being lost: the wholesaler's own gaps, a pause last year, or its rhythm.

    >>> mistaken_lost_reason({"silent_weeks": 10, "closed_share": 0.8, "p_return": 0.7, "paused_a_year_ago": 0.0,
    ...                       "mean_gap_weeks": 1.2, "longest_gap_weeks": 2.0, "weekly_margin": 40.0})
    'No order for 10 weeks, but 80 % of what it usually orders was out of stock or closed to it; 70 % likely to order within 26 weeks; \
brought 40 a week'
    """
    if numbers["closed_share"] > CLOSED_SHARE:
        why = f"{_percent(numbers['closed_share'])} of what it usually orders was out of stock or closed to it"
    elif numbers["paused_a_year_ago"]:
        why = "it paused in the same weeks a year ago and came back"
    else:
        why = (
            f"it orders every {numbers['mean_gap_weeks']:.1f} weeks on average and has paused for {numbers['longest_gap_weeks']:.0f} before"
        )
    return f"{_silence(numbers)}, but {why}; {_percent(numbers['p_return'])} likely to order within 26 weeks{_brings(numbers, 'brought')}"


def _silence(numbers: Numbers) -> str:
    return f"No order for {numbers['silent_weeks']:.0f} weeks"


def _brings(numbers: Numbers, verb: str = "brings") -> str:
    margin = numbers["weekly_margin"]
    return "" if _unknown(margin) else f"; {verb} {margin:,.0f} a week"


def _why(numbers: Numbers) -> str:
    return "; ".join(numbers[name] for name in ("reason_1", "reason_2") if not _unknown(numbers.get(name)))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _unknown(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
