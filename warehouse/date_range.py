"""Which dates cannot be right, judged by the orders themselves and by no clock?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate

from contracts.raw import ORDER_LINES
from contracts.tables import Kind
from warehouse.faults import Fault
from warehouse.session import Warehouse
from warehouse.sql import qualified, quoted
from warehouse.staging import StagedTable

GAP = timedelta(weeks=26)
"""Days without any order after which a few lines (`FEW`) stand apart."""

LONG_GAP = timedelta(weeks=104)
"""Days without any order after which all lines stand apart."""

FEW = 0.001
"""Share of all lines that counts as few."""

BEYOND_QUANTILE = timedelta(days=366)
"""How far the last order may lie behind the day by which all but `FEW` lines were ordered."""

AHEAD = timedelta(days=731)
"""How far limits, supply, events and the like may lie behind the last order."""

BEFORE = timedelta(days=3653)
"""How far they may lie before the first order."""


def plausible_span(days: Sequence[tuple[date, int]]) -> tuple[date, date]:
    """Return the first and the last day on which an order can be right.

    From the day of the median line outward, the span ends at a gap of over 26 weeks with no order if at most 0.1 % of the
    lines lie beyond it, at a gap of over 104 weeks in any case, and 366 days after 99.9 % of the lines were ordered.

    Parameters
    ----------
    days
        Each day with an order and its number of lines, ascending; at least one.

    Examples
    --------
    >>> plausible_span([(date(2019, 9, 2), 500), (date(2019, 9, 9), 499), (date(2062, 9, 9), 1)])
    (datetime.date(2019, 9, 2), datetime.date(2019, 9, 9))
    """
    total = sum(lines for _, lines in days)
    up_to = list(accumulate(lines for _, lines in days))
    middle = next(position for position, lines in enumerate(up_to) if 2 * lines >= total)
    first = last = middle
    while last + 1 < len(days) and not _stands_apart(days[last + 1][0] - days[last][0], total - up_to[last], total):
        last += 1
    while first > 0 and not _stands_apart(days[first][0] - days[first - 1][0], up_to[first - 1], total):
        first -= 1
    by_then = next(day for (day, _), lines in zip(days, up_to, strict=True) if lines >= (1 - FEW) * total)
    return days[first][0], min(days[last][0], _shifted(by_then, BEYOND_QUANTILE))


def _stands_apart(gap: timedelta, lines_beyond: int, lines: int) -> bool:
    return gap > LONG_GAP or (gap > GAP and lines_beyond <= FEW * lines)


def date_faults(con: Warehouse, staged_tables: Mapping[str, StagedTable]) -> list[Fault]:
    """Return the faults of dates that lie far outside the range of the orders, staged and stored.

    Orders must lie in the `plausible_span`; required dates of other tables at most two years after it and ten before.
    """
    days = _order_days(con, staged_tables.get(ORDER_LINES.name))
    if not days:
        return []
    first, last = plausible_span(days)
    faults = []
    for staged in staged_tables.values():
        is_orders = staged.table is ORDER_LINES
        earliest, latest = (first, last) if is_orders else (_shifted(first, -BEFORE), _shifted(last, AHEAD))
        for column in staged.table.columns:
            if column.kind is Kind.DATE and column.required:
                faults += _outside(con, staged, column.name, earliest, latest)
    return faults


def _order_days(con: Warehouse, staged: StagedTable | None) -> list[tuple[date, int]]:
    places = [qualified(ORDER_LINES)] if staged is None else [qualified(ORDER_LINES), staged.relation]
    lines = " UNION ALL ".join(f"SELECT ordered_on FROM {place}" for place in places)
    counted = f"SELECT ordered_on, count(*) FROM ({lines}) AS lines WHERE ordered_on IS NOT NULL GROUP BY ordered_on ORDER BY ordered_on"
    return [(day, int(n_lines)) for day, n_lines in con.execute(counted)]


def _shifted(day: date, by: timedelta) -> date:
    """Return the shifted day, or the day itself where the calendar ends before it."""
    try:
        return day + by
    except OverflowError:
        return day


def _outside(con: Warehouse, staged: StagedTable, name: str, earliest: date, latest: date) -> list[Fault]:
    column = quoted(name)
    faults = []
    for problem, condition, bound in (
        ("far behind the range of the orders", f"{column} > ?", latest),
        ("far before the range of the orders", f"{column} < ?", earliest),
    ):
        count, first_row = con.execute(f"SELECT count(*), min(rowid) FROM {staged.relation} WHERE {condition}", [bound])[0]
        if count:
            [(value,)] = con.execute(f"SELECT CAST({column} AS VARCHAR) FROM {staged.relation} WHERE rowid = ?", [first_row])
            faults.append(Fault(staged, name, problem, f"{earliest} to {latest}", count, first_row, value))
    return faults
