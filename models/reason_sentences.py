"""What does each factor say of a retailer, in a plain sentence with the retailer's own numbers?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

LEAST_FALL = 0.05
"""A smaller fall, as a share, is nothing to speak of."""

DUE = 0.75
"""Shares of its own mean gap that must have passed before a silence is worth a word."""

Numbers = Mapping[str, Any]
"""One retailer's features by name, and the median of all retailers as ``median_…``; a missing or NaN one is unknown."""

Sentence = Callable[[Numbers], str | None]
"""From a retailer's numbers to a sentence; None where they show nothing to speak of."""


def as_usual(numbers: Numbers) -> str:
    """Say how a retailer orders of which nothing else is to be said."""
    gap, last = _number(numbers, "mean_gap_weeks"), _last_order(_number(numbers, "recency_weeks"))
    if math.isnan(gap):
        return f"Too new for a rhythm of its own: one week with an order in the last year, {last}"
    return f"Orders as it usually does: every {gap:.1f} weeks, last order {last}"


def _silence(numbers: Numbers) -> str | None:
    recency, gap = _number(numbers, "recency_weeks"), _number(numbers, "mean_gap_weeks")
    if not recency >= 1 or recency < DUE * gap:
        return None
    rhythm = "it has no rhythm of its own yet" if math.isnan(gap) else f"it usually orders every {gap:.1f} weeks"
    return f"No order for {_count(recency, 'week')}; {rhythm}"


def _rhythm(numbers: Numbers) -> str | None:
    latest, before = _number(numbers, "order_weeks_13w"), _number(numbers, "order_weeks_prev_13w")
    if latest <= (1 - LEAST_FALL) * before:
        return f"Orders in {latest:.0f} of the last 13 weeks, {before:.0f} of the 13 before"
    if latest < _number(numbers, "median_order_weeks_13w"):
        return f"Orders seldom: in {latest:.0f} of the last 13 weeks"
    longest, gap = _number(numbers, "longest_gap_weeks"), _number(numbers, "mean_gap_weeks")
    return f"Has paused before: {longest:.0f} weeks at the longest, {gap:.1f} on average" if longest >= 3 * gap else None


def _season(numbers: Numbers) -> str | None:
    share = _number(numbers, "order_share_ahead_13w")
    return f"A year ago it ordered in {13 * share:.0f} of the 13 weeks that come next" if share < 0.9 else None


def _tenure(numbers: Numbers) -> str | None:
    weeks = _number(numbers, "tenure_weeks")
    return f"A customer for {_count(weeks + 1, 'week')} only" if weeks < 52 else None


def _volume(numbers: Numbers) -> str | None:
    latest, before = _number(numbers, "true_units_13w"), _number(numbers, "true_units_prev_13w")
    if before > 0 and latest <= (1 - LEAST_FALL) * before:
        return f"Volume down {_fall(latest, before)} against the previous 13 weeks ({before:,.0f} → {latest:,.0f} units)"
    trend = _number(numbers, "true_units_trend_year")
    if trend <= 1 - LEAST_FALL:
        return f"Volume down {_fall(trend, 1)} against the same 13 weeks a year ago (now {latest:,.0f} units)"
    return _below_half(
        latest, _number(numbers, "median_true_units_13w"), "Low volume: {} units in 13 weeks, half of the retailers order over {}"
    )


def _long_decline(numbers: Numbers) -> str | None:
    year, half = _number(numbers, "true_units_trend_year_vs_all"), _number(numbers, "true_units_trend_26w_vs_all")
    if year <= 1 - LEAST_FALL:
        return f"Volume {_against_all(_number(numbers, 'true_units_trend_year'), year, ' on a year ago')}"
    latest, both = _number(numbers, "true_units_26w"), _number(numbers, "true_units_52w")
    if half <= 1 - LEAST_FALL and both > latest:
        return f"Half-year volume {_against_all(latest / (both - latest), half, '')}"
    return None


def _against_all(own: float, against: float, when: str) -> str:
    return f"{_move(own)}{when}, everybody's {_move(own / against)}" if against > 0 else f"{_move(own)}{when}"


def _competitor(numbers: Numbers) -> str | None:
    weeks = _number(numbers, "weeks_since_competitor")
    return f"A competitor opened in its district {_count(weeks, 'week')} ago" if weeks <= 52 else None


def _money(numbers: Numbers) -> str | None:
    latest, before = _number(numbers, "amount_13w"), _number(numbers, "amount_prev_13w")
    if before > 0 and latest <= (1 - LEAST_FALL) * before:
        return f"Spends {_fall(latest, before)} less than in the previous 13 weeks ({before:,.0f} → {latest:,.0f})"
    return _below_half(latest, _number(numbers, "median_amount_13w"), "Spends little: {} in 13 weeks, half of the retailers spend over {}")


def _range(numbers: Numbers) -> str | None:
    latest, before = _number(numbers, "skus_13w"), _number(numbers, "skus_prev_13w")
    if before > 0 and latest <= (1 - LEAST_FALL) * before:
        return f"Orders fewer products: {latest:.0f} in 13 weeks, {before:.0f} in the 13 before"
    return _below_half(
        latest, _number(numbers, "median_skus_13w"), "Narrow range: {} products in 13 weeks, half of the retailers order over {}"
    )


