"""Are the limits and the supply of the newest week there, and do they fit the orders?"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from contracts.data_checks import Finding

WEEKS_BEFORE = 8
"""Weeks that all had limits or supply for these to be expected now."""

FEWEST_ROWS = 5
"""Fewest rows a week that are worth expecting."""

PART_WARNS = 0.5
"""Below this part of the usual rows a week's limits or supply are not whole."""

ZERO_WARNS, ZERO_STOPS, ZERO_TIMES = 0.2, 0.5, 3.0
"""Shares of the limits that are caps of 0, where that is so many times the usual share: a half is an empty column, not a decision."""

ORDERED_WARNS, ORDERED_STOPS, ORDERED_LINES = 0.5, 0.1, 50.0
"""Part of the usual orders of the SKUs with a cap, of so many lines a week at least: below a tenth their orders are not loaded."""

FAR_WEEKS = 26
"""Limits are planned weeks ahead, not half a year: later ones are a slip of the year."""

_LIMITS, _SUPPLY = "raw.allocation_limits", "raw.supply"


def missing_limits(limit_weeks: pd.DataFrame, week: date) -> Finding:
    """Judge whether the newest week has limits, where every week before had: without them a capped order passes for true demand."""
    rows, usual = _now_and_usual(limit_weeks, "limits", week)
    if usual is None or rows >= PART_WARNS * usual:
        message = f"{rows:,} limits of the week of {week}" + ("" if usual is None else f", usual are {usual:,.0f}")
        return Finding("missing_limits", "ok", _LIMITS, "week_start", message, 0, rows)
    message = f"{rows:,} limits of the week of {week}, where each of {WEEKS_BEFORE} weeks before had some and usual are {usual:,.0f}"
    hint = "load them, or accept it if rationing has ended: without them capped orders pass for true demand"
    severity = "warning" if rows else "error"
    return Finding("missing_limits", severity, _LIMITS, "week_start", f"{message}: {hint}", rows, rows, PART_WARNS * usual)


def missing_supply(supply_weeks: pd.DataFrame, week: date) -> Finding:
    """Judge whether the newest week has supply, where every week before had: without it a stock-out passes for no demand."""
    rows, usual = _now_and_usual(supply_weeks, "skus", week)
    if usual is None or rows >= PART_WARNS * usual:
        message = f"supply of {rows:,} SKUs in the week of {week}" + ("" if usual is None else f", usual are {usual:,.0f}")
        return Finding("missing_supply", "ok", _SUPPLY, "week_start", message, 0, rows)
    message = f"supply of {rows:,} SKUs in the week of {week}, where usual are {usual:,.0f}: load it, or a stock-out passes for no demand"
    stops = not rows and bool(supply_weeks.stock_outs.sum())
    return Finding("missing_supply", "error" if stops else "warning", _SUPPLY, "week_start", message, rows, rows, PART_WARNS * usual)


def zero_caps(limit_weeks: pd.DataFrame, week: date) -> Finding:
    """Judge the share of the newest week's limits that are caps of 0."""
    counted = _by_week(limit_weeks)
    limits, zeros = (int(counted.get(name, pd.Series(dtype=float)).get(week, 0)) for name in ("limits", "zero_caps"))
    if limits < FEWEST_ROWS:
        return Finding(
            "zero_caps", "ok", _LIMITS, "cap_units", f"{zeros:,} of {limits:,} limits of the week of {week} are caps of 0", zeros
        )
    before = counted.drop(index=week)
    usual, share = float((before.zero_caps / before.limits).median()) if len(before) else 0.0, zeros / limits
    most = max(ZERO_WARNS, ZERO_TIMES * usual)
    severity = "ok" if share <= most else "error" if share >= ZERO_STOPS else "warning"
    message = f"{zeros:,} of {limits:,} limits of the week of {week} are caps of 0 ({share:.1%}), usual are {usual:.1%}"
    if severity != "ok":
        message += ": nobody may order under them; a cap that is not known is to be left empty"
    return Finding("zero_caps", severity, _LIMITS, "cap_units", message, zeros, share, 0, most)


def caps_without_orders(sku_weeks: pd.DataFrame, capped: frozenset[str], week: date) -> Finding:
    """Judge the orders of the SKUs with a cap against what they had in the weeks before.

    Parameters
    ----------
    sku_weeks
        As ``features.data_check_volumes.sku_weeks`` gives them, of a Sunday.
    capped
        SKUs with a cap above 0 in the newest week.
    week
        Its Monday.
    """
    theirs = sku_weeks[sku_weeks.sku_id.isin(list(capped))]
    by_week = theirs.groupby("weeks_ago").lines.sum().reindex(range(WEEKS_BEFORE + 1), fill_value=0)
    lines, usual = int(by_week[0]), float(np.median(by_week[1:]))
    message = f"{lines:,} lines of the {len(capped):,} SKUs with a cap in the week of {week}, usual are {usual:,.0f}"
    if usual < ORDERED_LINES or lines >= ORDERED_WARNS * usual:
        return Finding("caps_without_orders", "ok", _LIMITS, "sku_id", message, 0, lines)
    severity = "error" if lines < ORDERED_STOPS * usual else "warning"
    message += ": load their orders, or see whether the limits are of another week"
    return Finding("caps_without_orders", severity, _LIMITS, "sku_id", message, lines, lines, ORDERED_WARNS * usual)


def far_limits(count: int, farthest: date | None, last_order: date) -> Finding:
    """Judge the limits of weeks more than half a year after the newest order."""
    if not count or farthest is None:
        return Finding("far_limits", "ok", _LIMITS, "week_start", "no limit is far ahead of the orders", observed=0, expected_high=0)
    message = (
        f"{count:,} limits lie over {FAR_WEEKS} weeks after the newest order {last_order}, up to the week of {farthest}: see their year"
    )
    return Finding("far_limits", "warning", _LIMITS, "week_start", message, count, count, None, 0)


def _by_week(weeks: pd.DataFrame) -> pd.DataFrame:
    return weeks.assign(week_start=pd.to_datetime(weeks.week_start).dt.date).set_index("week_start").sort_index()


def _now_and_usual(weeks: pd.DataFrame, column: str, week: date) -> tuple[int, float | None]:
    """Rows of the week, and the usual ones where every week before had some."""
    counted = _by_week(weeks)[column]
    before = counted.drop(index=week, errors="ignore")
    usual = float(before.median()) if len(before) >= WEEKS_BEFORE else None
    return int(counted.get(week, 0)), usual if usual is None or usual >= FEWEST_ROWS else None
