"""How do planners get to read the warehouse: what ``uncap grants`` does, and what it prints for an administrator?"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from rich.console import Console

from contracts.errors import ConfigurationError
from flows.console import table_of
from flows.opening import open_warehouse
from flows.settings import Settings
from warehouse.addresses import is_server
from warehouse.grants import ReadOnlyRole, current_role, grant_reading, grant_statements, needless_powers, privileges
from warehouse.password_verifiers import SALT_BYTES, scram_verifier
from warehouse.sql import quoted

PLANNER = "uncap_planner"
PASSWORD_VARIABLE = "UNCAP_PLANNER_PASSWORD"  # noqa: S105 - its name
"""Without it the role logs nobody in and is granted to people: then each has an account, and can be told from the others."""

_NO_ROLES = "a DuckDB file has no roles: whoever may read the file reads all of it, and nobody while a run holds it"
_COPY = (
    "give planners a copy made after each run (cp data/warehouse.duckdb /srv/planners/), which they open read-only,"
    " or set warehouse.url to a PostgreSQL database"
)


@dataclass(frozen=True)
class Granted:
    """Who may do what now.

    Attributes
    ----------
    planner, run_role
        Names of the role that reads and of the role of the runs.
    planner_reads, run_may
        By schema, what each may do with its tables.
    needless
        What the role of the runs may do on the whole server and need not.
    """

    planner: str
    run_role: str
    planner_reads: list[tuple[str, str]]
    run_may: list[tuple[str, str]]
    needless: list[str]


def grants(settings: Settings, name: str, *, reads_inputs: bool, environment: Mapping[str, str] | None = None) -> Granted:
    """Make a role that reads, or bring one that is there to just that.

    Parameters
    ----------
    settings
        Where the warehouse is.
    name
        Of the role.
    reads_inputs
        Whether it may read the input tables too.
    environment
        Where the password may be; that of the process if None.

    Raises
    ------
    ConfigurationError
        If the warehouse is no PostgreSQL database, or the password is no good one.
    UsageError
        If the name is none, or of a role that can do more than read.
    WarehouseError
        If the role of the runs may not make roles.
    """
    _require_server(settings)
    password = (os.environ if environment is None else environment).get(PASSWORD_VARIABLE)
    verifier = scram_verifier(password, secrets.token_bytes(SALT_BYTES), called=PASSWORD_VARIABLE) if password else None
    planner = ReadOnlyRole(name, reads_inputs=reads_inputs, verifier=verifier)
    with open_warehouse(settings) as con:
        grant_reading(con, planner)
        runs = current_role(con)
        return Granted(name, runs, privileges(con, name), privileges(con, runs), needless_powers(con, runs))


def statements_for_an_administrator(settings: Settings, name: str, *, reads_inputs: bool) -> list[str]:
    """Return SQL that makes the role and the database of the runs with the least privileges, and the role that reads; no password.

    Raises
    ------
    ConfigurationError
        If the warehouse is no PostgreSQL database.
    UsageError
        If the name is none of a role.
    """
    _require_server(settings)
    address = urlsplit(settings.warehouse.url)
    runs, database = unquote(address.username or "uncap"), unquote(address.path.strip("/"))
    planner = ReadOnlyRole(name, reads_inputs=reads_inputs)
    return [
        "-- an administrator, once, with psql in the database postgres",
        f"CREATE ROLE {quoted(runs)} LOGIN;",
        f"\\password {quoted(runs)}",
        f"CREATE DATABASE {quoted(database)} OWNER {quoted(runs)} ENCODING 'UTF8' TEMPLATE template0;",
        f"REVOKE ALL ON DATABASE {quoted(database)} FROM PUBLIC;",
        f"CREATE ROLE {quoted(name)} NOLOGIN;",
        f"-- as {runs}, in the database {database}, after the first `uncap load`; `uncap grants` does the same",
        *(f"{statement};" for statement in grant_statements(planner, database, is_new=False)),
    ]


def print_granted(granted: Granted, console: Console) -> None:
    """Print who may do what, and a warning where the runs may do more than they need."""
    rows = [(granted.planner, *row) for row in granted.planner_reads] + [(granted.run_role, *row) for row in granted.run_may]
    console.print(table_of("Tables and views", ["role", "schema", "may"], rows))
    if granted.needless:
        console.print(
            f"warning: {granted.run_role} is {', '.join(granted.needless)} on the whole server; the runs need no more than to own the"
            f" database. An administrator takes it back: ALTER ROLE {granted.run_role} {' '.join(f'NO{word}' for word in granted.needless)}"
        )


def _require_server(settings: Settings) -> None:
    if not is_server(settings.warehouse.url):
        raise ConfigurationError(f"warehouse.url: {settings.warehouse.url!r} is a file: {_NO_ROLES}", hint=_COPY)
