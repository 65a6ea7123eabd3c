"""Whether a run is recorded whoever has the warehouse file open when it begins and ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from contracts.errors import InputDataError, WarehouseError
from flows.locations import database_of
from flows.opening import open_warehouse
from flows.orchestration import in_flow
from flows.recording import RunRecord, recorded_run
from flows.settings import Settings
from tests.flows.test_write_lock import waiting_for
from warehouse.runs import last_runs

HOLDS = "import duckdb, sys, time\ncon = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\ntime.sleep(float(sys.argv[2]))"

Lend = Callable[[float], None]

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def impatient(settings: Settings) -> Settings:
    """A step that finds the warehouse held is not tried again."""
    return settings.model_copy(update={"retries": settings.retries.model_copy(update={"attempts": 0})})


@pytest.fixture
def lend_the_file(settings: Settings) -> Iterator[Lend]:
    """Let another process have the warehouse file open for so many seconds from now."""
    with ExitStack() as processes:

        def lend(seconds: float) -> None:
            command = [sys.executable, "-c", HOLDS, str(database_of(settings.warehouse.url)), str(seconds)]
            process = processes.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            processes.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"

        yield lend


def run_recorded(settings: Settings, body: Callable[[RunRecord], None], before: Callable[[], None] = lambda: None) -> None:
    """Run a body as a training that is recorded, and something just before."""

    def steps() -> None:
        before()
        with recorded_run(settings, flow="train", started_at=datetime.now(UTC)) as run:
            body(run)

    in_flow("train", steps)


def status_of_training(settings: Settings) -> str:
    """Return how the last training is recorded."""
    with open_warehouse(settings) as con:
        return str(last_runs(con)["status"][0])


def test_a_training_waits_for_the_file_when_it_begins_and_when_it_ends(
    impatient: Settings, lend_the_file: Lend, capfd: pytest.CaptureFixture[str]
) -> None:
    run_recorded(impatient, lambda _: lend_the_file(5.0), before=lambda: lend_the_file(5.0))
    assert status_of_training(impatient) == "succeeded"
    assert capfd.readouterr().err.count("waiting: ") == 2


def test_a_training_that_fails_is_recorded_as_failed_once_the_file_is_free(impatient: Settings, lend_the_file: Lend) -> None:
    def fails(_run: RunRecord) -> None:
        lend_the_file(3.0)
        raise InputDataError(["too few weeks"], hint="load more")

    with pytest.raises(InputDataError):
        run_recorded(impatient, fails)
    assert status_of_training(impatient) == "failed"


def test_who_interrupts_a_run_does_not_wait_for_the_file(impatient: Settings, lend_the_file: Lend) -> None:
    def interrupted(_run: RunRecord) -> None:
        lend_the_file(60.0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as ended:
        run_recorded(impatient, interrupted)
    assert "could not be recorded as failed" in ended.value.__notes__[0]


def test_a_run_whose_end_cannot_be_recorded_says_that_it_succeeded(impatient: Settings, lend_the_file: Lend) -> None:
    with pytest.raises(WarehouseError, match=r"is locked by process .*, and was for 0.02 minutes") as refused:
        run_recorded(waiting_for(impatient, 0.02), lambda _: lend_the_file(60.0))
    assert refused.value.__notes__[0].startswith("the run itself succeeded")
