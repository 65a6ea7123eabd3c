"""How does a change of the warehouse happen whole or not at all, and what is said when it fails?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from warehouse.failures import DATABASE_ERRORS, explained
from warehouse.session import Warehouse


@contextmanager
def failures_explained(doing: str) -> Iterator[None]:
    """Turn a database's failures inside the block into a WarehouseError; see ``warehouse.failures.explained``."""
    try:
        yield
    except DATABASE_ERRORS as failure:
        raise explained(failure, doing) from failure


@contextmanager
def transaction(con: Warehouse, doing: str) -> Iterator[None]:
    """Keep everything the block did, or, if it raises anything, nothing.

    On a server the transactions of uncap that write never run beside each other: one waits for the other.

    Parameters
    ----------
    con
        The warehouse.
    doing
        What the block does, as a noun, for the message.

    Raises
    ------
    WarehouseError
        If the database refused a statement or the commit.
    """
    with failures_explained(doing):
        con.begin()
        try:
            yield
            con.commit()
        except BaseException:
            # After a failed commit or a full disk there is no transaction left to roll back, and that is as good.
            with suppress(*DATABASE_ERRORS):
                con.rollback()
            raise
