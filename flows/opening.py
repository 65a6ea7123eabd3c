"""How a flow opens the warehouse that its settings name, and which ``as_of`` it works on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date, timedelta

from contracts.errors import InputDataError, UsageError, WarehouseAwayError, WarehouseError
from contracts.raw import ORDER_LINES
from contracts.weeks import last_sunday, last_week, require_sunday, week_start_of
from flows.console import tell
from flows.locations import database_of
from flows.settings import Settings
from flows.write_lock import SECONDS_BETWEEN_TRIES, held_locks, own_session
from warehouse.connection import connect
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


def open_warehouse(settings: Settings, *, server_backed_up: bool = False, needs_locks: bool = True) -> AbstractContextManager[Warehouse]:
    """Open the warehouse for the body of a ``with``; hold it briefly, because no other process can open a file meanwhile.

    An older schema is brought up to this version first: of a file after a copy was kept, on a server only where there is a backup.
    Nothing is written once a server has lost a lock that is held around this (``flows.write_lock.warehouse_lock``), if it is needed.

    Raises
    ------
    WarehouseError
        If another process holds it, it cannot be opened, or its schema is newer than this code.
    """
    warehouse = settings.warehouse
    return connect(
        warehouse.url,
        threads=warehouse.threads,
        memory_limit=warehouse.memory_limit,
        session=own_session(),
        locks=held_locks(settings) if needs_locks else (),
        server_backed_up=server_backed_up,
        on_migration=tell,
    )


@contextmanager
def open_once_free(settings: Settings, *, waits: bool = True) -> Iterator[Warehouse]:
    """Open the warehouse as `open_warehouse` does, but wait for a file that another process holds as long as for the lock of writers.

    For the short openings at the ends of a run: hours of work are not to be lost because a score has the file for ten minutes. They
    need no lock: a run that has lost it must still be recorded as failed.

    Raises
    ------
    WarehouseError
        If another process still holds the file after ``concurrency.wait_minutes``; otherwise as `open_warehouse`.
    """
    with ExitStack() as opened:
        yield _once_free(settings, opened, settings.concurrency.wait_minutes if waits and database_of(settings.warehouse.url) else 0.0)


def _once_free(settings: Settings, opened: ExitStack, minutes: float) -> Warehouse:
    last_try = time.monotonic() + 60 * minutes
    told = False
    while True:
        try:
            return opened.enter_context(open_warehouse(settings, needs_locks=False))
        except WarehouseAwayError as held:
            if not minutes:
                raise
            if time.monotonic() >= last_try:
                # no WarehouseAwayError: nobody is to wait as long once more
                raise WarehouseError(f"{held.message}, and was for {minutes:g} minutes", hint=held.hint) from held
            if not told:
                tell(f"waiting: {held.message}; {minutes:g} minutes at most")
                told = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def as_of_or_newest(con: Warehouse, as_of: date | None) -> date:
    """Return the ``as_of`` to work on: the one asked for, or the last Sunday on or before the newest order.

    Parameters
    ----------
    con
        The warehouse.
    as_of
        What was asked for; None for the newest.

    Raises
    ------
    UsageError
        If no order is loaded, or the one asked for is no Sunday or lies before the first whole week of orders.
    InputDataError
        If the orders of the week that ends with the one asked for have not come, or none was asked for and the orders end within
        their first week.
    """
    return _within(as_of, *order_span(con))


def order_span(con: Warehouse) -> tuple[date, date]:
    """Return the days of the first and of the newest order.

    Raises
    ------
    UsageError
        If no order is loaded.
    """
    lines = contract_table(ORDER_LINES)
    span = fetch(con, lines.aggregate(first=lines.ordered_on.min(), last=lines.ordered_on.max())).to_pylist()[0]
    if span["last"] is None:
        raise UsageError("raw.order_lines: no order is loaded", hint="load some with `uncap load DIR`, or try `uncap demo`")
    return span["first"], span["last"]


def _within(as_of: date | None, first_order: date, last_order: date) -> date:
    """Check an ``as_of`` against the span of the orders.

    >>> _within(None, date(2018, 1, 2), date(2019, 10, 2))
    datetime.date(2019, 9, 29)
    >>> _within(date(2017, 1, 1), date(2018, 1, 2), date(2019, 10, 2))
    Traceback (most recent call last):
    contracts.errors.UsageError: as_of 2017-01-01 lies before the end of the first week of orders, 2018-01-07
    Hint: give an as_of from 2018-01-07 to 2019-10-06, or leave it out for 2019-09-29
    """
    newest = last_sunday(last_order)
    earliest, latest = week_start_of(first_order) + timedelta(days=6), week_start_of(last_order) + timedelta(days=6)
    if as_of is None:
        if newest < earliest:
            fault = f"raw.order_lines.ordered_on: from {first_order} to {last_order}, not a whole week; expected orders up to a Sunday"
            raise InputDataError([fault], hint=f"load more orders, or give --as-of {latest} if nothing more was ordered by then")
        return newest
    hint = f"give an as_of from {earliest} to {latest}, or leave it out for {newest}"
    if require_sunday(as_of) < earliest:
        raise UsageError(f"as_of {as_of} lies before the end of the first week of orders, {earliest}", hint=hint)
    if last_week(as_of) > last_order:
        # a schedule names the Sunday that is over, and nobody has loaded its week yet
        fault = f"as_of {as_of} lies after the week of the newest order, {last_order}; expected orders of its week"
        raise InputDataError([f"raw.order_lines.ordered_on: {fault}"], hint=f"load the orders that are late and run again, or {hint}")
    return as_of
