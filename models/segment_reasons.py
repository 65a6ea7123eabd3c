"""Why did a retailer's stage, class or tier change, or why should it, in plain words with its own numbers?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from contracts.customers import VALUE_CLASSES
from contracts.segment_definitions import ACQUISITION_WEEKS, CRITICAL_P_CHURN_13W, SILENT_WEEKS, VALUE_BOUNDARIES

Row = Mapping[Any, Any]
"""A retailer's figures by name."""


def change_reasons(segments: pd.DataFrame) -> pd.Series:
    """Return one text per retailer, None where nothing changed and nothing is to change.

    Parameters
    ----------
    segments
        One row per retailer: ``stage``, ``stage_prev``, ``stage_seen``, ``value_class``, ``value_class_prev``, ``value_class_computed``,
        ``lifetime_value``, ``value_rank`` (share of retailers of higher value), ``tier``, ``suggested_tier``, ``standing_rank`` (share of
        retailers of higher standing), ``override_id``, and the figures of ``models.lifecycle.life_figures``.
    """
    texts = [" ".join(part for part in (_stage(row), _value(row), _tier(row)) if part) for row in segments.to_dict("records")]
    return pd.Series([text or None for text in texts], index=segments.index, dtype=object)


def _stage(row: Row) -> str:
    stage, before, seen = (_text(row[name]) for name in ("stage", "stage_prev", "stage_seen"))
    if before and stage != before:
        return f"Stage {_words(before)} to {_words(stage)}: {_evidence(row, seen)}, as at the reclassification before."
    if seen != stage:
        return f"Stage {_words(stage)}, would be {_words(seen)} if the next reclassification finds the same: {_evidence(row, seen)}."
    return ""


def _evidence(row: Row, stage: str) -> str:
    """What the figures say for a stage."""
    silent, gaps, age, p_churn = (_number(row, name) for name in ("silent_weeks", "silent_gaps", "age_weeks", "p_churn_13w"))
    if stage == "win_back" or silent >= SILENT_WEEKS:
        return f"no order for {silent:.0f} weeks, {gaps:.1f} of its usual gaps"
    if stage == "acquisition":
        return f"first order {age:.0f} weeks ago, fewer than {ACQUISITION_WEEKS}"
    compared = _compared(row)
    if stage == "decline" and p_churn >= CRITICAL_P_CHURN_13W:
        return f"a probability of {p_churn:.0%} to order nothing in 13 weeks; {compared}"
    return compared


def _compared(row: Row) -> str:
    own, market = _number(row, "own_ratio"), _number(row, "market_ratio")
    against = "of the same weeks a year before" if row["year_on_year"] else "of the 13 weeks before"
    if math.isnan(own):
        return f"demand of 13 weeks after none {against.removeprefix('of ')}"
    return f"demand of 13 weeks is {own:.0%} {against}, that of the median retailer {market:.0%}"


def _value(row: Row) -> str:
    now, before, computed, override = (
        _text(row[name]) for name in ("value_class", "value_class_prev", "value_class_computed", "override_id")
    )
    if now != computed:
        return f"Value class {now} by override {override}; the figures say {computed}: {_standing(row, computed)}."
    if before and now != before:
        return f"Value class {before} to {now}: {_standing(row, now)}."
    return ""


def _standing(row: Row, value_class: str) -> str:
    value, rank = _number(row, "lifetime_value"), _number(row, "value_rank")
    if value_class == VALUE_CLASSES[-1]:
        return f"lifetime value {value:,.0f}, serving it costs more than it brings"
    place = min(VALUE_CLASSES.index(value_class), len(VALUE_BOUNDARIES) - 1)
    ends = f", {VALUE_CLASSES[place]} ends at {VALUE_BOUNDARIES[place]:.0%}"
    return f"lifetime value {value:,.0f}, {rank:.1%} of retailers stand higher{ends}"


def _tier(row: Row) -> str:
    now, suggested, override = (_text(row[name]) for name in ("tier", "suggested_tier", "override_id"))
    if not suggested or suggested == now:
        return ""
    if row["tier_overridden"]:
        return f"Tier {suggested} instead of {now or 'none'} by override {override}."
    rank = _number(row, "standing_rank")
    return f"Tier {suggested} instead of {now}: {rank:.1%} of retailers stand higher by value, contribution and loyalty."


def _words(stage: str) -> str:
    return stage.replace("_", "-")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(row: Row, name: str) -> float:
    value = row[name]
    return float(value) if isinstance(value, (int, float)) else math.nan
