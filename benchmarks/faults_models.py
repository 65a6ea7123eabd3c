"""What happens when the tracking store is away, locked or moved, or a champion is harmed?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from benchmarks.fault_verdicts import Fault, Inspection
from benchmarks.faults_kills import SCORE, TRAIN

FAILS = "exit 1 with a hint; every table stays to the bit; once it is mended, the next run succeeds"


def model_faults() -> Iterator[Fault]:
    """Yield what befalls the tracking store, its server, and the files of a champion."""
    for name, harm in STORE_FAULTS:
        yield Fault("tracking store", name, FAILS, partial(_store_harmed, harm), with_models=True)
    yield Fault("tracking store", "database locked by another process", FAILS, _database_locked)
    yield Fault("tracking store", "server that is not there", FAILS, _server_away)
    yield Fault("tracking store", "server killed in the middle of a training", FAILS, _server_killed, with_models=True)
    yield Fault("tracking store", "artifacts that may not be written, in a training", FAILS, _artifacts_read_only, with_models=True)
    for name, pattern, spoil in FILE_FAULTS:
        yield Fault("champion", name, FAILS, partial(_file_harmed, pattern, spoil), with_models=True)


def _store_harmed(harm: Callable[[Path], None], seen: Inspection) -> None:
    kept = seen.place.folder / "kept"
    shutil.copytree(seen.place.store, kept)
    harm(seen.place.store)
    seen.ended(seen.place.uncap(*SCORE), 1)
    seen.unchanged()
    shutil.rmtree(seen.place.store, ignore_errors=True)
    shutil.copytree(kept, seen.place.store)
    seen.heals(SCORE)


def _without_champion(store: Path) -> None:
    with closing(sqlite3.connect(store / "mlflow.db")) as database, database:
        database.execute("DELETE FROM registered_model_aliases")


def _of_random_bytes(store: Path) -> None:
    (store / "mlflow.db").write_bytes(os.urandom(100_000))


def _half_a_database(store: Path) -> None:
    path = store / "mlflow.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


STORE_FAULTS: tuple[tuple[str, Callable[[Path], None]], ...] = (
    ("registry without a champion", _without_champion),
    ("database of random bytes", _of_random_bytes),
    ("database cut in half", _half_a_database),
    ("database gone", lambda store: (store / "mlflow.db").unlink()),
    ("artifacts gone", lambda store: shutil.rmtree(store / "artifacts")),
    ("artifacts of the models gone", lambda store: shutil.rmtree(store / "artifacts" / "models")),
)


def _database_locked(seen: Inspection) -> None:
    with closing(sqlite3.connect(seen.place.store / "mlflow.db")) as database:
        database.execute("BEGIN EXCLUSIVE")
        seen.ended(seen.place.uncap(*SCORE), 1)
        database.execute("ROLLBACK")
    seen.unchanged()
    seen.heals(SCORE)


def _server_away(seen: Inspection) -> None:
    seen.ended(seen.place.uncap(*SCORE, environment={"UNCAP_TRACKING_URI": f"http://127.0.0.1:{_free_port()}"}), 1, "127.0.0.1")
    seen.unchanged()
    seen.heals(SCORE)


def _server_killed(seen: Inspection) -> None:
    with _server(seen.place.store) as (server, url):
        running = seen.place.start(*TRAIN, environment={"UNCAP_TRACKING_URI": url})
        running.wait_for("outcomes of retailers")
        # with the process that answers, which is a child of it
        os.killpg(server.pid, signal.SIGKILL)
        ended = running.ended()
    seen.ended(ended, 1)
    seen.unchanged()
    seen.heals(TRAIN, SCORE)


@contextmanager
def _server(store: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Have an MLflow server on a store."""
    port = _free_port()
    words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{store / 'mlflow.db'}", "--artifacts-destination", str(store / "served")]
    with (store / "server.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, *words], stdout=log, stderr=log, start_new_session=True)
        try:
            for _ in range(600):
                with socket.socket() as asked:
                    if asked.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.2)
            yield server, f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _artifacts_read_only(seen: Inspection) -> None:
    nobody = 65534
    seen.place.belongs_to(nobody)
    artifacts = seen.place.store / "artifacts"
    for folder in (artifacts, *(path for path in artifacts.rglob("*") if path.is_dir())):
        folder.chmod(0o555)

    def become_nobody() -> None:
        os.setgid(nobody)
        os.setuid(nobody)

    seen.ended(seen.place.uncap(*TRAIN, before=become_nobody), 1)
    seen.unchanged()
    seen.heals(TRAIN, SCORE)


def _file_harmed(pattern: str, harm: Callable[[bytes], bytes | None], seen: Inspection) -> None:
    """Harm the files of the champions that a pattern finds, and put them back."""
    files = [path for path in sorted((seen.place.store / "artifacts").rglob(pattern)) if "twin" not in path.parts]
    seen.expect(holds=bool(files), otherwise=f"no file {pattern}")
    contents = {path: path.read_bytes() for path in files}
    for path, content in contents.items():
        harmed = harm(content)
        path.unlink() if harmed is None else path.write_bytes(harmed)
    seen.ended(seen.place.uncap(*SCORE), 1)
    seen.unchanged()
    for path, content in contents.items():
        path.write_bytes(content)
    seen.heals(SCORE)


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _without_first_key(content: bytes) -> bytes:
    values = json.loads(content)
    values.pop(next(iter(values)))
    return json.dumps(values).encode()


FILE_FAULTS: tuple[tuple[str, str, Callable[[bytes], bytes | None]], ...] = (
    ("trees cut in half", "mean_0.txt", _half),
    ("trees of random bytes", "mean_0.txt", lambda content: os.urandom(len(content))),
    ("trees of 0 bytes", "mean_0.txt", lambda _: b""),
    ("JSON cut in half", "demand.json", _half),
    ("JSON that lacks a key", "demand.json", _without_first_key),
    ("JSON that is a list", "demand.json", lambda _: b"[]"),
    ("JSON gone", "demand.json", lambda _: None),
    ("churn model cut in half", "churn.json", _half),
)
