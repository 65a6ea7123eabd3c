"""What do wrong settings, a wrong environment, another clock or another time zone do?"""

from __future__ import annotations

import importlib
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Self

from benchmarks.fault_places import AS_OF
from benchmarks.fault_verdicts import Fault, Inspection
from benchmarks.faults_kills import SCORE, load_words

BAD_SETTING = "exit 2 with every fault and where it was set; every table stays to the bit"
NOT_YET = "exit 3, as for any data that have not come; every table stays to the bit"
FAILS = "exit 1 with a hint; every table stays to the bit; the next run succeeds"
SAME = "the same tables as anywhere else"


def setting_faults() -> Iterator[Fault]:
    """Yield wrong configurations, wrong variables, other clocks and time zones."""
    for name, text, words in CONFIGURATIONS:
        yield Fault("settings", name, BAD_SETTING, partial(_configured, text, words))
    for name, environment, words in VARIABLES:
        yield Fault("settings", name, BAD_SETTING, partial(_in_environment, environment, words))
    yield Fault("settings", "--as-of that is no day", BAD_SETTING, partial(_called, ("score", "--as-of", "2025-13-41"), 2, "2025-13-41"))
    ahead = partial(_called, ("score", "--as-of", "2031-01-05"), 3, "lies after")
    yield Fault("settings", "--as-of long after the newest order", NOT_YET, ahead)
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        yield Fault("clock", f"time zone {zone}", SAME, partial(_in_time_zone, zone))
    yield Fault("clock", "clock set back by 400 days", f"{SAME}; `status` works", _clock_set_back)
    yield Fault("environment", "standard streams in ASCII", "`status` succeeds", _in_ascii)
    yield Fault("environment", "TMPDIR that is not there", f"{SAME}", _without_temporary_folder)
    yield Fault("environment", "Prefect server that is not there", FAILS, _prefect_gone)
    yield Fault("environment", "PREFECT_HOME that cannot be made", BAD_SETTING, _prefect_home_unwritable)
    yield Fault("environment", "memory limit of 20 MB", "exit 1 with a hint on memory, or success; tables old or whole", _little_memory)
    yield Fault("environment", "stderr closed", "exit 0; the tables of an undisturbed load", _stderr_closed)
    yield Fault("environment", "stdout that is full", "exit 1, no traceback; every table stays to the bit", _stdout_full)


CONFIGURATIONS: tuple[tuple[str, bytes, str], ...] = (
    ("unknown key", b"[demand]\nnum_leafs = 3\n", "demand.num_leafs: unknown key"),
    ("unknown section", b"[warehose]\nurl = 'x'\n", "warehose: unknown key"),
    ("text where a number belongs", b"[demand]\nseed = 'one'\n", "demand.seed"),
    ("number out of bounds", b"[churn]\norigins = -3\n", "churn.origins"),
    ("NaN for a number", b"[retries]\ndelay_seconds = nan\n", "retries.delay_seconds"),
    ("configuration that is not TOML", b"[demand\nseed == 1\n", "not TOML"),
    ("configuration of random bytes", bytes(range(128, 256)) * 8, "not TOML"),
    ("configuration that sets a section to a number", b"demand = 3\n", "demand"),
)

VARIABLES: tuple[tuple[str, dict[str, str], str], ...] = (
    ("UNCAP_WAREHOUSE_URL of an unknown database", {"UNCAP_WAREHOUSE_URL": "mysql://root@localhost/x"}, "UNCAP_WAREHOUSE_URL"),
    ("UNCAP_WAREHOUSE_URL in a folder that is not there", {"UNCAP_WAREHOUSE_URL": "/nowhere/w.duckdb"}, "there is no folder"),
    ("UNCAP_TRACKING_URI of an unknown store", {"UNCAP_TRACKING_URI": "ftp://example.org/x"}, "UNCAP_TRACKING_URI"),
    ("UNCAP_LOG_FORMAT that is none", {"UNCAP_LOG_FORMAT": "xml"}, "UNCAP_LOG_FORMAT"),
)


