"""Limits and supply of the newest week against those of the weeks before."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from models.limit_checks import caps_without_orders, far_limits, missing_limits, missing_supply, zero_caps

WEEK = date(2024, 9, 23)


def limits(now: int = 100, zeros_now: int = 2, *, weeks: int = 8) -> pd.DataFrame:
    """A hundred limits a week, two of them caps of 0, the newest week as told."""
    rows = [(WEEK, now, zeros_now)] if now else []
    rows += [(WEEK - timedelta(weeks=ago), 100, 2) for ago in range(1, weeks + 1)]
    return pd.DataFrame(rows, columns=["week_start", "limits", "zero_caps"])


def supply(now: int = 70, stock_outs: int = 1) -> pd.DataFrame:
    rows = [(WEEK, now, 0)] if now else []
    rows += [(WEEK - timedelta(weeks=ago), 70, stock_outs) for ago in range(1, 9)]
    return pd.DataFrame(rows, columns=["week_start", "skus", "stock_outs"])


@pytest.mark.parametrize(("now", "severity"), [(100, "ok"), (60, "ok"), (30, "warning"), (0, "error")])
def test_limits_that_every_week_had_are_expected(now: int, severity: str) -> None:
    assert missing_limits(limits(now), WEEK).severity == severity


def test_limits_that_not_every_week_had_are_not_expected() -> None:
    assert missing_limits(limits(0, weeks=7), WEEK).severity == "ok"
    assert missing_limits(limits(0)[:0], WEEK).severity == "ok"


def test_missing_supply_stops_only_where_there_are_stock_outs_to_miss() -> None:
    assert missing_supply(supply(0), WEEK).severity == "error"
    assert missing_supply(supply(0, stock_outs=0), WEEK).severity == "warning"
    assert missing_supply(supply(20), WEEK).severity == "warning"
    assert missing_supply(supply(), WEEK).severity == "ok"


@pytest.mark.parametrize(("zeros", "severity"), [(2, "ok"), (30, "warning"), (100, "error")])
def test_caps_of_zero_for_everybody_are_an_empty_column(zeros: int, severity: str) -> None:
    assert zero_caps(limits(zeros_now=zeros), WEEK).severity == severity


def test_caps_of_zero_that_are_usual_pass() -> None:
    assert zero_caps(limits(zeros_now=50).assign(zero_caps=50), WEEK).severity == "ok"
    assert zero_caps(limits()[:0], WEEK).severity == "ok"


@pytest.mark.parametrize(("now", "severity"), [(90, "ok"), (30, "warning"), (2, "error")])
def test_a_week_with_caps_and_hardly_an_order_of_their_skus_is_seen(now: int, severity: str) -> None:
    skus = pd.DataFrame({"sku_id": "S1", "weeks_ago": range(9), "lines": [now, *[100] * 8]})
    assert caps_without_orders(skus, frozenset({"S1", "S2"}), WEEK).severity == severity
    assert caps_without_orders(skus, frozenset({"S2"}), WEEK).severity == "ok"


def test_limits_of_another_year_are_a_warning() -> None:
    assert far_limits(12, date(2026, 9, 28), WEEK).severity == "warning"
    assert far_limits(0, None, WEEK).severity == "ok"
