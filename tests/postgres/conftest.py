"""A PostgreSQL server for the session, and an empty database of it for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.postgres.programs import NoServerError
from tests.postgres.server import PostgresServer, running_server

REQUIRED = "UNCAP_TESTS_NEED_POSTGRES"
"""Set by `make test` and `make test-postgres`: without a server the tests fail, rather than being skipped."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server that the session started."""
    try:
        with running_server() as server:
            yield server
    except NoServerError as failure:
        if os.environ.get(REQUIRED):
            raise
        pytest.skip(str(failure))


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty database, as a warehouse URL of its owner."""
    return postgres_server.new_database()
