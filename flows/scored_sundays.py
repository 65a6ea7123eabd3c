"""Which Sundays were scored, and which of them does a command mean?"""

from __future__ import annotations

from datetime import date

from contracts.errors import UsageError
from contracts.scored import DEMAND_FORECAST
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

MOST_NAMED = 12
"""So many Sundays a hint names at most."""


def scored_sundays(con: Warehouse) -> list[date]:
    """Return the Sundays with forecasts, oldest first; churn is not scored where the history is too short for it."""
    days: list[date] = fetch(con, contract_table(DEMAND_FORECAST).select("as_of").distinct())["as_of"].to_pylist()
    return sorted(days)


def chosen_sunday(con: Warehouse, as_of: date | None) -> date:
    """Return the Sunday that is meant: the one asked for, None for the newest that was scored.

    Raises
    ------
    UsageError
        If it was not scored, or nothing was.
    """
    newest_first = scored_sundays(con)[::-1]
    if not newest_first:
        raise nothing_scored()
    if as_of is not None and as_of not in newest_first:
        named = ", ".join(str(day) for day in newest_first[:MOST_NAMED])
        more = f" and {len(newest_first) - MOST_NAMED} more" if len(newest_first) > MOST_NAMED else ""
        raise UsageError(
            f"{DEMAND_FORECAST.full_name}: nothing was scored as of {as_of}",
            hint=f"write it with `uncap score --as-of {as_of}`, or give one of {named}{more}",
        )
    return as_of or newest_first[0]


def nothing_scored() -> UsageError:
    """Return what is said before the first score."""
    return UsageError(f"{DEMAND_FORECAST.full_name}: nothing was scored yet", hint="write the scored tables with `uncap score` first")
