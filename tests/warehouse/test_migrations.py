"""How a warehouse of an older version goes forward, and one of a newer version is refused."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from contracts.errors import WarehouseError
from warehouse.connection import connect
from warehouse.migrations import MIGRATIONS, Migration, bring_up_to_date, newest_version, stored_version
from warehouse.session import Warehouse

# What uncap 0.1 made before it kept versions, as far as a migration is concerned.
OLD_TABLES = """
    CREATE SCHEMA raw;
    CREATE SCHEMA scored;
    CREATE TABLE raw.order_lines (line_id VARCHAR NOT NULL, retailer_id VARCHAR NOT NULL, sku_id VARCHAR NOT NULL,
        ordered_on DATE NOT NULL, delivered_units DOUBLE NOT NULL, requested_units DOUBLE, amount DOUBLE);
    INSERT INTO raw.order_lines VALUES ('L1', 'R1', 'S1', DATE '2024-01-02', 3, NULL, NULL);
    CREATE TABLE scored.retailer_segment (as_of DATE NOT NULL, retailer_id VARCHAR NOT NULL, stage VARCHAR NOT NULL, stage_prev VARCHAR,
        abc_class VARCHAR NOT NULL, rfm_segment VARCHAR NOT NULL, recency_score BIGINT NOT NULL, frequency_score BIGINT NOT NULL,
        monetary_score BIGINT NOT NULL, satisfaction DOUBLE, loyalty DOUBLE NOT NULL, contribution DOUBLE NOT NULL,
        dependence_on_us DOUBLE NOT NULL, our_dependence DOUBLE NOT NULL, wallet_share DOUBLE NOT NULL, margin_52w DOUBLE NOT NULL,
        margin_share DOUBLE NOT NULL, lifetime_value DOUBLE NOT NULL, value_class VARCHAR NOT NULL, value_class_prev VARCHAR,
        value_class_computed VARCHAR NOT NULL, tier VARCHAR, suggested_tier VARCHAR, change_reason VARCHAR, override_id VARCHAR,
        definition_version VARCHAR NOT NULL, run_id VARCHAR NOT NULL);
    INSERT INTO scored.retailer_segment VALUES (DATE '2024-09-29', 'R1', 'stable', NULL, 'A', 'loyal', 5, 5, 5, NULL, 50, 50, 50, 50, 0.5,
        1, 1, 1, 'core', NULL, 'core', NULL, NULL, NULL, NULL, '1', 'score-1');
"""


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A warehouse file from before there were versions."""
    file = tmp_path / "old.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute(OLD_TABLES)
    return file


def copies_of(file: Path) -> list[Path]:
    return sorted(file.parent.glob(f"{file.name}.v*"))


def test_an_old_file_goes_forward_with_its_rows_and_a_copy_of_it_is_kept(old_file: Path) -> None:
    told: list[str] = []
    with connect(str(old_file), threads=1, memory_limit="200MB", on_migration=told.append) as con:
        assert stored_version(con) == newest_version()
        assert con.execute("SELECT stage, stage_seen FROM scored.retailer_segment") == [("stable", "stable")]
        assert con.execute("SELECT count(*) FROM raw.order_lines") == [(1,)]
    (copy,) = copies_of(old_file)
    assert copy.name.startswith("old.duckdb.v0-")
    assert copy.name.endswith("Z.backup")
    assert str(copy) in told[0]
    with duckdb.connect(str(copy), read_only=True) as kept:
        columns = [row[0] for row in kept.execute("DESCRIBE scored.retailer_segment").fetchall()]
        assert "stage" in columns
        assert "stage_seen" not in columns
    with connect(str(old_file), threads=1, memory_limit="200MB", on_migration=told.append):
        assert len(told) == 1 + len(MIGRATIONS)
    assert copies_of(old_file) == [copy]


def test_a_new_file_has_the_newest_version_and_needs_no_copy(tmp_path: Path) -> None:
    file = tmp_path / "new.duckdb"
    with connect(str(file), threads=1, memory_limit="200MB") as con:
        assert stored_version(con) == newest_version()
    assert copies_of(file) == []


def test_a_warehouse_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "newer.duckdb"
    with connect(str(file), threads=1, memory_limit="200MB") as con:
        con.execute("INSERT INTO meta.schema_version VALUES (99, 'later', current_timestamp, '9.1.0')")
    before = file.read_bytes()
    told = r"schema version 99, made by uncap 9\.1\.0; this is uncap .*\nHint: install uncap 9\.1\.0 or later"
    with pytest.raises(WarehouseError, match=told), connect(str(file), threads=1, memory_limit="200MB"):
        pass
    assert file.read_bytes() == before


def test_steps_are_applied_in_order_all_or_none_and_not_without_a_copy(con: Warehouse) -> None:
    def rename(warehouse: Warehouse) -> None:
        warehouse.execute("ALTER TABLE scored.runs RENAME COLUMN error TO failure")

    def fail(_warehouse: Warehouse) -> None:
        raise WarehouseError("step 3 fails", hint="")

    known = (*MIGRATIONS, Migration(newest_version() + 1, "scored.runs.error is called failure", rename))
    with pytest.raises(WarehouseError, match=r"needs 2 .*called failure.*\nHint: back the database up .*`uncap migrate --backed-up`"):
        bring_up_to_date(con, None, known)
    with pytest.raises(WarehouseError, match="step 3 fails"):
        bring_up_to_date(con, lambda _con, _number: "a copy", (*known, Migration(newest_version() + 2, "fails", fail)))
    assert stored_version(con) == newest_version()
    assert con.execute("SELECT error FROM scored.runs") == []
    told = bring_up_to_date(con, lambda _con, _number: "a copy", known)
    assert told == ["the warehouse as it was, schema version 1, is kept in a copy", "version 2: scored.runs.error is called failure"]
    assert con.execute("SELECT failure FROM scored.runs") == []
    assert con.execute("SELECT number FROM meta.schema_version ORDER BY number") == [(1,), (2,)]


KILLED = """
    import os, signal, sys
    import warehouse.migrations as migrations
    from warehouse.connection import connect

    note = migrations._note

    def killing(*arguments):
        note(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    migrations._note = killing
    with connect(sys.argv[1], threads=1, memory_limit="200MB"):
        pass
"""


def test_a_migration_killed_before_its_commit_leaves_the_old_file_and_the_next_one_succeeds(old_file: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(old_file)], check=False, capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with duckdb.connect(str(old_file)) as con:
        assert con.execute("SELECT count(*) FROM information_schema.columns WHERE column_name = 'stage_seen'").fetchall() == [(0,)]
    with connect(str(old_file), threads=1, memory_limit="200MB") as warehouse:
        assert warehouse.execute("SELECT stage_seen FROM scored.retailer_segment") == [("stable",)]


def test_the_part_of_a_copy_that_a_killed_migration_left_is_cleared_by_the_next(old_file: Path) -> None:
    left, of_another = (old_file.with_name(f"{name}.v0-20261122T091500Z.backup.partial") for name in ("old.duckdb", "other.duckdb"))
    for file in (left, of_another):
        file.write_bytes(b"half of a copy")
    with connect(str(old_file), threads=1, memory_limit="200MB"):
        pass
    assert not left.exists()
    assert of_another.exists()
    assert len(copies_of(old_file)) == 1
