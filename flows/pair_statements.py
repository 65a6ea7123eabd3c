"""Which statement describes pairs as of a cut-off: it is put together of parts that are compiled once for all cut-offs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import ibis.expr.types as ir
import pyarrow as pa

from contracts.cells import CELLS, RECOVERED
from contracts.raw import RETAILERS, SKUS
from contracts.weeks import HORIZONS, PAIR_WEEKS, require_sunday
from features.cells import with_true_units
from features.demand import no_holidays, pair_features, sku_holidays
from features.holiday_names import NamedHoliday, main_holidays
from features.moving_holidays import weeks_of_same_holiday
from features.pairs import KEY, ColdStart
from features.targets import with_targets
from flows.settings import Settings
from warehouse.session import Warehouse
from warehouse.statements import Statement, compiled
from warehouse.tables import contract_table, fetch_for

YEARS_BEFORE = {"target": 0, "settled": 0, "naive": 1}
"""By prefix, how many years of 52 weeks before the cut-off the eight weeks lie: what came, as later recovered, and a year before."""

_HOLIDAY_WEEKS = tuple(f"holiday_{horizon}" for horizon in HORIZONS)


def fetch_described(
    con: Warehouse,
    settings: Settings,
    as_of: date,
    attributes: Sequence[str],
    *,
    known: date | None = None,
    settled: date | None = None,
    targets: tuple[str, ...] = (),
    orders_only: bool = False,
    **pair: str,
) -> pa.Table:
    """Return the features of pairs as of a Sunday, one row each.

    Parameters
    ----------
    as_of
        The Sunday; ``derived.recovered`` must hold it.
    attributes
        Those of the registers that may be seen.
    known
        What came is known up to this Sunday; must be given with ``targets``.
    settled
        With the prefix ``settled``, the later Sunday as of which what came was recovered again.
    targets
        Prefixes, of ``YEARS_BEFORE``, of what came in eight weeks; with them, the rows come in the order of their key.
    orders_only
        Take every order for the demand, as if nothing had been recovered.
    pair
        ``retailer_id`` and ``sku_id``, to describe only this one.

    Raises
    ------
    UsageError
        If ``as_of`` is no Sunday.
    """
    require_sunday(as_of)
    same_holiday = weeks_of_same_holiday(as_of, country_holidays(settings))
    weeks = {f"holiday_{horizon}": same_holiday.get(horizon) for horizon in HORIZONS}
    pairs = pair_statement(tuple(attributes), ColdStart(**settings.cold_start.model_dump()))
    parts = {
        "demand_cells": demand_statement(orders_only=orders_only),
        "holidays": holiday_statement(tuple(attributes), reached=bool(same_holiday)),
    }
    statement = target_statement(pairs, targets).given(**parts, pairs=pairs) if targets else pairs.given(**parts)
    return fetch_for(con, statement, {"as_of": as_of, "known": known, "settled": settled, **weeks}, **pair)


def country_holidays(settings: Settings) -> tuple[NamedHoliday, ...]:
    """Return the main holidays of the country of the settings."""
    return main_holidays(settings.calendar.country, settings.calendar.subdivision or None, settings.calendar.moving_holidays)


@cache
def demand_statement(*, orders_only: bool) -> Statement:
    """Return the statement of the cells known as of a cut-off, with true demand or, where ``orders_only``, what was delivered."""

    def cells(as_of: date) -> ir.Table:
        recovered = contract_table(RECOVERED)
        return with_true_units(contract_table(CELLS), recovered.limit(0) if orders_only else recovered, as_of)

    return compiled(cells, "as_of")


@cache
def holiday_statement(attributes: tuple[str, ...], *, reached: bool) -> Statement:
    """Return the statement of last year's holidays, of ``demand_cells`` and the week of each horizon, if a holiday ``reached`` one."""

    def holidays(*weeks: date) -> ir.Table:
        cells = demand_statement(orders_only=False).as_table("demand_cells")
        return sku_holidays(cells, contract_table(SKUS), attributes, dict(zip(HORIZONS, weeks, strict=True)))

    return compiled(holidays, *_HOLIDAY_WEEKS) if reached else compiled(lambda: no_holidays(contract_table(SKUS)))


@cache
def pair_statement(attributes: tuple[str, ...], cold_start: ColdStart) -> Statement:
    """Return the statement of the features of pairs, of ``demand_cells`` and ``holidays``."""

    def described(as_of: date) -> ir.Table:
        return pair_features(
            demand_statement(orders_only=False).as_table("demand_cells"),
            contract_table(RETAILERS),
            contract_table(SKUS),
            as_of,
            attributes=attributes,
            cold_start=cold_start,
            holidays=holiday_statement(attributes, reached=False).as_table("holidays"),
        )

    return compiled(described, "as_of")


@cache
def target_statement(pairs: Statement, prefixes: tuple[str, ...]) -> Statement:
    """Return the statement of ``pairs`` with what came by the day ``known``, or ``settled``."""

    def came(as_of: date, known: date, settled: date) -> ir.Table:
        rows = pairs.as_table("pairs")
        for prefix in prefixes:
            until = settled if prefix == "settled" else known
            cells = with_true_units(contract_table(CELLS), contract_table(RECOVERED), until)
            rows = with_targets(rows, cells, as_of - timedelta(weeks=PAIR_WEEKS * YEARS_BEFORE[prefix]), prefix)
        return rows.order_by(*KEY)

    return compiled(came, "as_of", "known", "settled")
