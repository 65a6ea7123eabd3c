"""Who may do what in a PostgreSQL warehouse: planners read, the runs own, and nobody needs more?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import UsageError, WarehouseError
from warehouse.schema import SCHEMAS
from warehouse.session import Warehouse
from warehouse.sql import listed, quoted
from warehouse.transactions import failures_explained, transaction

PLANNERS_SCHEMAS = ("scored", "analysis", "meta")
"""What planners read. The views of ``analysis`` read the rest with the rights of their owner; ``meta`` tells uncap the schema version."""

POWERS = {
    "rolsuper": "SUPERUSER",
    "rolcreaterole": "CREATEROLE",
    "rolcreatedb": "CREATEDB",
    "rolreplication": "REPLICATION",
    "rolbypassrls": "BYPASSRLS",
}
"""What neither planners nor the runs need, by the column of ``pg_roles``."""

_ROLE = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class ReadOnlyRole:
    """A role that reads.

    Attributes
    ----------
    name
        Lower case, so that it need not be quoted by those who type it.
    reads_inputs
        Whether it may read the schema ``raw`` too.
    verifier
        What the server stores of its password (`password_verifiers.scram_verifier`); None leaves a role that is there as it is, and
        makes a new one that nobody logs in with, to be granted to people.

    Raises
    ------
    UsageError
        If the name is no name of a role.

    Examples
    --------
    >>> ReadOnlyRole("uncap_planner").schemas
    ('scored', 'analysis', 'meta')
    >>> ReadOnlyRole('x"; DROP TABLE scored.runs; --')
    Traceback (most recent call last):
    contracts.errors.UsageError: role 'x"; DROP TABLE scored.runs; --'; expected lower-case letters, digits and _, at most 63, not pg_…
    Hint: name it like uncap_planner
    """

    name: str
    reads_inputs: bool = False
    verifier: str | None = None

    def __post_init__(self) -> None:
        if not _ROLE.fullmatch(self.name) or self.name in ("public", "none"):
            raise UsageError(
                f"role {self.name!r}; expected lower-case letters, digits and _, at most 63, not pg_…", hint="name it like uncap_planner"
            )

    @property
    def schemas(self) -> tuple[str, ...]:
        """What it reads."""
        return (*PLANNERS_SCHEMAS, *(("raw",) if self.reads_inputs else ()))


def grant_statements(role: ReadOnlyRole, database: str, *, is_new: bool) -> list[str]:
    """Return the SQL that lets a role read, now and in tables to come, and nothing else; to be run by the role of the runs.

    Only that role's future tables are covered: default privileges belong to who creates.

    >>> statements = grant_statements(ReadOnlyRole("uncap_planner"), "uncap", is_new=True)
    >>> statements[0], statements[-2]
    ('CREATE ROLE "uncap_planner" NOLOGIN', 'GRANT SELECT ON ALL TABLES IN SCHEMA "scored", "analysis", "meta" TO "uncap_planner"')
    """
    name, every, read = quoted(role.name), listed((*SCHEMAS, "meta")), listed(role.schemas)
    login = f"LOGIN PASSWORD '{role.verifier}'" if role.verifier else "NOLOGIN"
    created = [f"CREATE ROLE {name} {login}"] if is_new else [f"ALTER ROLE {name} {login}"] if role.verifier else []
    return [
        *created,
        f"GRANT CONNECT ON DATABASE {quoted(database)} TO {name}",
        f"REVOKE ALL ON SCHEMA {every} FROM {name}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {every} FROM {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {every} REVOKE ALL ON TABLES FROM {name}",
        f"GRANT USAGE ON SCHEMA {read} TO {name}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {read} TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {read} GRANT SELECT ON TABLES TO {name}",
    ]


def grant_reading(con: Warehouse, role: ReadOnlyRole) -> None:
    """Make a role that reads, or bring one that is there to just that, in one transaction.

    Raises
    ------
    UsageError
        If the role can do more than read: it belongs to the runs, or has powers of its own.
    WarehouseError
        If the session may not make roles.
    """
    is_new = not has_role(con, role.name)
    if not is_new:
        _refuse_more_than_a_reader(con, role.name)
    elif not may_make_roles(con):
        raise WarehouseError(
            f"role {role.name}: there is none, and {current_role(con)} may not make one",
            hint=f"have an administrator run: CREATE ROLE {role.name} NOLOGIN; then run this again",
        )
    database = str(_rows(con, "SELECT current_database()::text")[0][0])
    with transaction(con, f"granting to {role.name}"):
        for statement in grant_statements(role, database, is_new=is_new):
            con.execute(statement)


def current_role(con: Warehouse) -> str:
    """Return the role of the session: that of the runs."""
    return str(_rows(con, "SELECT current_user::text")[0][0])


def has_role(con: Warehouse, name: str) -> bool:
    """Tell whether the server has a role."""
    return bool(_rows(con, "SELECT 1 FROM pg_roles WHERE rolname = ?", [name]))


def may_make_roles(con: Warehouse) -> bool:
    """Tell whether this session may make roles."""
    return bool(_rows(con, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")[0][0])


def needless_powers(con: Warehouse, name: str) -> list[str]:
    """Return what a role may do on the whole server."""
    rows = _rows(con, f"SELECT {', '.join(POWERS)} FROM pg_roles WHERE rolname = ?", [name])
    return [power for power, held in zip(POWERS.values(), rows[0], strict=True) if held] if rows else []


def privileges(con: Warehouse, name: str) -> list[tuple[str, str]]:
    """Return what a role, by itself or by roles that it has, may do with tables and views: schema and words, one pair each."""
    query = """
        SELECT n.nspname::text, string_agg(DISTINCT p.word, ', ' ORDER BY p.word)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS p (word)
        WHERE c.relkind IN ('r', 'v', 'm', 'p') AND has_schema_privilege(?, n.oid, 'USAGE') AND has_table_privilege(?, c.oid, p.word)
          AND n.nspname IN ('raw', 'derived', 'scored', 'analysis')
        GROUP BY n.nspname ORDER BY n.nspname
    """
    return [(str(schema), str(words)) for schema, words in _rows(con, query, [name, name])]


def _refuse_more_than_a_reader(con: Warehouse, name: str) -> None:
    """Refuse a role that could give itself what is taken from it."""
    powers = needless_powers(con, name)
    owned = _rows(
        con,
        "SELECT n.nspname::text FROM pg_namespace AS n WHERE pg_has_role(?, n.nspowner, 'MEMBER')"
        " AND n.nspname IN ('raw', 'derived', 'scored', 'analysis') ORDER BY 1",
        [name],
    )
    if powers or owned:
        more = [*powers, *(f"owner of {schema}" for (schema,) in owned)]
        raise UsageError(
            f"role {name} is more than a reader: {', '.join(more)}; expected a role of its own for planners",
            hint="name another with --role; a role that owns or rules can give itself everything",
        )


def _rows(con: Warehouse, query: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
    with failures_explained("reading who may do what"):
        return con.execute(query, parameters)
