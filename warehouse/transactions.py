"""How does a change of the warehouse happen whole or not at all, and what is said when it fails?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
from ibis.backends.duckdb import Backend

from contracts.errors import WarehouseError

_NO_SPACE = re.compile(r"no space left|could not write|file too large|max_temp_directory_size|disk quota", re.IGNORECASE)


def explained(failure: duckdb.Error, doing: str) -> WarehouseError:
    """Return DuckDB's failure as an error that says what uncap was doing and what helps.

    Parameters
    ----------
    failure
        What DuckDB raised.
    doing
        What failed, as a noun: ``loading``, ``publishing``.

    Examples
    --------
    >>> print(explained(duckdb.OutOfMemoryException("failed to allocate 1 GB"), "loading"))
    loading failed: failed to allocate 1 GB
    Hint: give the warehouse more memory (warehouse.memory_limit) or the machine fewer jobs; what was stored before is still there
    """
    message = str(failure).strip().split("\n")[0]
    if _NO_SPACE.search(message):
        hint = "free space on the disk that holds the warehouse file and run it again"
    elif isinstance(failure, duckdb.OutOfMemoryException):
        hint = "give the warehouse more memory (warehouse.memory_limit) or the machine fewer jobs"
    else:
        hint = "run it again; if it stays, the message above is DuckDB's own"
    return WarehouseError(f"{doing} failed: {message}", hint=f"{hint}; what was stored before is still there")


@contextmanager
def failures_explained(doing: str) -> Iterator[None]:
    """Turn DuckDB's failures inside the block into a WarehouseError; see `explained`."""
    try:
        yield
    except duckdb.Error as failure:
        raise explained(failure, doing) from failure


@contextmanager
def transaction(con: Backend, doing: str) -> Iterator[None]:
    """Keep everything the block did, or, if it raises anything, nothing.

    Parameters
    ----------
    con
        The warehouse.
    doing
        What the block does, as a noun, for the message.

    Raises
    ------
    WarehouseError
        If DuckDB refused a statement or the commit.
    """
    with failures_explained(doing):
        con.con.execute("BEGIN TRANSACTION")
        try:
            yield
            con.con.execute("COMMIT")
        except BaseException:
            # After a failed commit or a full disk there is no transaction left to roll back, and that is as good.
            with suppress(duckdb.Error):
                con.con.execute("ROLLBACK")
            raise