def _below_half(value: float, median: float, sentence: str) -> str | None:
    """A sentence with both numbers where the retailer is in the lower half."""
    return sentence.format(f"{value:,.0f}", f"{median:,.0f}") if value < median else None


def _delisted(numbers: Numbers) -> str | None:
    share = _number(numbers, "delisted_share_52w")
    return f"{100 * share:.0f} % of the units it took in a year are of products delisted since" if share >= 0.005 else None


def _rationing(numbers: Numbers) -> str | None:
    rate, unmet = _number(numbers, "cap_hit_rate_26w"), _number(numbers, "unmet_units_26w")
    if not rate > 0:
        return f"{unmet:,.0f} units that it asked for went unserved in 26 weeks" if unmet >= 1 else None
    unserved = f"; {unmet:,.0f} units went unserved in 26 weeks" if unmet >= 1 else ""
    return f"Cap reached in {100 * rate:.0f} % of its capped orders{unserved}"


def _stockouts(numbers: Numbers) -> str | None:
    share = _number(numbers, "closed_share_26w")
    return f"{100 * share:.0f} % of what it orders was out of stock or closed to it, over 26 weeks" if share >= 0.005 else None


def _complaints(numbers: Numbers) -> str | None:
    recent, unresolved = _number(numbers, "complaints_26w"), _number(numbers, "unresolved_complaints")
    slow = _number(numbers, "slow_complaints_26w")
    if not (recent >= 1 or unresolved >= 1):
        return None
    if not recent >= 1:
        return f"{_count(unresolved, 'complaint')} of the last year unresolved"
    late = f", {slow:.0f} took or waits over 14 days" if slow >= 1 else ""
    return f"{_count(recent, 'complaint')} in 26 weeks" + (f", {unresolved:.0f} unresolved" if unresolved >= 1 else late)


def _survey(numbers: Numbers) -> str | None:
    score, median = _number(numbers, "last_survey_score"), _number(numbers, "median_last_survey_score")
    return f"Last survey score {score:.0f} of 100; half of the retailers gave over {median:.0f}" if score < median else None


def _contact(numbers: Numbers) -> str | None:
    weeks = _number(numbers, "weeks_since_contact")
    if math.isnan(weeks) or weeks > 26:
        return "No visit or call in 26 weeks"
    return f"Last visit or call {_count(round(weeks), 'week')} ago" if weeks >= 4 else None


def _returns(numbers: Numbers) -> str | None:
    returns = _number(numbers, "returns_26w")
    return f"{_count(returns, 'return')} in 26 weeks" if returns >= 1 else None


def _district(numbers: Numbers) -> str | None:
    silent, trend = _number(numbers, "district_silent_share"), _number(numbers, "district_trend_13w")
    near = _number(numbers, "nearby_silent_share")
    if near >= 0.005 and not silent >= near:
        return f"{100 * near:.0f} % of the shops within 1 to 2 km that ordered a quarter ago are silent"
    if silent >= 0.005:
        return f"{100 * silent:.0f} % of the retailers of its district that ordered a quarter ago are silent"
    return f"Volume of its district down {_fall(trend, 1)} against the previous 13 weeks" if trend <= 1 - LEAST_FALL else None


def _shop(numbers: Numbers) -> str | None:
    known = [f"{name} {numbers[name]}" for name in ("area", "channel", "tier", "district") if isinstance(numbers.get(name), str)]
    return f"Shops like it stop more often ({', '.join(known)})" if known else "Shops in a place like its own stop more often"


SENTENCES: dict[str, Sentence] = {
    "silence": _silence,
    "order rhythm": _rhythm,
    "season": _season,
    "tenure": _tenure,
    "volume": _volume,
    "long decline": _long_decline,
    "money": _money,
    "range": _range,
    "delisted SKUs": _delisted,
    "rationing": _rationing,
    "stock-outs": _stockouts,
    "complaints": _complaints,
    "survey": _survey,
    "contact": _contact,
    "returns": _returns,
    "competitor": _competitor,
    "district": _district,
    "shop": _shop,
}
"""The sentence of each factor (`Feature.group`)."""


def _number(numbers: Numbers, name: str) -> float:
    """A number, NaN where it is unknown; comparisons with NaN are false, so unknown never gives a reason."""
    value = numbers.get(name)
    return math.nan if value is None else float(value)


def _count(value: float, noun: str) -> str:
    return f"{value:.0f} {noun}" if round(value) == 1 else f"{value:.0f} {noun}s"


def _fall(latest: float, before: float) -> str:
    return f"{100 * (1 - latest / before):.0f} %"


def _move(ratio: float) -> str:
    return f"down {_fall(ratio, 1)}" if ratio < 1 else f"up {100 * (ratio - 1):.0f} %"


def _last_order(recency: float) -> str:
    return "this week" if recency == 0 else f"{_count(recency, 'week')} ago"
