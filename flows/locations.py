"""How the warehouse and the tracking store are addressed: every form of address, made absolute."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

PROJECT_FOLDER = Path(__file__).resolve().parents[1]
"""The folder that holds conf/, data/ and mlruns/; the packages are installed editable, so it is where this file lies."""

DEMO_CONFIG = PROJECT_FOLDER / "conf" / "demo.toml"
"""What `uncap demo` lays over conf/base.toml where no other file is named."""

SERVER_SCHEMES = ("http", "https")


def warehouse_url(address: str, folder: Path) -> str:
    """Return the absolute URL of a warehouse.

    Parameters
    ----------
    address
        A path, ``duckdb:///relative/path``, ``duckdb:////absolute/path``, or a URL of a database server, which is left as it is.
    folder
        Where a relative path starts.

    Returns
    -------
    str
        ``duckdb:////absolute/path``, or the server's URL.

    Raises
    ------
    ValueError
        If the address names no file or is in a form that is not known; the message says which are.

    Examples
    --------
    >>> warehouse_url("data/warehouse.duckdb", Path("/srv/uncap"))
    'duckdb:////srv/uncap/data/warehouse.duckdb'
    >>> warehouse_url("duckdb:////data/w.duckdb", Path("/srv/uncap"))
    'duckdb:////data/w.duckdb'
    """
    scheme, _, rest = address.rpartition("://")
    if scheme in ("postgresql", "postgres"):
        return address
    if scheme not in ("", "duckdb"):
        raise ValueError(f"{address!r} is in no known form; expected a path, duckdb:///relative or duckdb:////absolute")
    path = _path_of(rest, scheme)
    if path in ("", ":memory:"):
        raise ValueError(f"{address!r} names no file; expected a path, duckdb:///relative or duckdb:////absolute")
    return f"duckdb:///{_absolute(path, folder)}"


def tracking_uri(address: str, folder: Path) -> str:
    """Return the absolute URI of an MLflow store.

    Parameters
    ----------
    address
        A folder, ``sqlite:///relative.db``, ``sqlite:////absolute.db``, or ``http(s)://…``, which is left as it is.
    folder
        Where a relative path starts.

    Returns
    -------
    str
        ``sqlite:////absolute.db``, or the server's address. The database of a folder is ``mlflow.db`` in it.

    Raises
    ------
    ValueError
        If the address names no place or is in a form that is not known; the message says which are.

    Examples
    --------
    >>> tracking_uri("mlruns", Path("/srv/uncap"))
    'sqlite:////srv/uncap/mlruns/mlflow.db'
    >>> tracking_uri("https://mlflow.example.org", Path("/srv/uncap"))
    'https://mlflow.example.org'
    """
    scheme, _, rest = address.rpartition("://")
    if scheme in SERVER_SCHEMES and rest:
        if "@" in rest and "@" not in urlsplit(address).netloc:
            raise ValueError("an address with a password that cannot be read; expected %2F for / and %40 for @ in it")
        return address.rstrip("/")
    if scheme not in ("", "sqlite"):
        raise ValueError(f"{address!r} is in no known form; expected a folder, sqlite:////absolute.db or http(s)://server")
    path = _path_of(rest, scheme)
    if path == "":
        raise ValueError(f"{address!r} names no place; expected a folder, sqlite:////absolute.db or http(s)://server")
    database = _absolute(path, folder) if scheme else _absolute(path, folder) / "mlflow.db"
    return f"sqlite:///{database}"


def database_of(uri: str) -> Path | None:
    """Return the file of an absolute ``duckdb:////`` or ``sqlite:////`` address, None for a server.

    >>> database_of("sqlite:////srv/mlruns/mlflow.db")
    PosixPath('/srv/mlruns/mlflow.db')
    """
    scheme, _, rest = uri.rpartition("://")
    return Path(rest[1:]) if scheme in ("duckdb", "sqlite") else None


def _path_of(rest: str, scheme: str) -> str:
    """Path in an address: in a URL the first slash after the empty host is not part of it."""
    return rest.removeprefix("/") if scheme else rest


def _absolute(path: str, folder: Path) -> Path:
    try:
        return (folder / Path(path).expanduser()).resolve()
    except RuntimeError as failure:
        # a symbolic link that leads to itself, or the home of a user who is not there
        raise ValueError(f"{path!r} leads nowhere: {failure}") from failure