def _configured(text: bytes, words: str, seen: Inspection) -> None:
    seen.place.config.write_bytes(text)
    seen.ended(seen.place.uncap(*SCORE), 2, words)
    seen.unchanged()


def _in_environment(environment: dict[str, str], words: str, seen: Inspection) -> None:
    seen.ended(seen.place.uncap(*SCORE, environment=environment), 2, words)
    seen.unchanged()


def _called(words: tuple[str, ...], exit_code: int, told: str, seen: Inspection) -> None:
    seen.ended(seen.place.uncap(*words), exit_code, told)
    seen.unchanged()


def _in_time_zone(zone: str, seen: Inspection) -> None:
    def move() -> None:
        os.environ["TZ"] = zone
        time.tzset()

    seen.ended(seen.place.uncap(*load_words(seen.place), before=move), 0)
    seen.heals(loaded=True)


class EarlierClock(datetime):
    """A clock that was set back by 400 days."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the wrong time."""
        return super().now(tz) - timedelta(days=400)


def _set_back() -> None:
    for name in ("score", "load", "recording", "command_options", "log_lines"):
        module = importlib.import_module(f"flows.{name}")
        if hasattr(module, "datetime"):
            module.datetime = EarlierClock  # type: ignore[attr-defined]


def _clock_set_back(seen: Inspection) -> None:
    seen.ended(seen.place.uncap(*SCORE, before=_set_back), 0)
    seen.heals()
    newest = seen.place.rows("SELECT run_id FROM scored.runs WHERE flow = 'score' ORDER BY started_at LIMIT 1")
    used = seen.place.rows(f"SELECT DISTINCT run_id FROM scored.demand_forecast WHERE as_of = DATE '{AS_OF}'")
    seen.expect(holds=newest == used, otherwise=f"the rows are of {used}, not of the run that the early clock began, {newest}")
    seen.expect(holds=seen.place.uncap("status", before=_set_back).exit_code == 0, otherwise="`status` failed")


def _in_ascii(seen: Inspection) -> None:
    def narrow() -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding="ascii", errors="strict")  # type: ignore[union-attr]

    seen.ended(seen.place.uncap("status", before=narrow), 0)
    seen.unchanged()


def _without_temporary_folder(seen: Inspection) -> None:
    def lose() -> None:
        tempfile.tempdir = None

    ended = seen.place.uncap(*load_words(seen.place), environment={"TMPDIR": "/nowhere"}, before=lose)
    seen.ended(ended, 0)
    seen.heals(loaded=True)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _prefect_gone(seen: Inspection) -> None:
    nowhere = {"PREFECT_API_URL": f"http://127.0.0.1:{_free_port()}/api"}
    seen.ended(seen.place.in_new_process(*load_words(seen.place), environment=nowhere), 1, "does not answer")
    seen.unchanged()
    seen.heals(load_words(seen.place), loaded=True)


def _prefect_home_unwritable(seen: Inspection) -> None:
    taken = seen.place.folder / "taken"
    taken.write_bytes(b"")
    environment = {"PREFECT_HOME": str(taken / "home"), "PREFECT_API_URL": ""}
    seen.ended(seen.place.in_new_process(*load_words(seen.place), environment=environment), 2, "PREFECT_HOME")
    seen.unchanged()
    seen.heals(load_words(seen.place), loaded=True)


def _little_memory(seen: Inspection) -> None:
    text = seen.place.config.read_text()
    seen.place.config.write_text(text.replace('"1GB"', '"20MB"'))
    seen.ended(seen.place.uncap(*SCORE), (0, 1))
    seen.whole()
    seen.place.config.write_text(text)
    seen.heals(SCORE)


def _stderr_closed(seen: Inspection) -> None:
    seen.ended(seen.place.in_new_process(*load_words(seen.place), environment={}, without_stderr=True), 0)
    seen.heals(loaded=True)


def _stdout_full(seen: Inspection) -> None:
    def fill() -> None:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, 1)

    seen.ended(seen.place.uncap("status", before=fill), 1)
    seen.unchanged()
