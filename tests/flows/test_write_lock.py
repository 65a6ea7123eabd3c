"""Whether runs that write to one warehouse keep apart, wait for each other in words, and survive one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import InputDataError, WarehouseError
from flows.check import require_sound_data
from flows.load import load
from flows.settings import Settings
from flows.train import train
from flows.write_lock import lock_file, warehouse_lock
from tests.flows.test_cli import ORDER_LINES

HOLDS = """
    import sys, time
    from pathlib import Path
    from flows.settings import read_settings
    from flows.write_lock import warehouse_lock

    with warehouse_lock(read_settings(), sys.argv[1], "load"):
        print("held", flush=True)
        sys.stdin.read()
"""


@contextmanager
def another_process_holds(settings: Settings, name: str) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold a lock until its stdin is closed or it is killed."""
    environment = os.environ | {"UNCAP_WAREHOUSE_URL": settings.warehouse.url}
    command = [sys.executable, "-c", textwrap.dedent(HOLDS), name]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def waiting_for(settings: Settings, minutes: float) -> Settings:
    """Return the settings with another patience."""
    return settings.model_copy(update={"concurrency": settings.concurrency.model_copy(update={"wait_minutes": minutes})})


def test_a_run_that_waited_long_enough_names_the_one_that_writes(settings: Settings) -> None:
    said: list[str] = []
    with another_process_holds(settings, "write") as other:
        with (
            pytest.raises(WarehouseError, match=rf"load \(process {other.pid} on .*, since .* UTC\) writes to the warehouse") as refused,
            warehouse_lock(waiting_for(settings, 0.02), "write", "score", said.append),
        ):
            pytest.fail("two runs at once")
        # a training may go on meanwhile
        with warehouse_lock(settings, "train", "train", said.append):
            pass
    assert "concurrency.wait_minutes" in refused.value.hint
    assert [line.partition(" (")[0] for line in said] == ["score: waiting for load"]


def test_a_run_that_waits_goes_on_when_the_other_one_ends(settings: Settings) -> None:
    said: list[str] = []
    with another_process_holds(settings, "write") as other:
        assert other.stdin is not None
        end = other.stdin.close

        def tell(line: str) -> None:
            said.append(line)
            end()

        with warehouse_lock(settings, "write", "score", tell):
            assert other.wait(timeout=60) == 0
    assert len(said) == 1


def test_a_killed_run_leaves_no_lock(settings: Settings) -> None:
    with another_process_holds(settings, "write") as other:
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=60)
        with warehouse_lock(waiting_for(settings, 0.0), "write", "score"):
            file = lock_file(settings, "write")
            assert file is not None
            assert file.read_text(encoding="utf-8").startswith(f"score (process {os.getpid()} on ")
    assert file.read_text(encoding="utf-8") == ""


def test_a_flow_inside_one_that_holds_the_lock_passes_and_does_not_end_it(settings: Settings) -> None:
    at_once = waiting_for(settings, 0.0)
    with warehouse_lock(at_once, "write", "score"):
        with warehouse_lock(at_once, "write", "check"):
            pass
        assert another_thread_is_refused(at_once)
    with warehouse_lock(at_once, "write", "load"):
        pass


def another_thread_is_refused(settings: Settings) -> bool:
    """Tell whether a thread of its own, which is inside nothing, does not get the lock."""
    refused: list[WarehouseError] = []

    def try_it() -> None:
        try:
            with warehouse_lock(settings, "write", "monitor"):
                pass
        except WarehouseError as error:
            refused.append(error)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join(timeout=60)
    return len(refused) == 1


@pytest.mark.usefixtures("prefect_server")
def test_a_load_that_waits_gets_in_after_a_training_has_fetched_what_it_checked(
    tracked_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, order = tracked_settings, list[str]()
    (tmp_path / "order_lines.csv").write_text(ORDER_LINES, encoding="utf-8")
    load(settings, tmp_path)
    monkeypatch.setattr("flows.write_lock.SECONDS_BETWEEN_TRIES", 0.0)

    def load_once_free() -> None:
        with warehouse_lock(settings, "write", "load", order.append, wait_minutes=1.0):
            order.append("loaded")

    waiting = threading.Thread(target=load_once_free)

    def check(*given: Any) -> None:
        waiting.start()
        while not order:
            time.sleep(0.01)
        require_sound_data(*given)

    def fetch(*_: object) -> None:
        time.sleep(0.5)
        order.append("fetched")
        raise InputDataError(["that is enough"], hint="none")

    monkeypatch.setattr("flows.train.require_sound_data", check)
    monkeypatch.setattr("flows.train.gather_training_rows", fetch)
    with pytest.raises(InputDataError, match="that is enough"):
        train(settings, None)
    waiting.join(60)
    assert order[1:] == ["fetched", "loaded"]


def test_a_lock_file_that_may_not_be_written_is_told(settings: Settings) -> None:
    file = lock_file(settings, "write")
    assert file is not None
    file.mkdir()
    with pytest.raises(WarehouseError, match="the lock of the warehouse cannot be taken"), warehouse_lock(settings, "write", "score"):
        pytest.fail("no lock, no run")
