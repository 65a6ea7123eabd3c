"""What does a command cost? Wall and processor seconds and peak memory of a child process, and of what it starts."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.records import PROJECT


@dataclass(frozen=True)
class Cost:
    """What one command took.

    Attributes
    ----------
    wall_seconds, cpu_seconds
        Time on the clock, and of processors (user and system).
    peak_memory_gb
        Largest resident set of one process, 10⁹ bytes, as ``/usr/bin/time -v`` measures it.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_memory_gb: float

    def to_json(self) -> dict[str, float]:
        """Return the three figures by name."""
        return asdict(self)


def measure(command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command in the project folder and measure it; what it prints goes to ``log``.

    Raises
    ------
    SystemExit
        If it fails, with the end of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    variables = [f"{name}={value}" for name, value in (environment or {}).items()]
    with log.open("w") as output:
        process = subprocess.Popen(["/usr/bin/env", *variables, *command], cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}; the end of {log}:\n{log.read_text()[-2000:]}")
    return Cost(round(wall, 1), round(used.ru_utime + used.ru_stime, 1), round(used.ru_maxrss * 1024 / 1e9, 2))
