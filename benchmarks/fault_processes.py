"""How is a command of uncap run in a process of its own that can be killed at any point, without importing everything each time?

The packages are imported once; each command is a fork of that, with its own environment, folder and output. Nothing else is shared:
the fork opens the warehouse and the tracking store itself, and a kill ends it as it would end any process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

PATIENCE_SECONDS = 600.0
"""A command that takes longer is killed, and its fault not survived."""


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes
    ----------
    exit_code
        Its own, or minus the signal that ended it.
    said, printed
        What it wrote to stderr and stdout.
    seconds
        How long it took.
    peak_mb
        Most memory it had, MB; of a fork with what it shares with its parent.
    """

    exit_code: int
    said: str
    printed: str
    seconds: float
    peak_mb: int

    @property
    def sentence(self) -> str:
        """The line that tells the failure, or how it ended."""
        errors = [line for line in self.said.splitlines() if line.startswith("error: ")]
        if self.exit_code < 0:
            return f"{signal.Signals(-self.exit_code).name} after {self.seconds:.1f} s"
        return errors[-1].removeprefix("error: ") if errors else f"exit {self.exit_code}"


def import_everything() -> None:
    """Import what the commands use, so that a fork need not."""
    for flow in ("backtest", "cli", "load", "reclassify", "score", "status", "train"):
        import_module(f"flows.{flow}")


@dataclass
class Forked:
    """A command under way in a fork."""

    process_id: int
    folder: Path
    began: float

    def ended(self, patience_seconds: float = PATIENCE_SECONDS) -> Ended:
        """Wait until it ended."""
        while True:
            done, status, usage = os.wait4(self.process_id, os.WNOHANG)
            if done:
                break
            if time.monotonic() - self.began > patience_seconds:
                self.kill()
            time.sleep(0.02)
        seconds = time.monotonic() - self.began
        said, printed = (self._written(name) for name in ("stderr", "stdout"))
        return Ended(os.waitstatus_to_exitcode(status), said, printed, seconds, usage.ru_maxrss // 1024)

    def wait_for(self, words: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Return once it wrote these words to stderr, or ended."""
        while words not in self._written("stderr") and time.monotonic() - self.began < patience_seconds:
            if os.waitid(os.P_PID, self.process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return
            time.sleep(0.01)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.process_id, number)

    def _written(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")


def fork(run: Callable[[], int], folder: Path, environment: Mapping[str, str], before: Callable[[], None] | None = None) -> Forked:
    """Run a function in a fork, which ends with the exit code that it returns.

    Parameters
    ----------
    run
        Returns the exit code.
    folder
        Gets ``stdout`` and ``stderr``, and is the working directory.
    environment
        Variables laid over those of this process; an empty text takes one away.
    before
        Injects the fault: called in the fork first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("stdout", "stderr"):
        (folder / name).write_bytes(b"")
    began = time.monotonic()
    process_id = os.fork()
    if process_id:
        return Forked(process_id, folder, began)
    code = 1
    try:
        _settle(folder, environment)
        if before is not None:
            before()
        code = run()
    except BaseException:  # noqa: BLE001 - told on the fork's own stderr; it must never go on as its parent
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _settle(folder: Path, environment: Mapping[str, str]) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        opened = os.open(folder / name, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    for variable, text in environment.items():
        if text:
            os.environ[variable] = text
        else:
            os.environ.pop(variable, None)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


@contextmanager
def stopped_at_the_end(process: Forked) -> Iterator[Forked]:
    """End a process with the block, whatever happens in it."""
    try:
        yield process
    finally:
        process.kill()
        with suppress(ChildProcessError):
            process.ended()
