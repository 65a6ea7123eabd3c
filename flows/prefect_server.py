"""Which Prefect server do flows report to: the user's own, or one that lives as long as this process.

A server of its own takes as long to start as all of uncap to import. So a command begins it before it imports its flow, and the two go on
side by side.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_HOME, temporary_settings

from contracts.errors import ConfigurationError, UncapError
from flows.locking import only_one_process

_OTHER_HOME = "let this user write there, or set PREFECT_HOME to a folder that it may write"

_starting: list[Thread] = []


def begin_server() -> Thread | None:
    """Start a server in the background where ``prefect_server`` would start one, and this is not the first start on its home.

    What goes wrong is left to ``prefect_server``, which tries again.

    Returns
    -------
    threading.Thread or None
        Lives until the server answers; None where none was begun.
    """
    if PREFECT_API_URL.value() or _starting or not _is_migrated(PREFECT_HOME.value()):
        return None
    # not in the thread: two that import modules which need each other may find one of them half made
    import prefect.server.api.server  # noqa: F401, PLC0415

    start = Thread(target=_start, name="start of the Prefect server", daemon=True)
    _starting.append(start)
    start.start()
    return start


@contextmanager
def prefect_server() -> Iterator[None]:
    """Have a server to report to: the user's own, or one that lives as long as this process.

    Several processes that start on a fresh home collide in its migrations, so the first start is made alone. The heartbeat
    is for servers that outlive a run; without one it costs a second per flow.

    Raises
    ------
    UncapError
        If the user's own does not answer.
    ConfigurationError
        If ``PREFECT_HOME`` cannot be made or written.
    """
    if PREFECT_API_URL.value():
        _require_answer(str(PREFECT_API_URL.value()))
        yield
        return
    home: Path = PREFECT_HOME.value()
    _require_writable(home)
    for start in _starting:
        start.join()
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        if not _is_migrated(home):
            with only_one_process(home / "first-start.lock"):
                _have_server()
        yield


def _start() -> None:
    with suppress(Exception):
        _have_server()


def _have_server() -> None:
    with get_client(sync_client=True) as client:
        client.hello()


def _is_migrated(home: Path) -> bool:
    return (home / "prefect.db").exists()


def _require_answer(url: str) -> None:
    with get_client(sync_client=True) as client:
        failure = client.api_healthcheck()
    if failure is not None:
        raise UncapError(
            f"the Prefect server {url} does not answer: {failure}",
            hint="start it, correct PREFECT_API_URL, or unset it: a run then starts a server of its own",
        )


def _require_writable(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigurationError(f"PREFECT_HOME: {home} cannot be made: {failure.strerror}", hint=_OTHER_HOME) from failure
    if not os.access(home, os.W_OK | os.X_OK):
        raise ConfigurationError(f"PREFECT_HOME: {home} may not be written", hint=_OTHER_HOME)
