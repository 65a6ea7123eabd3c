"""How are load, train and score run on a folder of input tables, with a warehouse and a tracking store of their own?"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.measured import Cost, measure

COMMANDS = ("load", "train", "score")


def run_commands(tables: Path, as_of: date, folder: Path, config: Path | None) -> dict[str, Cost]:
    """Run the three commands one after the other from an empty warehouse.

    Parameters
    ----------
    tables
        Input tables, a file each.
    as_of
        For training and scoring.
    folder
        Gets ``warehouse.duckdb``, ``mlruns`` and a log per command; what an earlier run left there goes first.
    config
        For ``--config``; None is the settings as they come.

    Returns
    -------
    dict
        Cost by command.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = {"UNCAP_WAREHOUSE_URL": str(warehouse_of(folder)), "UNCAP_TRACKING_URI": str(folder / "mlruns")}
    uncap = str(Path(sys.executable).with_name("uncap"))
    words = {"load": [str(tables)], "train": ["--as-of", str(as_of)], "score": ["--as-of", str(as_of)]}
    options = ["--config", str(config)] if config else []
    costs = {}
    for command in COMMANDS:
        print(f"uncap {command} …", end=" ", flush=True)
        costs[command] = measure([uncap, command, *words[command], *options], log=folder / f"{command}.log", environment=environment)
        print(f"{costs[command].wall_seconds} s, {costs[command].peak_memory_gb} GB", flush=True)
    return costs


def warehouse_of(folder: Path) -> Path:
    """Return the warehouse file that ``run_commands`` makes in a folder."""
    return folder / "warehouse.duckdb"


def scored_by(warehouse: Path, as_of: date) -> str:
    """Return the version of ``uncap``, with its commit, that scored an ``as_of`` last."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        rows = con.execute(
            """
            select code_version from scored.runs
            where flow = 'score' and status = 'succeeded' and as_of = ? order by started_at desc limit 1
            """,
            [as_of],
        ).fetchall()
    return str(rows[0][0])


def trained_as_of(warehouse: Path, as_of: date) -> date:
    """Return the last day that was known to the demand model behind the forecast of an ``as_of``.

    Raises
    ------
    SystemExit
        If the warehouse does not tell, or the model was trained on what came after ``as_of``: such a forecast proves nothing.
    """
    with duckdb.connect(str(warehouse), read_only=True) as con:
        rows = con.execute(
            """
            select max(train.as_of) from scored.runs as train
            join (select distinct model_version from scored.demand_forecast where as_of = ?) as used
                on train.demand_model_version = used.model_version
            where train.flow = 'train' and train.status = 'succeeded'
            """,
            [as_of],
        ).fetchall()
    trained: date | None = rows[0][0]
    if trained is None or trained > as_of:
        raise SystemExit(
            f"{warehouse}: the demand model behind the forecast as of {as_of} was trained as of {trained or 'an unknown day'};"
            f" run `uncap run --as-of {as_of}` on a warehouse and a tracking store of their own"
        )
    return trained


def logged_seconds(folder: Path) -> dict[str, dict[str, float]]:
    """Return the metrics ``seconds.*`` that training logged, by run name, read from the embedded tracking store."""
    database = folder / "mlruns" / "mlflow.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        rows = store.execute(
            """
            select runs.name, key, value from latest_metrics join runs using (run_uuid)
            where key like 'seconds.%' order by start_time, key
            """
        ).fetchall()
    seconds: dict[str, dict[str, float]] = {}
    for run, key, value in rows:
        seconds.setdefault(run, {})[key.removeprefix("seconds.")] = round(value, 1)
    return seconds
