"""The warehouse opens where it can, and says what is in the way where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from contracts.errors import ConfigurationError, WarehouseError
from warehouse.addresses import warehouse_path
from warehouse.analyses.catalogue import analysis_views
from warehouse.connection import connect
from warehouse.schema import ALL_TABLES
from warehouse.session import Warehouse

HOLD_OPEN = """
import sys
from warehouse.connection import connect
with connect(sys.argv[1], threads=1, memory_limit="200MB"):
    print("open", flush=True)
    sys.stdin.read()
"""


def opened_names(url: str) -> set[str]:
    with connect(url, threads=1, memory_limit="200MB") as con:
        rows = con.execute("SELECT table_schema || '.' || table_name FROM information_schema.tables")
    return {name for (name,) in rows}


def test_a_new_warehouse_has_every_table_of_the_contract_and_every_view(url: str) -> None:
    expected = {table.full_name for table in ALL_TABLES}
    analyses = {f"analysis.{view}" for view in analysis_views()}
    assert opened_names(url) == expected | analyses | {"scored.true_demand_weekly", "meta.schema_version"}
    assert opened_names(url) == opened_names(url)


def test_the_session_has_the_given_means_and_speaks_utc(con: Warehouse) -> None:
    settings = con.execute("SELECT current_setting('threads'), current_setting('memory_limit'), current_setting('timezone')")
    assert settings == [(2, "953.6 MiB", "UTC")]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("data/warehouse.duckdb", "data/warehouse.duckdb"),
        ("duckdb:///data/warehouse.duckdb", "data/warehouse.duckdb"),
        ("duckdb:////srv/warehouse.duckdb", "/srv/warehouse.duckdb"),
        ("C:/uncap/warehouse.duckdb", "C:/uncap/warehouse.duckdb"),
    ],
)
def test_a_url_names_a_file(url: str, path: str) -> None:
    assert warehouse_path(url) == Path(path)


@pytest.mark.parametrize("password", ["trom%bone", "trom bone", "trom%00bone"])
@pytest.mark.parametrize("address", ["postgresql://uncap:{}@127.0.0.1:9/uncap", "postgresql://127.0.0.1:9/uncap?password={}"])
def test_a_password_that_libpq_cannot_read_is_not_quoted(address: str, password: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\*\*\*.* cannot be read") as refused:
        opened_names(address.format(password))
    assert "trom" not in str(refused.value)


@pytest.mark.parametrize("url", ["", "duckdb://", "duckdb:///", "duckdb:/data/x.duckdb", "duckdb://data/x.duckdb", "data/"])
def test_a_url_without_a_file_is_refused_with_the_count_of_slashes(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"names no file; expected the path of the warehouse file\nHint: .* four slashes"):
        warehouse_path(url)


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'mysql' is not supported; expected duckdb or postgresql\nHint: use a path"):
        warehouse_path("mysql://db")


def test_a_missing_folder_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no folder .*nowhere; expected one that exists\nHint: .* four slashes"):
        opened_names(str(tmp_path / "nowhere" / "warehouse.duckdb"))


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.duckdb"
    notes.write_text("not a database\n" * 1000)
    with pytest.raises(WarehouseError, match=r"notes.duckdb is not a DuckDB database\nHint: move the file away"):
        opened_names(str(notes))
    assert notes.read_text().startswith("not a database")


def test_a_folder_is_no_warehouse(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"cannot be opened: .*directory"):
        opened_names(str(tmp_path))


def test_a_warehouse_that_another_process_holds_is_refused_with_that_process(url: str) -> None:
    opened_names(url)
    with subprocess.Popen([sys.executable, "-c", HOLD_OPEN, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(
            WarehouseError, match=rf"is locked by process {holder.pid} \(.*\); one process at a time can use it\nHint: wait"
        ):
            opened_names(url)
        holder.communicate("")
    assert "raw.order_lines" in opened_names(url)


def test_a_failure_inside_closes_the_warehouse(url: str) -> None:
    with pytest.raises(ZeroDivisionError), connect(url, threads=1, memory_limit="200MB"):
        _ = 1 / 0
    # Another configuration would be refused while the first connection is open.
    duckdb.connect(url, config={"threads": 2}).close()


def test_no_bar_is_drawn_where_python_was_started_without_a_file_as_serve_starts_commands(url: str) -> None:
    code = (
        "from warehouse.connection import connect\n"
        f"with connect({url!r}, threads=1, memory_limit='200MB') as con:\n"
        "    print(con.execute(\"SELECT current_setting('enable_progress_bar')\"))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip() == "[(False,)]"
