"""Whether a database of an older version goes forward once somebody says that there is a backup, and not before."""

from __future__ import annotations

import pytest

from contracts.errors import WarehouseError
from tests.postgres.server import query
from warehouse.connection import connect
from warehouse.migrations import newest_version, stored_version


def test_an_old_database_is_refused_until_it_is_backed_up_and_then_fits_the_contract(postgres_url: str) -> None:
    with connect(postgres_url, threads=1, memory_limit="200MB"):
        pass
    query(postgres_url, "DROP SCHEMA meta CASCADE")
    query(postgres_url, "ALTER TABLE scored.retailer_segment DROP COLUMN stage_seen CASCADE")
    with (
        pytest.raises(WarehouseError, match=r"has schema version 0, .*\nHint: back the database up .* `uncap migrate --backed-up`"),
        connect(postgres_url, threads=1, memory_limit="200MB"),
    ):
        pass
    assert query(postgres_url, "SELECT 1 FROM information_schema.columns WHERE column_name = 'stage_seen'") == []
    told: list[str] = []
    for backed_up in (True, False):
        with connect(postgres_url, threads=1, memory_limit="200MB", server_backed_up=backed_up, on_migration=told.append) as con:
            assert stored_version(con) == newest_version()
            assert con.execute("SELECT stage_seen FROM scored.retailer_segment") == []
    assert len(told) == 2
