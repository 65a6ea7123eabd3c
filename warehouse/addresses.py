"""Which warehouse does a URL name, and how is it shown without its password?"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from contracts.errors import ConfigurationError

# Two letters at least: a single one is the drive of a Windows path.
_SCHEME = re.compile(r"^(?P<name>[a-z][a-z0-9+]+):(?P<rest>.*)$", re.DOTALL)
_SERVERS = ("postgresql", "postgres")
_SECRETS = ("password", "sslpassword", "passfile")
# What libpq takes apart without a message that quotes it: no space, and after % two digits of a byte that is not null.
_ENCODED = re.compile(r"(?:[^\s%]|%(?!00)[0-9A-Fa-f]{2})*")
FOUR_SLASHES = "an absolute path has four slashes (duckdb:////srv/uncap/warehouse.duckdb), a relative one three"
_SERVER_FORM = (
    "expected postgresql://user@host:5432/database; give the password in PGPASSWORD or a password file (~/.pgpass),"
    " or in the URL with %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #, %25 for % and %20 for a space"
)


def is_server(url: str) -> bool:
    """Return whether a URL names a database server rather than a file.

    >>> is_server("postgresql://planner@db/uncap"), is_server("data/warehouse.duckdb")
    (True, False)
    """
    return url.split("://", maxsplit=1)[0] in _SERVERS


def shown(url: str) -> str:
    """Return a URL as it may be printed: with stars for a password, wherever it stands.

    Examples
    --------
    >>> shown("postgresql://uncap:secret@db:5432/uncap?sslmode=require")
    'postgresql://uncap:***@db:5432/uncap?sslmode=require'
    >>> shown("postgresql://db/uncap?user=uncap&password=secret")
    'postgresql://db/uncap?user=uncap&password=***'
    >>> shown("postgresql://uncap:s/e@c#r:et@db/uncap"), shown("postgresql://uncap@db/uncap")
    ('postgresql://uncap:***@db/uncap', 'postgresql://uncap@db/uncap')
    >>> shown("data/warehouse.duckdb"), shown("https://uncap:secret@mlflow.example.org")
    ('data/warehouse.duckdb', 'https://uncap:***@mlflow.example.org')
    """
    # up to the last @: a password whose own @ or / was not encoded must not show either
    masked = re.sub(r"^(\w+://[^:@/?]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(rf"\b({'|'.join(_SECRETS)})=[^&]*", r"\1=***", masked)


def checked_server(url: str) -> str:
    """Return the URL of a server, as libpq takes it.

    Raises
    ------
    ConfigurationError
        If it is in no form that libpq reads, so that its message, which might quote the password, is not needed.

    Examples
    --------
    >>> checked_server("postgres://uncap@db/uncap")
    'postgres://uncap@db/uncap'
    >>> checked_server("postgresql://uncap:p@ss@db/uncap")
    Traceback (most recent call last):
    contracts.errors.ConfigurationError: warehouse.url: 'postgresql://uncap:***@db/uncap' cannot be read
    Hint: expected postgresql://user@host:5432/database; give the password in PGPASSWORD or a password file (~/.pgpass), \
or in the URL with %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #, %25 for % and %20 for a space
    """
    parts = urlsplit(url)
    ports = re.findall(r":([^:,\]]*)(?=,|$)", parts.netloc.rpartition("@")[2])
    readable = (
        _ENCODED.fullmatch(url) is not None
        and url.count("@") <= 1
        and not parts.fragment
        and all(port.isdigit() or not port for port in ports)
        and len(parse_qsl(parts.query, keep_blank_values=True)) == len([part for part in parts.query.split("&") if "=" in part])
        and all("=" in part for part in parts.query.split("&") if part)
        and parts.path.strip("/") != ""
    )
    if not readable:
        raise ConfigurationError(f"warehouse.url: {shown(url)!r} cannot be read", hint=_SERVER_FORM)
    return url


def warehouse_path(url: str) -> Path:
    """Return the file a warehouse URL names.

    Parameters
    ----------
    url
        A path, ``duckdb:///relative/path`` or ``duckdb:////absolute/path``.

    Raises
    ------
    ConfigurationError
        If the URL names another kind of database, or no file.

    Examples
    --------
    >>> warehouse_path("duckdb:////srv/uncap/warehouse.duckdb").as_posix()
    '/srv/uncap/warehouse.duckdb'
    >>> warehouse_path("mysql://planner@db/uncap")
    Traceback (most recent call last):
    contracts.errors.ConfigurationError: warehouse.url: 'mysql' is not supported; expected duckdb or postgresql
    Hint: use a path, duckdb:///data/warehouse.duckdb or postgresql://user@host/database
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        path = url
    elif scheme["name"] == "duckdb":
        path = scheme["rest"][3:] if scheme["rest"].startswith("///") else ""
    else:
        raise ConfigurationError(
            f"warehouse.url: {scheme['name']!r} is not supported; expected duckdb or postgresql",
            hint="use a path, duckdb:///data/warehouse.duckdb or postgresql://user@host/database",
        )
    if not path or path.endswith("/"):
        raise ConfigurationError(f"warehouse.url: {url!r} names no file; expected the path of the warehouse file", hint=FOUR_SLASHES)
    return Path(path)
