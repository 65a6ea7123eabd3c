"""What happens when a PostgreSQL warehouse goes away in the middle: its session, its backend, the whole of it, or uncap?"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import psycopg

from benchmarks.fault_places import AS_OF, Place
from benchmarks.fault_processes import Forked
from benchmarks.fault_verdicts import Fault, Inspection
from benchmarks.faults_kills import SCORE, load_words
from tests.postgres.server import PostgresServer, running_server

FAILS = "exit 0 if it could begin again, 1 with a hint, or killed; all rows as before or all new; the next run succeeds as on DuckDB"

COUNTED = {
    "load": ("raw.order_lines", "raw.retailers", "raw.skus", "raw.allocation_limits", "raw.supply", "raw.interactions"),
    "score": ("scored.true_demand", "scored.demand_forecast", "scored.churn_score", "scored.retailer_segment"),
}

Disturb = Callable[[PostgresServer, str, Forked], None]


def postgres_faults() -> Iterator[Fault]:
    """Yield what goes away in the middle of a load, and of a score."""
    for command, step in (("load", "every check passed"), ("score", "retailers scored")):
        for name, disturb in DISTURBANCES:
            yield Fault("PostgreSQL", f"{name}, {command} after “{step}”", FAILS, partial(_disturbed, command, step, disturb))
    yield Fault("PostgreSQL", "server that is not there", "exit 1 with a hint, without the password", _not_there)


def _backends(server: PostgresServer, database: str) -> list[int]:
    found = server.execute(f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = 'client backend'")
    return [int(pid) for (pid,) in found]


def _session_ended(server: PostgresServer, database: str, _running: Forked) -> None:
    for backend in _backends(server, database):
        server.execute(f"SELECT pg_terminate_backend({backend})")


def _backend_killed(server: PostgresServer, database: str, _running: Forked) -> None:
    """Kill −9 a backend: the server ends all sessions and recovers from its log."""
    for backend in _backends(server, database):
        os.kill(backend, signal.SIGKILL)


def _closed(server: PostgresServer, database: str, running: Forked) -> None:
    """Let nobody in any more, and end who is."""
    server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    _session_ended(server, database, running)


def _uncap_killed(_server: PostgresServer, _database: str, running: Forked) -> None:
    running.kill()


DISTURBANCES: tuple[tuple[str, Disturb], ...] = (
    ("session ended by the server", _session_ended),
    ("backend killed −9", _backend_killed),
    ("database closed", _closed),
    ("uncap killed −9", _uncap_killed),
)


def _disturbed(command: str, step: str, disturb: Disturb, seen: Inspection) -> None:
    words = load_words(seen.place) if command == "load" else SCORE
    with running_server() as server:
        url = server.new_database()
        database = urlsplit(url).path.strip("/")
        place = replace(seen.place, url=url)
        loaded = place.uncap("load", str(place.county / "earlier"))
        seen.expect(holds=loaded.exit_code == 0, otherwise=loaded.said[-600:])
        before = _counts(url, command)
        running = place.start(*words)
        running.wait_for(step)
        disturb(server, database, running)
        ended = running.ended()
        if disturb is _uncap_killed:
            seen.said = ended.sentence
        else:
            seen.ended(ended, (0, 1))
        _opened_again(server, database)
        whole = _whole(seen, command)
        now = _counts(url, command)
        seen.expect(holds=now in (before, whole), otherwise=f"{now}, neither {before} nor {whole}")
        _heals(seen, place, words, whole, command)


def _heals(seen: Inspection, place: Place, words: tuple[str, ...], whole: dict[str, int], command: str) -> None:
    healed = place.uncap(*words)
    seen.expect(holds=healed.exit_code == 0, otherwise=f"afterwards: {healed.said[-600:]}")
    found = _counts(str(place.url), command)
    seen.expect(holds=found == whole, otherwise=f"not healed: {found}, expected {whole}")


def _opened_again(server: PostgresServer, database: str) -> None:
    """Let runs in again, once the server has recovered."""
    for _ in range(300):
        try:
            server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
        except psycopg.OperationalError:
            time.sleep(0.2)
        else:
            return


def _whole(seen: Inspection, command: str) -> dict[str, int]:
    prints = seen.references.loaded if command == "load" else seen.references.scored
    return {name: int(prints[name][0]) for name in COUNTED[command]}


def _counts(url: str, command: str) -> dict[str, int]:
    """Return rows by table; of scored ones those of the Sunday at hand."""
    where = f" WHERE as_of = DATE '{AS_OF}'" if command == "score" else ""
    with psycopg.connect(url) as connection:
        return {name: int(connection.execute(f"SELECT count(*) FROM {name}{where}".encode()).fetchall()[0][0]) for name in COUNTED[command]}


def _not_there(seen: Inspection) -> None:
    ended = seen.place.uncap("status", environment={"UNCAP_WAREHOUSE_URL": "postgresql://uncap:trombone@127.0.0.1:9/uncap"})
    seen.ended(ended, 1, "uncap:***@127.0.0.1:9")
    seen.expect(holds="trombone" not in ended.said + ended.printed, otherwise="the password is told")
    seen.unchanged()
