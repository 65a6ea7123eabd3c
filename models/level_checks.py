"""Did the level of something jump in the newest week: units of a line, prices, SKUs or districts that fall silent, lines above requests?"""

from __future__ import annotations

from math import exp, log

import numpy as np
import pandas as pd

from contracts.data_checks import Finding

STEADY_WEEKS = 8
"""Ordered in each of so many weeks is steady."""

STEADY_LINES = 20.0
"""At so many lines a week chance alone leaves a week empty once in 500 million (Poisson)."""

SILENT_WARNS, SILENT_STOPS = 0.02, 0.1
"""Share of all lines of the SKUs that fall silent at once: a few leave the range every week, a tenth is a lost file."""

DISTRICT_PART = 0.1
"""A steady district below this part of its usual lines is missing."""

KNOWN_LINES = 20
"""Lines that say what is usual of a SKU."""

JUDGED_LINES = 30
"""Fewest lines of the newest week on which a level is judged."""

WARN_TIMES, STOP_TIMES = 1.5, 3.0
"""A level that all SKUs together move by: half as much again is strange, threefold is another unit (packs for cartons, cents for units)."""

ODD_SHARE = 0.02
"""From this share of lines with a tenfold price on, it is the feed and not a slip."""

ABOVE_SHARE, ABOVE_TIMES, STOP_SHARE = 0.2, 2.0, 0.5
"""Share of lines above what they should be that is a warning where it is also so many times the usual one, and an error. Bundles that a
retailer must take (floors) and plans changed within a week put a tenth above in the simulated county."""

_LINES = "raw.order_lines"
_SHOWN = 5


def line_sizes(sku_weeks: pd.DataFrame) -> Finding:
    """Judge the units of the newest week's lines, each SKU against its own weeks before.

    Parameters
    ----------
    sku_weeks
        As ``features.data_check_volumes.sku_weeks`` gives them.
    """
    return _level("line_sizes", "delivered_units", "units of a line", _moved(sku_weeks, "sized", "log_units"))


def price_level(sku_weeks: pd.DataFrame, odd_lines: int, told_lines: int, first_odd: str | None) -> Finding:
    """Judge the money per unit of the newest week, all together and line by line (``features.data_check_volumes.odd_prices``)."""
    level = _level("prices", "amount", "money per unit", _moved(sku_weeks, "priced", "log_price"))
    if level.severity == "error" or not odd_lines:
        return level
    share = odd_lines / told_lines
    stops = share > ODD_SHARE and odd_lines >= JUDGED_LINES
    message = f"{odd_lines:,} of {told_lines:,} lines cost ten times the SKU's usual price or a tenth of it, first line_id={first_odd}"
    severity = "error" if stops else "warning"
    return Finding(
        "prices", severity, _LINES, "amount", f"{message}: correct amount or units and load with --replace", odd_lines, share, 0, 0
    )


def silent_skus(sku_weeks: pd.DataFrame, shut: frozenset[str]) -> Finding:
    """Judge the SKUs that were ordered steadily and are not ordered in the newest week, those left out that nobody could order."""
    usual, silent = _silent(sku_weeks, "sku_id", part=0.0)
    silent = silent[~silent.index.isin(list(shut))]
    share = float(silent.sum() / usual.sum()) if len(silent) else 0.0
    if not len(silent):
        message, severity = "every SKU that was ordered steadily still is, or could not be", "ok"
    else:
        severity = "error" if share >= SILENT_STOPS and len(silent) > 1 else "warning" if share >= SILENT_WARNS else "info"
        message = (
            f"{len(silent):,} SKUs with {share:.1%} of the usual lines were ordered in each of {STEADY_WEEKS} weeks and not at all now:"
            f" {_named(silent)}; load their orders, or their stock-outs into supply, or delisted_on into skus"
        )
    return Finding("silent_skus", severity, _LINES, "sku_id", message, len(silent), share, 0, 0)


def silent_districts(district_weeks: pd.DataFrame) -> Finding:
    """Judge the districts that ordered steadily and hardly do in the newest week."""
    usual, silent = _silent(district_weeks, "district", part=DISTRICT_PART)
    if not len(silent):
        message = "every district that ordered steadily still does" if len(usual) else "no district of a retailer is known"
        return Finding("silent_districts", "ok", "raw.retailers", "district", message, observed=0, expected_high=0)
    share = float(silent.sum() / usual.sum())
    message = (
        f"{len(silent):,} districts with {share:.1%} of the usual lines have hardly any now: {_named(silent)}; load their branch's orders"
    )
    return Finding("silent_districts", "error", _LINES, "retailer_id", message, len(silent), len(silent), None, 0)


