"""How is a Prefect server with a worker run for a while, on loopback and with a home of its own, and a flow run given a time?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.records import PROJECT

POOL = "uncap"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
"""States of a flow run that is over."""

BUSY = httpx.codes.SERVICE_UNAVAILABLE

LONGEST_WAIT = 600.0
"""Seconds that anything may take, on a machine that may be busy."""


@dataclass(frozen=True)
class LocalScheduler:
    """A Prefect server on loopback.

    Attributes
    ----------
    api
        Its address.
    environment
        What leads commands and flow runs to it.
    """

    api: str
    environment: Mapping[str, str]

    @contextmanager
    def running(self, *words: str, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Have a command of Prefect run beside the body; what it prints goes to a file, or nowhere."""
        command = [sys.executable, "-m", "prefect", *words]
        with (
            (log or Path(os.devnull)).open("ab") as printed,
            subprocess.Popen(command, env=self.environment, cwd=PROJECT, stdout=printed, stderr=printed) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def post(self, path: str, **body: object) -> list[dict[str, Any]]:
        """Send a request and return what the server answers, one or several; while its database is busy, send it again."""
        last = time.monotonic() + LONGEST_WAIT
        while (answer := httpx.post(f"{self.api}/{path}", json=body, timeout=120)).status_code == BUSY and time.monotonic() < last:
            time.sleep(1.0)
        found = answer.raise_for_status().json()
        return found if isinstance(found, list) else [found]

    def answers(self) -> bool:
        """Tell whether the server is up."""
        try:
            return httpx.get(f"{self.api}/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def deploy(self, *words: str, log: Path | None = None) -> None:
        """Make the work pool and the deployments of ``prefect.yaml`` that are named, as ``prefect deploy`` takes them.

        Raises
        ------
        RuntimeError
            If they cannot be made.
        """
        self.post("work_pools/", name=POOL, type="process")
        with self.running("--no-prompt", "deploy", *words, log=log) as deploying:
            if deploying.wait(timeout=LONGEST_WAIT) != 0:
                raise RuntimeError(f"prefect deploy {' '.join(words)} ended with {deploying.returncode}")

    def deployments(self) -> dict[str, dict[str, Any]]:
        """Return the deployments as the server has them, by flow and name."""
        flows = {flow["id"]: flow["name"] for flow in self.post("flows/filter")}
        return {f"{flows[found['flow_id']]}/{found['name']}": found for found in self.post("deployments/filter")}

    def schedule(self, name: str, at: datetime, parameters: Mapping[str, object]) -> str:
        """Give a deployment a further run at a time, with some parameters of its own, and return the run's id."""
        deployment = self.deployments()[name]
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}}
        chosen = deployment["parameters"] | dict(parameters)
        (made,) = self.post(f"deployments/{deployment['id']}/create_flow_run", parameters=chosen, state=state)
        return str(made["id"])

    def run(self, identity: str) -> dict[str, Any]:
        """Return what the server knows of a flow run."""
        (found,) = self.post("flow_runs/filter", flow_runs={"id": {"any_": [identity]}})
        return found

    def ended(self, identity: str) -> dict[str, Any]:
        """Wait until a flow run is over, and return what the server knows of it."""
        until(lambda: self.run(identity)["state_type"] in ENDED)
        return self.run(identity)


@contextmanager
def local_scheduler(home: Path, more: Mapping[str, str]) -> Iterator[LocalScheduler]:
    """Start a server whose database is under ``home``; flow runs get ``more`` in their environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    api = f"http://127.0.0.1:{port}/api"
    # an embedded flow would not send its log anywhere, a worker's does
    own = {"PREFECT_HOME": str(home), "PREFECT_API_URL": api, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}
    server = LocalScheduler(api, {**os.environ, **own, **more})
    with server.running("server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"):
        until(server.answers)
        yield server


def until(holds: Callable[[], bool], longest: float = LONGEST_WAIT) -> None:
    """Wait until something holds.

    Raises
    ------
    TimeoutError
        If it does not within so many seconds.
    """
    last = time.monotonic() + longest
    while not holds():
        if time.monotonic() > last:
            raise TimeoutError(f"not within {longest:.0f} s")
        time.sleep(0.2)
