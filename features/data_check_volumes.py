"""How much was ordered in the newest seven days and in each of the weeks before, by day, SKU and district?

A week here is the seven days that end with ``as_of`` or a multiple of seven days before it, so that a check in the middle of a week
compares like with like.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

WEEKS = 14
"""Weeks looked at: the newest and the thirteen before."""

PRICE_TIMES = 10.0
"""A price so many times the SKU's usual, or less than one such part of it, is a slip of the decimal point."""


def order_days(order_lines: ir.Table, as_of: date) -> ir.Table:
    """Count the order lines of each day up to one: ``ordered_on``, ``lines``."""
    known = order_lines.filter(order_lines.ordered_on <= ibis.literal(as_of))
    return known.group_by("ordered_on").aggregate(lines=known.count())


def sku_weeks(order_lines: ir.Table, as_of: date) -> ir.Table:
    """Sum up each SKU's lines of each week.

    Returns
    -------
    ibis.Table
        One row per ``sku_id`` and ``weeks_ago`` (0 is the newest) with ``lines``; ``sized`` and ``log_units``, count and sum of logarithms
        of the lines with units; ``priced`` and ``log_price``, the same of money per unit of the lines that have both.
    """
    lines = _recent(order_lines, as_of)
    units, some = lines.delivered_units, lines.delivered_units > 0
    paid = some & (lines.amount > 0)
    return lines.group_by("sku_id", "weeks_ago").aggregate(
        lines=lines.count(),
        sized=some.sum(),
        log_units=ibis.cases((some, units)).ln().sum(),
        priced=lines.count(where=paid),
        log_price=ibis.cases((paid, lines.amount / units.nullif(0))).ln().sum(),
    )


def district_weeks(order_lines: ir.Table, retailers: ir.Table, as_of: date) -> ir.Table:
    """Count the lines of each district and week: ``district``, ``weeks_ago``, ``lines``; retailers without one are left out."""
    lines = _recent(order_lines, as_of)
    by_retailer = lines.group_by("retailer_id", "weeks_ago").aggregate(lines=lines.count())
    placed = by_retailer.join(retailers.filter(retailers.district.notnull()).select("retailer_id", "district"), "retailer_id")
    return placed.group_by("district", "weeks_ago").aggregate(lines=placed.lines.sum())


def request_weeks(order_lines: ir.Table, as_of: date) -> ir.Table:
    """Count, by ``weeks_ago``, the lines with requested units (``asked``) and those that delivered more (``above``)."""
    lines = _recent(order_lines, as_of)
    return lines.group_by("weeks_ago").aggregate(
        asked=lines.requested_units.count(), above=lines.count(where=lines.delivered_units > lines.requested_units)
    )


def odd_prices(order_lines: ir.Table, as_of: date) -> ir.Table:
    """Count the newest week's lines whose price is ten times the SKU's usual one or a tenth of it.

    Returns
    -------
    ibis.Table
        One row: ``lines`` with a price and a usual one, ``odd`` ones, and the ``first_line`` of these by id.
    """
    recent = _recent(order_lines, as_of)
    priced = recent.filter(recent.amount > 0, recent.delivered_units > 0)
    priced = priced.select("line_id", "sku_id", "weeks_ago", log_price=(priced.amount / priced.delivered_units.nullif(0)).ln())
    before = priced.filter(priced.weeks_ago > 0)
    usual = before.group_by("sku_id").aggregate(usual_log=before.log_price.mean())
    told = priced.filter(priced.weeks_ago == 0).join(usual, "sku_id")
    odd = (told.log_price - told.usual_log).abs() >= ibis.literal(PRICE_TIMES).ln()
    return told.aggregate(lines=told.count(), odd=told.count(where=odd), first_line=told.line_id.min(where=odd))


def everybodys_events(events: ir.Table) -> ir.Table:
    """List the days of events that are not of one district: ``event_date``."""
    return events.filter(events.district.isnull()).select("event_date").distinct()


def _recent(order_lines: ir.Table, as_of: date) -> ir.Table:
    first = as_of - timedelta(days=7 * WEEKS - 1)
    lines = order_lines.filter(order_lines.ordered_on >= ibis.literal(first), order_lines.ordered_on <= ibis.literal(as_of))
    days_ago = ibis.literal(as_of).delta(lines.ordered_on, unit="day").cast("float64")
    return lines.mutate(weeks_ago=(days_ago / 7.0).floor().cast("int64"))
