"""How does churn differ across groups of retailers, what does it cost, and what is retention worth there?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from models.risk import RISK_WEEKS, margin_at_risk
from models.share_intervals import expected_share_interval, wilson_interval

NO_GROUP = ""
"""The group of those of whom it is not known."""

POINT = 0.01

PRIOR_GROUPS = 10.0
"""Dispersion is drawn towards that of independent retailers as if so many groups had it."""


def churn_groups(scores: pd.DataFrame, groups_now: pd.DataFrame, outcomes: pd.DataFrame, groups_then: pd.DataFrame) -> pd.DataFrame:
    """Return churn per grouping and group: expected of the active retailers, and observed of those active 13 weeks before.

    Parameters
    ----------
    scores
        One row per active retailer: retailer_id, p_churn_13w, p_churn_26w, weekly_margin (money; NaN where unknown).
    groups_now
        One row per retailer: retailer_id and one column per grouping, text or null; its columns are the groupings.
    outcomes
        One row per retailer active 13 weeks before whose outcome counts: retailer_id, no_order, and p_churn_13w as it was scored then (NaN
        where it was not).
    groups_then
        Like ``groups_now``, as of 13 weeks before; without a column, nothing observed is said of that grouping.

    Returns
    -------
    pandas.DataFrame
        grouping and group_name, then the figures of ``scored.churn_group``, one row per group with an active retailer.

    Examples
    --------
    >>> columns = ["retailer_id", "p_churn_13w", "p_churn_26w", "weekly_margin"]
    >>> scores = pd.DataFrame([["A", 0.1, 0.1, 50.0], ["B", 0.3, 0.2, 10.0]], columns=columns)
    >>> tiers = pd.DataFrame({"retailer_id": ["A", "B"], "tier": ["T1", None]})
    >>> outcomes = pd.DataFrame({"retailer_id": ["A"], "no_order": [False], "p_churn_13w": [0.2]})
    >>> rows = churn_groups(scores, tiers, outcomes, tiers)
    >>> rows[["grouping", "group_name", "rate_13w", "observed_retailers", "cost_of_point", "retention_worth"]].values.tolist()
    [['tier', '', 0.3, 0, 2.6, 52.0], ['tier', 'T1', 0.1, 1, 13.0, 130.0]]
    """
    expected = scores.merge(groups_now, on="retailer_id", how="left")
    observed = outcomes.merge(groups_then, on="retailer_id", how="left")
    rows = []
    for grouping in groups_now.columns.drop("retailer_id"):
        seen = _by_group(observed, grouping) if grouping in groups_then.columns else {}
        dispersion = group_dispersion([*seen.values()])
        for name, members in _by_group(expected, grouping).items():
            figures = _expected(members, dispersion) | _observed(seen.get(name, outcomes.head(0))) | _worth(members)
            rows.append({"grouping": grouping, "group_name": name} | figures)
    return pd.DataFrame(rows, columns=[*_COLUMNS])


def group_dispersion(outcomes_by_group: Sequence[pd.DataFrame]) -> float:
    """Return how far counts of groups lay from what was expected of them, in variances of independent retailers; 1 at least.

    Shops of a group share their fate: a competitor opens, a road is closed. Then counts differ more between groups than chance would have
    it, and next time's will too. That all groups had more or less than expected is another matter (calibration) and is taken out.

    Parameters
    ----------
    outcomes_by_group
        For each group, one row per retailer: no_order, and p_churn_13w as scored before the window; rows without it are left aside.

    Examples
    --------
    >>> certain = [pd.DataFrame({"no_order": [lost] * 50, "p_churn_13w": 0.5}) for lost in (True, False)]
    >>> round(group_dispersion(certain), 1)
    10.0
    >>> group_dispersion([])
    1.0
    """
    known = [group[group["p_churn_13w"].notna()] for group in outcomes_by_group]
    known = [group for group in known if len(group)]
    variance = np.array([(group["p_churn_13w"] * (1.0 - group["p_churn_13w"])).sum() for group in known])
    if len(known) < 2 or variance.sum() <= 0.0:
        return 1.0
    counts = np.array([group["no_order"].sum() for group in known], dtype=np.float64)
    expected = np.array([group["p_churn_13w"].sum() for group in known])
    apart = counts - expected * counts.sum() / expected.sum()
    spread = float((apart**2).sum() / variance.mean())
    return max((spread + PRIOR_GROUPS) / (len(known) - 1 + PRIOR_GROUPS), 1.0)


def _by_group(retailers: pd.DataFrame, grouping: str) -> Mapping[str, pd.DataFrame]:
    """Retailers by the name of their group, in the order of the names."""
    names = retailers[grouping].astype(object).where(retailers[grouping].notna(), NO_GROUP)
    return {str(name): members for name, members in retailers.groupby(names, sort=True)}


def _expected(members: pd.DataFrame, dispersion: float) -> dict[str, float]:
    p_churn = members["p_churn_13w"].to_numpy(dtype=np.float64)
    low, high = expected_share_interval(p_churn, dispersion=dispersion)
    return {
        "retailers": len(members),
        "expected_churners_13w": float(p_churn.sum()),
        "rate_13w": float(p_churn.mean()),
        "rate_13w_low": low,
        "rate_13w_high": high,
    }


def _observed(outcomes: pd.DataFrame) -> dict[str, float]:
    if outcomes.empty:
        return {"observed_retailers": 0} | dict.fromkeys(_OBSERVED, float("nan"))
    silent = int(outcomes["no_order"].sum())
    shares = (silent / len(outcomes), *wilson_interval(silent, len(outcomes)))
    return {"observed_retailers": len(outcomes)} | dict(zip(_OBSERVED, shares, strict=True))


def _worth(members: pd.DataFrame) -> dict[str, float]:
    """Money of 26 weeks; retailers without a known margin are left out, and NaN stands where no margin is known."""
    known = members[members["weekly_margin"].notna()]
    if known.empty:
        return dict.fromkeys(_MONEY, float("nan"))
    weekly = known["weekly_margin"].to_numpy(dtype=np.float64)
    margin = float(weekly.sum()) * RISK_WEEKS
    at_risk = margin_at_risk(known[["p_churn_26w"]].to_numpy(dtype=np.float64), weekly)
    return dict(zip(_MONEY, (margin, POINT * margin, float(at_risk.sum())), strict=True))


_OBSERVED: Sequence[str] = ("observed_rate_13w", "observed_rate_13w_low", "observed_rate_13w_high")
_MONEY: Sequence[str] = ("margin_26w", "cost_of_point", "retention_worth")
_COLUMNS: Sequence[str] = (
    *("grouping", "group_name", "retailers", "expected_churners_13w", "rate_13w", "rate_13w_low", "rate_13w_high"),
    *("observed_retailers", *_OBSERVED, *_MONEY),
)
