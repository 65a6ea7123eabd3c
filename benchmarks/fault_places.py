"""On what are faults injected: a small county, loaded, trained and scored, of which every fault gets a copy of its own?"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.fault_processes import Ended, Forked, fork
from benchmarks.records import PROJECT
from demo.county import County, write_county
from flows.cli import main

AS_OF = date(2025, 9, 21)
NEWEST = date(2025, 9, 28)
"""The county ends a week after ``AS_OF``: that week is what a load adds."""

COUNTY = County(n_retailers=60, n_urban=20, n_skus=40, n_weeks=60, as_of=NEWEST, seed=1)

CONFIGURATION = """\
[warehouse]
threads = 1
memory_limit = "1GB"

[recovery]
iterations = 3

[recovery.recensoring]
free_skus = 5
donors = 1
max_orders = 3_000
folds = 2
num_iterations = 3
num_leaves = 7
num_threads = 1

[recovery.negative_binomial]
largest_history = 1
max_orders = 500
num_iterations = 2
num_threads = 1

[demand]
cut_offs = 2
cut_off_spacing_weeks = 12
max_training_rows = 3_000
members = 1
max_judged_pairs = 300

[demand.lightgbm]
num_iterations = 5
order_num_iterations = 4
num_leaves = 7
min_data_in_leaf = 20
num_threads = 1

[churn]
origins = 4
origin_spacing_weeks = 8
first_origin_weeks = 8
calibration_origins = 1
test_origins = 1

[churn.lightgbm]
num_iterations = 5
num_leaves = 4
min_data_in_leaf = 10
num_threads = 1

[retries]
attempts = 0
delay_seconds = 0.0