def above_requested(request_weeks: pd.DataFrame) -> Finding:
    """Judge the share of the newest week's lines that delivered more than was requested."""
    weeks = request_weeks.rename(columns={"asked": "all", "weeks_ago": "ago"})
    return _share_above("above_requested", _LINES, "requested_units", "lines delivered more than was requested", weeks)


def above_cap(cap_weeks: pd.DataFrame, week: pd.Timestamp) -> Finding:
    """Judge the share of the newest week's retailer-SKU-weeks with a cap that lie above it (``features.data_check_limits``)."""
    ago = (week - pd.to_datetime(cap_weeks.week_start)).dt.days // 7
    weeks = cap_weeks.rename(columns={"capped": "all"}).assign(ago=ago)
    return _share_above("above_cap", "raw.allocation_limits", "cap_units", "capped orders lie above their cap", weeks)


def _moved(sku_weeks: pd.DataFrame, count: str, log_sum: str) -> tuple[float, int]:
    """By which multiple the SKUs' geometric means moved, weighted by the newest lines, and how many lines tell it."""
    rows = sku_weeks[["sku_id", "weeks_ago", count, log_sum]].fillna(0.0)
    now = rows[rows.weeks_ago == 0].set_index("sku_id")
    before = rows[rows.weeks_ago > 0].groupby("sku_id")[[count, log_sum]].sum().add_suffix("_before")
    both = now.join(before[before[f"{count}_before"] >= KNOWN_LINES], how="inner")
    both = both[both[count] > 0]
    lines = int(both[count].sum())
    if not lines:
        return 1.0, 0
    moved = both[log_sum] - both[count] * both[f"{log_sum}_before"] / both[f"{count}_before"]
    return exp(float(moved.sum()) / lines), lines


def _level(check: str, column: str, what: str, moved: tuple[float, int]) -> Finding:
    times, lines = moved
    if lines < JUDGED_LINES:
        message = f"{what}: too few lines of known SKUs to say what is usual"
        return Finding(check, "ok", _LINES, column, message, lines)
    severity = "error" if abs(log(times)) >= log(STOP_TIMES) else "warning" if abs(log(times)) >= log(WARN_TIMES) else "ok"
    message = f"{what}: {times:.2f} times what is usual of the same SKUs"
    if severity != "ok":
        message += ": see whether the file is in other units or another currency, correct it and load with --replace"
    return Finding(check, severity, _LINES, column, message, lines if severity != "ok" else 0, times, 1 / WARN_TIMES, WARN_TIMES)


def _silent(weeks: pd.DataFrame, key: str, *, part: float) -> tuple[pd.Series, pd.Series]:
    """Usual lines a week of all, and those of the steady ones that have at most a part of them now, most lines first."""
    lines = weeks.pivot_table(index=key, columns="weeks_ago", values="lines", aggfunc="sum")
    lines = lines.reindex(columns=range(STEADY_WEEKS + 1)).astype(float).fillna(0.0)
    before = lines.drop(columns=0)
    usual = before.mean(axis=1)
    steady = (before > 0).all(axis=1) & (usual >= STEADY_LINES)
    silent = usual[steady & (lines[0] <= part * usual)]
    return usual, silent.sort_values(ascending=False, kind="stable")


def _named(silent: pd.Series) -> str:
    shown = [f"{name} ({lines:,.0f} lines a week)" for name, lines in silent.head(_SHOWN).items()]
    return ", ".join(shown) + (" and others" if len(silent) > _SHOWN else "")


def _share_above(check: str, table: str, column: str, what: str, weeks: pd.DataFrame) -> Finding:
    now, before = weeks[weeks.ago == 0], weeks[(weeks.ago > 0) & (weeks["all"] > 0)]
    told, above = int(now["all"].sum()), int(now.above.sum())
    if told < JUDGED_LINES:
        return Finding(check, "ok", table, column, f"{above:,} of {told:,} {what}; too few to judge", above)
    share = above / told
    usual = float(np.median(before.above / before["all"])) if len(before) else 0.0
    most = max(ABOVE_SHARE, ABOVE_TIMES * usual)
    severity = "ok" if share <= most else "error" if share >= STOP_SHARE else "warning"
    message = f"{above:,} of {told:,} {what} ({share:.1%}), usual are {usual:.1%}"
    if severity != "ok":
        message += f": see whether {column} and delivered_units are of the same unit and week"
    return Finding(check, severity, table, column, message, above, share, 0, most)
