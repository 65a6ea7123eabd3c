"""How often do the three reasons of a flagged retailer name the cause for which it leaves?"""

from __future__ import annotations

import numpy as np
import pandas as pd

NAMES = {
    "competitor": {"competitor", "district"},
    "starved": {"rationing"},
    "service": {"complaints", "survey"},
    "footfall": {"long decline"},
}
"""Factors that name a cause. Closed and relicensed shops did not churn."""

WEEKS_BEFORE = 13
"""Flagged counts as of a Sunday at most so many weeks before the shop stopped."""


def flagged_churners(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of retailers that were flagged in the 13 weeks before they stopped for one of the causes.

    Parameters
    ----------
    scores
        One row per retailer and Sunday: retailer_id, as_of, flagged, factors (a set), cause and weeks_to_stop (NaN if it goes on).
    """
    near = scores.cause.isin(list(NAMES)) & scores.weeks_to_stop.between(0, WEEKS_BEFORE)
    return scores[scores.flagged & near].sort_values("as_of")


def named(rows: pd.DataFrame, cause: str) -> pd.Series:
    """Return of each row whether one of its reasons names a cause.

    >>> named(pd.DataFrame({"factors": [{"silence"}, {"survey", "silence"}]}), "service").tolist()
    [False, True]
    """
    return rows.factors.map(lambda factors: bool(NAMES[cause] & factors)).astype(bool)


def reason_figures(scores: pd.DataFrame) -> dict[str, object]:
    """Return the figures of one county.

    Parameters
    ----------
    scores
        As for `flagged_churners`, with fading_weeks: 0 where the shop leaves without a sign in its orders.

    Returns
    -------
    dict
        ``flagged_churners`` of ``churners``; shares of them whose cause is named: ``at_first_flag``, with and without a sign in the
        orders, by cause, and ``at_last_flag``; ``by_chance``, if each had the reasons of another flagged churner; ``named_of_others``,
        by cause, of the flagged churners that leave for something else and of flagged retailers that go on for half a year;
        ``causes_named``, of four, in the mean flagged row.
    """
    rows = flagged_churners(scores)
    hits = np.zeros(len(rows), dtype=bool)
    for cause in NAMES:
        hits |= ((rows.cause == cause) & named(rows, cause)).to_numpy()
    first, last = (rows.assign(hit=hits).drop_duplicates("retailer_id", keep=which) for which in ("first", "last"))
    flagged = scores[scores.flagged]
    stay = flagged[~(flagged.weeks_to_stop <= 26)]
    churners = scores[scores.cause.isin(list(NAMES)) & scores.weeks_to_stop.between(0, WEEKS_BEFORE)].retailer_id.nunique()
    signs = first.fading_weeks > 0
    return {
        "churners": int(churners),
        "flagged_churners": len(first),
        "at_first_flag": _share(first.hit),
        "at_first_flag_with_a_sign": _share(first.hit[signs]),
        "at_first_flag_without_a_sign": _share(first.hit[~signs]),
        "at_first_flag_by_cause": {cause: [_share(first.hit[first.cause == cause]), int((first.cause == cause).sum())] for cause in NAMES},
        "at_last_flag": _share(last.hit),
        "by_chance": round(sum(float((first.cause == cause).mean() * named(first, cause).mean()) for cause in NAMES), 3),
        "named_of_others": {
            cause: {"churners": _share(named(first[first.cause != cause], cause)), "staying": _share(named(stay, cause))} for cause in NAMES
        },
        "causes_named": round(sum(float(named(flagged, cause).mean()) for cause in NAMES), 2),
    }


def _share(hits: pd.Series) -> float | None:
    return round(float(np.mean(hits)), 3) if len(hits) else None
