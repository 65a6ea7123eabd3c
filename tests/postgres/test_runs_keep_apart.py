"""Whether runs that write to one warehouse on a server keep apart, and survive one that was killed."""

from __future__ import annotations

import signal
import threading

import pytest

from contracts.errors import WarehouseError
from flows.settings import Settings, read_settings
from flows.write_lock import lock_file, warehouse_lock
from tests.flows.test_write_lock import another_process_holds


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
        threading.Timer(0.5, other.send_signal, (signal.SIGKILL,)).start()
        with warehouse_lock(settings, "write", "score", said.append):
            assert other.wait(timeout=60) == -signal.SIGKILL
    assert [line.partition(" for ")[0] for line in said] == ["score: waiting"]
