"""Which version does the schema of a warehouse have, how does an older one go forward, and what is said of a newer one?

A migration does what the contract alone cannot: ``warehouse.schema`` creates missing tables and adds nullable columns by itself.
Raise the version, with a migration, whenever code before it would do wrong on the warehouse after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from contracts.errors import WarehouseError
from warehouse.session import Warehouse
from warehouse.stored_columns import stored_columns
from warehouse.transactions import failures_explained, transaction

VERSION_TABLE = '"meta"."schema_version"'
"""A row per step: ``number``, ``what``, ``applied_at``, ``code_version``."""

_COLUMNS = "number BIGINT NOT NULL, what TEXT NOT NULL, applied_at TIMESTAMP WITH TIME ZONE NOT NULL, code_version TEXT NOT NULL"
_CREATE = ('CREATE SCHEMA IF NOT EXISTS "meta"', f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} ({_COLUMNS})")


KeepsCopy = Callable[[Warehouse, int], str]
"""Keeps a copy of the warehouse as it is, which has that version, and returns its name."""


def backed_up(_con: Warehouse, _number: int) -> str:
    """Stand for the copy that somebody has made of a database server, and said so."""
    return "the backup that was made before"


@dataclass(frozen=True)
class Migration:
    """One step forward.

    Attributes
    ----------
    number
        The version that the warehouse has afterwards.
    what
        What it changes, in words for whoever upgrades.
    apply
        Does it, inside a transaction that all pending ones share; on a warehouse that lacks a table altogether it leaves that out.
        Views are made anew afterwards; on PostgreSQL one that reads a column has to be dropped before the column is.
    """

    number: int
    what: str
    apply: Callable[[Warehouse], None]


def _add_stage_seen(con: Warehouse) -> None:
    columns = _columns(con, "scored", "retailer_segment")
    if not columns or "stage_seen" in columns:
        return
    # before there was a stage that is only seen, the stage was what the figures showed
    text = 'TEXT COLLATE "C"' if con.dialect == "postgres" else "VARCHAR"
    con.execute(f'ALTER TABLE "scored"."retailer_segment" ADD COLUMN stage_seen {text}')
    con.execute('UPDATE "scored"."retailer_segment" SET stage_seen = stage')


MIGRATIONS = (Migration(1, "scored.retailer_segment.stage_seen is added, and filled with stage", _add_stage_seen),)
"""In the order they are applied; ``number`` counts from 1. A warehouse from before there were versions has 0."""


def newest_version(migrations: tuple[Migration, ...] = MIGRATIONS) -> int:
    """Return the version that this code knows."""
    return migrations[-1].number if migrations else 0


def stored_version(con: Warehouse) -> int | None:
    """Return the version of a warehouse: 0 if it was made before there were versions, None if nothing is in it yet."""
    if _columns(con, "meta", "schema_version"):
        stored = con.execute(f"SELECT max(number) FROM {VERSION_TABLE}")[0][0]
        return int(stored) if stored is not None else 0
    return 0 if _columns(con, "raw", "order_lines") else None


def bring_up_to_date(con: Warehouse, keep_copy: KeepsCopy | None, migrations: tuple[Migration, ...] = MIGRATIONS) -> list[str]:
    """Bring the schema of a warehouse to the version of this code, all steps in one transaction, after a copy was kept.

    Parameters
    ----------
    con
        The warehouse.
    keep_copy
        Keeps a copy before the first step; None where nobody can, or nobody said that there is one: then nothing is changed.
    migrations
        Those that this code knows.

    Returns
    -------
    list[str]
        What was done, a line each; empty where the warehouse was up to date.

    Raises
    ------
    WarehouseError
        If the warehouse is newer than this code, if steps are due and no copy can be kept, or if one fails; nothing is changed.
    """
    newest = newest_version(migrations)
    with failures_explained("looking at the version of the warehouse"):
        stored = stored_version(con)
        if stored is not None and stored > newest:
            raise _newer(con, stored, newest)
    if stored == newest:
        return []
    due = [] if stored is None else [migration for migration in migrations if migration.number > stored]
    told = [_kept_copy(con, keep_copy, stored or 0, due)] if due else []
    with transaction(con, "migrating the warehouse"):
        if stored_version(con) == newest:
            # another process did in the meantime
            return []
        for statement in _CREATE:
            con.execute(statement)
        for migration in due:
            migration.apply(con)
            _note(con, migration.number, migration.what)
        if not due:
            _note(con, newest, "made by this version")
    return [*told, *(f"version {migration.number}: {migration.what}" for migration in due)]


def _kept_copy(con: Warehouse, keep_copy: KeepsCopy | None, stored: int, due: list[Migration]) -> str:
    if keep_copy is None:
        steps = "; ".join(migration.what for migration in due)
        raise WarehouseError(
            f"the warehouse has schema version {stored}, this uncap needs {due[-1].number} ({steps})",
            hint="back the database up (pg_dump), then run `uncap migrate --backed-up` once; nothing was changed",
        )
    return f"the warehouse as it was, schema version {stored}, is kept in {keep_copy(con, stored)}"


def _newer(con: Warehouse, stored: int, newest: int) -> WarehouseError:
    made_by = con.execute(f"SELECT code_version FROM {VERSION_TABLE} WHERE number = ?", [stored])[0][0]
    return WarehouseError(
        f"the warehouse has schema version {stored}, made by uncap {made_by}; this is uncap {version('uncap')}, which knows up to {newest}",
        hint=f"install uncap {made_by} or later, or put back the copy that was kept before the migration; nothing was changed",
    )


def _note(con: Warehouse, number: int, what: str) -> None:
    con.execute(f"INSERT INTO {VERSION_TABLE} VALUES (?, ?, current_timestamp, ?)", [number, what, version("uncap")])


def _columns(con: Warehouse, schema: str, table: str) -> list[str]:
    """Names of the columns of a stored table; none where it is not there."""
    return list(stored_columns(con, [schema]).get(f"{schema}.{table}", ()))
