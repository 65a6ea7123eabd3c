"""Whether runs that write to one warehouse on a server keep apart, survive one that was killed, and notice that their lock is lost."""

from __future__ import annotations

import signal
from datetime import UTC, date, datetime

import pytest

from contracts.errors import WarehouseError
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_task
from flows.recording import recorded_run
from flows.settings import Settings, read_settings
from flows.train import require_own_locks
from flows.write_lock import lock_file, warehouse_lock
from tests.flows.test_write_lock import another_process_holds
from tests.postgres.server import PostgresServer
from warehouse.runs import last_runs
from warehouse.transactions import transaction


def settings_of(url: str) -> Settings:
    """Return the shipped settings on a database."""
    return read_settings(environment={"UNCAP_WAREHOUSE_URL": url})


def test_a_run_is_refused_while_another_process_writes_and_goes_on_once_that_is_killed(postgres_url: str) -> None:
    settings, said = settings_of(postgres_url), list[str]()
    assert lock_file(settings, "write") is None
    with another_process_holds(settings, "write") as other:
        with (
            pytest.raises(WarehouseError, match=rf"uncap {other.pid}@.* writes to the warehouse"),
            warehouse_lock(settings, "write", "score", said.append, wait_minutes=0.0),
        ):
            pytest.fail("two runs at once")
        with warehouse_lock(settings, "train", "train", wait_minutes=0.0), warehouse_lock(settings, "train", "check", wait_minutes=0.0):
            pass

        def kill(line: str) -> None:
            said.append(line)
            other.kill()

        with warehouse_lock(settings, "write", "score", kill):
            assert other.wait(timeout=60) == -signal.SIGKILL
    assert [line.partition(" for ")[0] for line in said] == ["score: waiting"]


def end_sessions(server: PostgresServer, url: str) -> None:
    """End all sessions of a database and wait until they are gone; one that is just ending by itself counts for nothing."""
    database = url.rpartition("/")[2]
    ended = f"SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = '{database}' AND backend_type LIKE 'client%'"
    assert (True,) in server.execute(ended)


@named_task("store a fair")
def store_a_fair(settings: Settings) -> None:
    """Write as a run does: in a task, in a transaction of a session of its own."""
    with open_warehouse(settings) as con, transaction(con, "storing a fair"):
        con.execute("INSERT INTO raw.events VALUES (?, 'Fair', NULL)", [date(2019, 9, 2)])


@pytest.mark.usefixtures("prefect_server")
def test_a_run_that_lost_its_lock_writes_nothing_more_and_is_recorded_as_failed(postgres_server: PostgresServer, postgres_url: str) -> None:
    settings = settings_of(postgres_url)

    def steps() -> None:
        with recorded_run(settings, flow="score", started_at=datetime.now(UTC)):
            store_a_fair(settings)
            end_sessions(postgres_server, postgres_url)
            with another_process_holds(settings, "write"):
                store_a_fair(settings)

    with pytest.raises(WarehouseError, match="the write lock of the warehouse is lost: the session of the server that held it"):
        in_flow("score", steps)
    with open_warehouse(settings) as con:
        assert con.execute("SELECT count(*) FROM raw.events") == [(1,)]
        run = last_runs(con).to_pylist()[0]
    assert run["status"] == "failed"
    assert run["error"].startswith("the write lock of the warehouse is lost")


def test_a_training_that_lost_its_lock_does_not_go_on_to_promote(postgres_server: PostgresServer, postgres_url: str) -> None:
    settings = settings_of(postgres_url)
    with warehouse_lock(settings, "train", "train"):
        require_own_locks.fn(settings)
        end_sessions(postgres_server, postgres_url)
        with pytest.raises(WarehouseError, match="the train lock of the warehouse is lost"):
            require_own_locks.fn(settings)
