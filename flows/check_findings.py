"""What do the data checks find as of a day? Fetches what each of them judges; the judgement itself is in ``models``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from contracts.data_checks import QUARANTINE_DECISIONS, Finding
from contracts.raw import ALLOCATION_LIMITS, EVENTS, ORDER_LINES, RETAILERS, SKUS, SUPPLY
from contracts.weeks import last_sunday, last_week, week_start_of
from features.calendar import holiday_dates
from features.data_check_limits import far_limits, limit_weeks, sku_states, supply_weeks, weeks_above_cap
from features.data_check_quarantine import quarantined_lines
from features.data_check_registers import newcomers, register_faults
from features.data_check_volumes import district_weeks, everybodys_events, odd_prices, order_days, request_weeks, sku_weeks
from features.holiday_names import main_holidays
from features.moving_holidays import same_week_last_year
from flows.country import calendar_of
from flows.opening import order_span
from flows.settings import Settings
from models import level_checks, limit_checks, register_checks, volume_checks
from models.volume_checks import HISTORY_WEEKS, DayLines
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch, has_rows

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Period:
    """The days that are judged: from ``first`` to ``as_of``, and the whole calendar ``week`` up to then."""

    first: date
    as_of: date
    week: date


def data_findings(con: Warehouse, settings: Settings, as_of: date) -> list[Finding]:
    """Return what every check of ``contracts.data_checks.CHECKS`` found, nothing after ``as_of`` counted.

    Parameters
    ----------
    con
        The warehouse.
    settings
        Whose holidays count, and how many lines may be put aside.
    as_of
        Last day that is known, of any weekday; the seven days that end with it are judged.
    """
    lines = fetch(con, order_days(contract_table(ORDER_LINES), as_of)).to_pydict()
    by_day = dict(zip(lines["ordered_on"], lines["lines"], strict=True))
    period = _Period(as_of - 6 * _DAY, as_of, last_week(last_sunday(as_of)))
    days = _day_lines(con, settings, by_day, as_of)
    skus = fetch(con, sku_weeks(contract_table(ORDER_LINES), as_of)).to_pandas()
    states = _states(con, period)
    return [
        *_volume_findings(days),
        *_line_findings(con, settings, period, days),
        *_level_findings(con, period, skus, states),
        *_register_findings(con, period, days),
        *_limit_findings(con, period, skus, states),
    ]


def _day_lines(con: Warehouse, settings: Settings, by_day: dict[date, int], as_of: date) -> DayLines:
    """The lines of each day with the holidays around them and the week of last year to compare with."""
    calendar = calendar_of(con, settings, last_sunday(as_of))
    country, subdivision = calendar.country, calendar.subdivision or None
    first = as_of - timedelta(weeks=HISTORY_WEEKS + 1)
    public = holiday_dates(country, first, as_of + 7 * _DAY, subdivision)
    own = frozenset(fetch(con, everybodys_events(contract_table(EVENTS)))["event_date"].to_pylist())
    beside = frozenset(day + step for day in public for step in (-_DAY, _DAY))
    week = week_start_of(as_of)
    year_before = as_of - (week - same_week_last_year(week, main_holidays(country, subdivision, calendar.moving_holidays)))
    return DayLines(by_day, as_of, days_off=public, bridges=beside | own, year_before=year_before)


def _volume_findings(days: DayLines) -> list[Finding]:
    level = volume_checks.week_level(days)
    return [
        *volume_checks.late_and_missing_days(days, level),
        volume_checks.weekly_volume(days, level),
        volume_checks.daily_volume(days, level),
    ]


def _line_findings(con: Warehouse, settings: Settings, period: _Period, days: DayLines) -> list[Finding]:
    """Lines of the newest days that are put aside."""
    lines, decisions = contract_table(ORDER_LINES), contract_table(QUARANTINE_DECISIONS)
    found = quarantined_lines(lines, decisions, period.as_of, days=(period.first, period.as_of))
    rows = fetch(con, found.order_by("line_id")).to_pylist()
    return register_checks.quarantine_findings(rows, max(1, days.sum_to(period.as_of)), settings.data_checks.quarantine_share)


def _level_findings(con: Warehouse, period: _Period, skus: pd.DataFrame, states: pd.DataFrame) -> list[Finding]:
    lines = contract_table(ORDER_LINES)
    prices = fetch(con, odd_prices(lines, period.as_of)).to_pylist()[0]
    districts = fetch(con, district_weeks(lines, contract_table(RETAILERS), period.as_of)).to_pandas()
    requests = fetch(con, request_weeks(lines, period.as_of)).to_pandas()
    return [
        level_checks.line_sizes(skus),
        level_checks.price_level(skus, prices["odd"], prices["lines"], prices["first_line"]),
        level_checks.silent_districts(districts),
        level_checks.silent_skus(skus, frozenset(states.sku_id[states.state != "capped"])),
        level_checks.above_requested(requests),
    ]


def _register_findings(con: Warehouse, period: _Period, days: DayLines) -> list[Finding]:
    lines, retailers, skus = contract_table(ORDER_LINES), contract_table(RETAILERS), contract_table(SKUS)
    counts = fetch(con, register_faults(lines, retailers, skus, period.first, period.as_of)).to_pylist()[0]
    loaded = {"retailers": has_rows(con, RETAILERS), "skus": has_rows(con, SKUS)}
    weeks = (period.first - min(days.lines, default=period.first)).days // 7
    new = {
        register: fetch(con, newcomers(lines, key, period.first, period.as_of)).to_pylist()[0]
        for register, key in (("retailers", "retailer_id"), ("skus", "sku_id"))
    }
    return [
        *register_checks.register_findings(counts, loaded=loaded),
        *(register_checks.newcomer_finding(register, row, int(counts["lines"]), weeks) for register, row in new.items()),
    ]


def _limit_findings(con: Warehouse, period: _Period, skus: pd.DataFrame, states: pd.DataFrame) -> list[Finding]:
    limits, supply = contract_table(ALLOCATION_LIMITS), contract_table(SUPPLY)
    by_week, stock = (
        fetch(con, of_weeks).to_pandas() for of_weeks in (limit_weeks(limits, period.week), supply_weeks(supply, period.week))
    )
    # of a Sunday only: in the middle of a week a SKU's seven days are of two weeks with other limits
    of_state = {state: frozenset(rows.sku_id) for state, rows in states.groupby("state")} if period.as_of.weekday() == 6 else {}
    capped = of_state.get("capped", frozenset()) - of_state.get("out", frozenset())
    found = [
        limit_checks.missing_limits(by_week, period.week),
        limit_checks.zero_caps(by_week, period.week),
        limit_checks.caps_without_orders(skus, capped, period.week),
        limit_checks.missing_supply(stock, period.week),
    ]
    return [*found, _above_cap(con, period), _far_limits(con, period)]


def _above_cap(con: Warehouse, period: _Period) -> Finding:
    if not has_rows(con, ALLOCATION_LIMITS):
        return level_checks.above_cap(pd.DataFrame({"week_start": [], "capped": [], "above": []}), pd.Timestamp(period.week))
    orders, retailers, skus, limits, supply = (
        contract_table(described) for described in (ORDER_LINES, RETAILERS, SKUS, ALLOCATION_LIMITS, SUPPLY)
    )
    weeks = fetch(con, weeks_above_cap(orders, retailers, skus, limits, supply, period.week)).to_pandas()
    return level_checks.above_cap(weeks, pd.Timestamp(period.week))


def _far_limits(con: Warehouse, period: _Period) -> Finding:
    """Limits far ahead of the newest order; as of a past day they are not known to be, so nothing is said of them."""
    _, newest = order_span(con)
    if newest > period.as_of:
        return limit_checks.far_limits(0, None, period.as_of)
    last = newest + timedelta(weeks=limit_checks.FAR_WEEKS)
    row = fetch(con, far_limits(contract_table(ALLOCATION_LIMITS), last)).to_pylist()[0]
    return limit_checks.far_limits(row["limits"], row["farthest"], newest)


def _states(con: Warehouse, period: _Period) -> pd.DataFrame:
    """Which SKUs are capped or shut in the newest whole week."""
    listed = sku_states(*(contract_table(described) for described in (ALLOCATION_LIMITS, SUPPLY, SKUS, RETAILERS)), week=period.week)
    frame: pd.DataFrame = fetch(con, listed).to_pandas()
    return frame