[concurrency]
wait_minutes = 0.0
"""

Prints = dict[str, list[str]]
"""Of each stored table: its rows, a hash of all its values, and one of all but run_id and model_version."""


@dataclass(frozen=True)
class Place:
    """A warehouse, a tracking store, a configuration and input files.

    Attributes
    ----------
    folder
        Holds ``warehouse.duckdb``, ``mlruns/``, ``small.toml``.
    county
        Holds ``earlier/``, loaded before, and ``input/``, the same with one more week.
    url
        Of a database server in the file's place.
    """

    folder: Path
    county: Path
    url: str | None = None

    @property
    def warehouse(self) -> Path:
        """The warehouse file."""
        return self.folder / "warehouse.duckdb"

    @property
    def store(self) -> Path:
        """The folder of the tracking store."""
        return self.folder / "mlruns"

    @property
    def config(self) -> Path:
        """The file for ``--config``."""
        return self.folder / "small.toml"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a command here."""
        return {"UNCAP_WAREHOUSE_URL": self.url or str(self.warehouse), "UNCAP_TRACKING_URI": str(self.store)}

    def start(
        self, *words: str, environment: Mapping[str, str] | None = None, before: Callable[[], None] | None = None, log: str = "command"
    ) -> Forked:
        """Start a command of uncap here.

        Parameters
        ----------
        words
            After ``uncap``.
        environment
            Variables besides those that lead here; an empty text takes one away.
        before
            Injects a fault into its process.
        log
            Folder inside this place for what it says.
        """
        command = [*words, "--config", str(self.config)]

        def run() -> int:
            return main(command)

        return fork(run, self.folder / log, self.environment | dict(environment or {}), before)

    def uncap(self, *words: str, environment: Mapping[str, str] | None = None, before: Callable[[], None] | None = None) -> Ended:
        """Run a command of uncap here and wait until it ended."""
        return self.start(*words, environment=environment, before=before).ended()

    def in_new_process(self, *words: str, environment: Mapping[str, str], without_stderr: bool = False) -> Ended:
        """Run a command of uncap here as a shell would; an empty variable is taken away."""
        main_module = "import sys; sys.path.insert(0, sys.argv.pop(1)); from flows.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", main_module, str(PROJECT), *words, "--config", str(self.config)]
        if without_stderr:
            command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *command]
        merged = {name: text for name, text in (os.environ | self.environment | dict(environment)).items() if text}
        began = time.monotonic()
        ran = subprocess.run(command, env=merged, cwd=self.folder, capture_output=True, text=True, check=False, timeout=600)
        return Ended(ran.returncode, ran.stderr, ran.stdout, time.monotonic() - began, 0)

    def belongs_to(self, user: int) -> None:
        """Give everything here to a user."""
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, user, user)

    def asked(self, question: Callable[[], object]) -> object:
        """Return the answer of a function that is asked in a fork, so that this process opens no database itself."""

        def run() -> int:
            print(json.dumps(question()))
            return 0

        answered = fork(run, self.folder / "question", self.environment).ended()
        if answered.exit_code:
            return {"no answer": answered.said.strip().rpartition("\n")[2]}
        return json.loads(answered.printed)

    def prints(self) -> Prints:
        """Return what tells the stored tables of one state from those of another."""
        found = self.asked(lambda: _prints(self.warehouse))
        assert isinstance(found, dict)  # noqa: S101 - JSON of our own
        return found

    def rows(self, query: str) -> list[list[object]]:
        """Return what a query finds in the warehouse, values as JSON has them."""
        found = self.asked(lambda: _rows(self.warehouse, query))
        return found if isinstance(found, list) else [[str(found)]]

    def copied(self, folder: Path, *, with_models: bool = False) -> Place:
        """Return a copy in another folder; MLflow records where files are, so models are shared unless they are recorded anew."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "mlruns").mkdir(parents=True)
        for name in ("warehouse.duckdb", "mlruns/mlflow.db", "small.toml"):
            shutil.copy(self.folder / name, folder / name)
        if with_models:
            shutil.copytree(self.store / "artifacts", folder / "mlruns" / "artifacts")
            _record_elsewhere(folder / "mlruns" / "mlflow.db", str(self.store), str(folder / "mlruns"))
        return Place(folder, self.county)


def new_place(folder: Path) -> Place:
    """Write the county and a configuration; nothing is loaded yet."""
    shutil.rmtree(folder, ignore_errors=True)
    place = Place(folder / "place", folder / "county")
    place.folder.mkdir(parents=True)
    place.config.write_text(CONFIGURATION, encoding="utf-8")
    write_county(COUNTY, place.county)
    earlier = place.county / "earlier"
    shutil.copytree(place.county / "input", earlier)
    lines = pq.read_table(place.county / "input" / "order_lines.parquet")
    pq.write_table(lines.filter(pc.less_equal(lines["ordered_on"], AS_OF)), earlier / "order_lines.parquet")
    return place


def _prints(warehouse: Path) -> Prints:
    prints: Prints = {}
    with duckdb.connect(str(warehouse), read_only=True) as con:
        tables = con.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema IN ('raw', 'scored') AND table_name NOT IN ('runs') ORDER BY ALL"
        ).fetchall()
        for schema, name in tables:
            columns = [row[0] for row in con.execute(f'DESCRIBE "{schema}"."{name}"').fetchall()]
            known = ", ".join(f'"{column}"' for column in columns if column not in ("run_id", "model_version", "source", "loaded_at"))
            hashes = f'SELECT count(*), bit_xor(hash(stored)), bit_xor(hash(ROW({known}))) FROM "{schema}"."{name}" AS stored'
            prints[f"{schema}.{name}"] = [str(value) for value in con.execute(hashes).fetchall()[0]]
    return prints


def _rows(warehouse: Path, query: str) -> list[list[object]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return [
            [value if isinstance(value, int | float | str | None) else str(value) for value in row] for row in con.execute(query).fetchall()
        ]


def _record_elsewhere(database: Path, before: str, after: str) -> None:
    """Change every place that MLflow has recorded."""
    with sqlite3.connect(database) as store:
        for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = [(row[1], row[2].upper()) for row in store.execute(f'PRAGMA table_info("{table}")').fetchall()]
            for column in (name for name, kind in columns if "CHAR" in kind or "TEXT" in kind):
                store.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE "{column}" LIKE ?', (before, after, f"%{before}%")
                )
    store.close()
