"""Which possible causes of leaving does a retailer show more of than most of its peers?

Falling orders are a symptom: whatever drives a shop away, they fall. The trees find the symptom the best forecast of all and leave little
of their log-odds to what is behind it, so the causes are read off the figures themselves, against all retailers scored on the same day.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.float64]

WORST_SHARE = 0.2
"""A cause is raised where at most this share of the retailers are as badly off."""

NEWS_WEEKS = 26
"""A competitor that opened longer ago has taken whom it could. Half a year is news whatever share of the retailers live there."""

SYMPTOMS = ("silence", "order rhythm", "volume", "money", "range")
"""Factors that show that a retailer leaves and not why."""


def worse_shares(retailers: pd.DataFrame) -> pd.DataFrame:
    """Return, per possible cause, the share of the retailers that are at least as badly off as each one.

    Parameters
    ----------
    retailers
        The features of all retailers scored on a day, one row each; a column that is missing is unknown.

    Returns
    -------
    pd.DataFrame
        In the order given, a column per factor: complaints, rationing, long decline, competitor. Between 0 and 1; 1 where nothing
        adverse is known. A column is raised where it is at most ``WORST_SHARE``.

    Examples
    --------
    >>> shops = pd.DataFrame({"complaints_26w": [0.0, 1.0, 3.0, 0.0, 0.0]})
    >>> worse_shares(shops)["complaints"].tolist()
    [1.0, 0.4, 0.2, 1.0, 1.0]
    """
    shares = {
        "complaints": _worse(_complaints(retailers)),
        "rationing": _worse(_rationing(retailers)),
        "long decline": _worse(_long_decline(retailers)),
        "competitor": _competitor(retailers),
    }
    return pd.DataFrame(shares, index=retailers.index)


def _complaints(retailers: pd.DataFrame) -> Numbers:
    """Complaints of half a year by their severity, 50 being ordinary, and once more where they waited long."""
    count, severity = _column(retailers, "complaints_26w"), _column(retailers, "complaint_severity_26w")
    slow = np.nan_to_num(_column(retailers, "slow_complaints_26w"))
    weighed = count * np.where(np.isnan(severity), 1.0, severity / 50) + slow
    return np.where(count > 0, weighed, np.nan)


def _rationing(retailers: pd.DataFrame) -> Numbers:
    """How much of its demand went unserved (the last quarter twice) and how often it met a cap: the two ranks together."""
    half, quarter = _column(retailers, "unmet_share_26w"), np.nan_to_num(_column(retailers, "unmet_share_13w"))
    unmet, met = _worse(half + quarter), _worse(_column(retailers, "cap_hit_rate_26w"))
    return np.where(half + quarter > 0, -(unmet + met), np.nan)


def _long_decline(retailers: pd.DataFrame) -> Numbers:
    """Mean log fall against everybody over half a year, over a year, and before the last quarter; unknown where it does not fall."""
    names = ("true_units_trend_26w_vs_all", "true_units_trend_year_vs_all", "true_units_earlier_trend_vs_all")
    ratios = np.stack([_column(retailers, name) for name in names], axis=1)
    known = ~np.isnan(ratios)
    falls = np.where(known, -np.log(np.maximum(np.nan_to_num(ratios), 0.01)), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(falls > 0, falls, np.nan)


def _competitor(retailers: pd.DataFrame) -> Numbers:
    """Raised wherever one opened in the last half year, the more recent the more."""
    weeks = _column(retailers, "weeks_since_competitor")
    return np.where(weeks <= NEWS_WEEKS, np.minimum(_worse(-weeks), WORST_SHARE), 1.0)


def _worse(badness: Numbers) -> Numbers:
    """Share of all retailers at least as high as each one, itself included; 1 where it is unknown."""
    known = np.sort(badness[~np.isnan(badness)])
    as_high = len(known) - np.searchsorted(known, badness, side="left")
    return np.where(np.isnan(badness), 1.0, as_high / max(len(badness), 1))


def _column(retailers: pd.DataFrame, name: str) -> Numbers:
    """A feature, NaN where it is not among the columns."""
    if name not in retailers.columns:
        return np.full(len(retailers), np.nan)
    return np.asarray(retailers[name].to_numpy(dtype=np.float64, na_value=np.nan))
