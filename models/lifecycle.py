"""In which stage of its life as a customer is a retailer, and is that settled yet?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import (
    ACQUISITION_WEEKS,
    CRITICAL_P_CHURN_13W,
    DECLINE_RATIO,
    GROWTH_RATIO,
    LOST_WEEKS,
    SILENT_GAPS,
    SILENT_WEEKS,
    STEADY_SHARE,
    UNSEEN_START_WEEKS,
)
from models.rfm_scores import silence_gaps

FloatArray = npt.NDArray[np.float64]

YEAR_AND_QUARTER = 65.0
"""Weeks of history it takes to compare 13 weeks with the same of a year before."""

QUARTERS = 4.0


def life_figures(history: pd.DataFrame, p_churn_13w: npt.ArrayLike) -> pd.DataFrame:
    """Return what stages are told by, one row per retailer in the order and with the index of ``history``.

    Parameters
    ----------
    history
        As ``features.segment_history`` gives it.
    p_churn_13w
        Probability of no order in 13 weeks; NaN for those that are not active, shape (retailers,).

    Returns
    -------
    pandas.DataFrame
        ``silent_weeks`` (0 when it ordered in the last known week); ``silent_gaps`` (in own mean gaps); ``age_weeks`` (since its first
        order; NaN where that lies so early on record that it may have ordered before); ``own_ratio`` (true demand of 13 weeks over the
        same weeks a year before, or over the 13 weeks before where it has no year); ``market_ratio`` (that of the median retailer with
        as much history that is not silent); ``growth_ratio`` (one over the other, both steadied by a quarter of an average 13 weeks);
        ``year_on_year``; ``p_churn_13w``.
    """
    tenure = history.tenure_weeks.to_numpy(dtype=np.float64)
    on_record = history.weeks_on_record.to_numpy(dtype=np.float64)
    now, quarter_before, year_before, year = (
        history[f"true_units_{window}"].to_numpy(dtype=np.float64) for window in ("13w", "prev_13w", "year_ago_13w", "52w")
    )
    has_year = tenure + 1.0 >= YEAR_AND_QUARTER
    has_quarter = tenure + 1.0 >= 2 * 13
    before = np.where(has_year, year_before, quarter_before)
    orders = history.recency_weeks.to_numpy(dtype=np.float64) < SILENT_WEEKS
    market = np.where(
        has_year, _median_ratio(now, year_before, has_year & orders), _median_ratio(now, quarter_before, has_quarter & orders)
    )
    steady = STEADY_SHARE * year / np.clip((tenure + 1.0) / 13.0, 1.0, QUARTERS)
    expected = before * market
    return pd.DataFrame(
        {
            "silent_weeks": history.recency_weeks.to_numpy(dtype=np.float64),
            "silent_gaps": silence_gaps(history),
            "age_weeks": np.where(tenure <= on_record - UNSEEN_START_WEEKS, tenure, np.nan),
            "own_ratio": np.divide(now, before, out=np.full(len(now), np.nan), where=has_quarter & (before > 0)),
            "market_ratio": market,
            "growth_ratio": np.divide(now + steady, expected + steady, out=np.ones(len(now)), where=has_quarter & (expected + steady > 0)),
            "year_on_year": has_year,
            "p_churn_13w": np.asarray(p_churn_13w, dtype=np.float64),
        },
        index=history.index,
    )


def stages_seen(figures: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Return the stage that the figures of one reclassification show, whatever was found before.

    The first that holds of: win_back (silent for 8 weeks that are three own gaps, or for 26), decline (silent for 8 weeks), acquisition
    (first order less than 26 weeks ago), decline (demand at most 3/4 of what a year before and the market let expect, or P(no order in
    13 weeks) at least 0.4), growth (at least 4/3 of it), maintenance.

    Parameters
    ----------
    figures
        As `life_figures` gives them.
    """
    silent = figures.silent_weeks >= SILENT_WEEKS
    gone = (silent & (figures.silent_gaps >= SILENT_GAPS)) | (figures.silent_weeks >= LOST_WEEKS)
    rules = (
        (gone, "win_back"),
        (silent, "decline"),
        (figures.age_weeks < ACQUISITION_WEEKS, "acquisition"),
        ((figures.growth_ratio <= DECLINE_RATIO) | (figures.p_churn_13w >= CRITICAL_P_CHURN_13W), "decline"),
        (figures.growth_ratio >= GROWTH_RATIO, "growth"),
    )
    return np.select([rule.to_numpy(dtype=bool) for rule, _ in rules], [stage for _, stage in rules], default="maintenance")


def settled_stages(seen: Sequence[str], seen_before: Sequence[str | None], stage_before: Sequence[str | None]) -> npt.NDArray[np.str_]:
    """Return the stage of each retailer: another one than before only when two reclassifications in a row have seen that same other one.

    Parameters
    ----------
    seen, seen_before
        What the figures of this reclassification and of that before show; None for a retailer that was not classified then.
    stage_before
        Its stage then.

    Examples
    --------
    >>> settled_stages(["decline", "decline", "growth"], ["maintenance", "decline", None], ["maintenance", "maintenance", None]).tolist()
    ['maintenance', 'decline', 'growth']
    """
    rows = zip(seen, seen_before, stage_before, strict=True)
    return np.array([now if _is_new(stage) or now == earlier else stage for now, earlier, stage in rows], dtype=np.str_)


def _is_new(stage_before: str | None) -> bool:
    return not isinstance(stage_before, str)


def _median_ratio(now: FloatArray, before: FloatArray, counts: npt.NDArray[np.bool_]) -> float:
    """What the median retailer of those that count wants over what it wanted before; 1 where none wanted anything."""
    wanted = counts & (before > 0)
    ratio = float(np.median(now[wanted] / before[wanted])) if wanted.any() else 1.0
    return ratio if ratio > 0 else 1.0
