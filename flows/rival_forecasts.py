"""How forecasts that were made elsewhere, for instance by mlforecast, are read, checked and put beside our own in a backtest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from contracts.errors import InputDataError
from contracts.weeks import HORIZONS
from models.evaluation import FORECASTS

KEY = ("name", "as_of", "retailer_id", "sku_id", "week_start")
COLUMNS = (*KEY, "mean_units")
HINT = "make the files anew, one row per forecast, pair and week; benchmarks/public_forecaster.py writes them so with --name"
NAME = re.compile(r"[A-Za-z0-9_.-]+")


def read_rivals(files: Sequence[Path], origins: Sequence[date]) -> pd.DataFrame:
    """Read forecasts from Parquet files and check them.

    Parameters
    ----------
    files
        Each with ``retailer_id``, ``sku_id``, ``week_start`` (Monday), ``as_of`` (Sunday, the last day known to the forecast),
        ``mean_units`` (expected units of the week) and ``name`` (of the forecaster).
    origins
        Sundays that each forecaster must have forecast from.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``origin`` (date as text), ``retailer_id``, ``sku_id``, ``horizon_weeks``, ``mean_units``; only the origins asked for.

    Raises
    ------
    InputDataError
        With all faults of all files.
    """
    faults: list[str] = []
    parts: list[pd.DataFrame] = []
    for file in files:
        rows, found = _read(file)
        faults += found
        parts.append(rows)
    if not faults and parts:
        faults += _faults_together(pd.concat(parts, ignore_index=True), origins)
    if faults:
        raise InputDataError(faults, hint=HINT)
    rivals = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({column: [] for column in (*COLUMNS, "horizon_weeks")})
    asked = rivals.assign(origin=[str(day)[:10] for day in rivals.as_of])
    wanted = asked[asked.origin.isin([origin.isoformat() for origin in origins])]
    return wanted[["name", "origin", "retailer_id", "sku_id", "horizon_weeks", "mean_units"]].reset_index(drop=True)


def beside(weeks: pd.DataFrame, rivals: pd.DataFrame) -> pd.DataFrame:
    """Add a column of expected units per rival to judged weeks, NaN where it does not name the pair and week.

    Parameters
    ----------
    weeks
        One row per ``origin``, ``retailer_id``, ``sku_id`` and ``horizon_weeks``.
    rivals
        As ``read_rivals`` gives them; the column of each is that of ``column_of``.
    """
    key = ["origin", "retailer_id", "sku_id", "horizon_weeks"]
    joined = weeks
    for name, rows in rivals.groupby("name"):
        theirs = rows[[*key, "mean_units"]].rename(columns={"mean_units": column_of(str(name))})
        joined = joined.merge(theirs, how="left", on=key, validate="many_to_one")
    return joined


def column_of(name: str) -> str:
    """Return the column of a rival, which no other column of judged weeks is called.

    >>> column_of("mlforecast")
    'rival mlforecast'
    """
    return f"rival {name}"


def _read(file: Path) -> tuple[pd.DataFrame, list[str]]:
    try:
        rows = pq.read_table(file).to_pandas()
    except (OSError, pa.ArrowException) as error:
        return pd.DataFrame(), [f"{file.name}: cannot be read as Parquet: {str(error).partition(chr(10))[0]}; expected one Parquet file"]
    missing = [column for column in COLUMNS if column not in rows.columns]
    if missing:
        return pd.DataFrame(), [f"{file.name}: columns {', '.join(missing)} are missing; expected {', '.join(COLUMNS)}"]
    texts = {name: rows[name].astype("str").where(rows[name].notna()) for name in ("name", "retailer_id", "sku_id")}
    days = {name: pd.to_datetime(rows[name], format="ISO8601", errors="coerce") for name in ("as_of", "week_start")}
    units = pd.to_numeric(rows.mean_units, errors="coerce").astype("float64")
    typed = pd.DataFrame({**texts, **days, "mean_units": units})
    horizon = (typed.week_start - typed.as_of).dt.days.sub(1).floordiv(7).add(1)
    return typed.assign(horizon_weeks=horizon), _faults(file.name, typed, horizon)


def _faults(file: str, rows: pd.DataFrame, horizon: pd.Series) -> list[str]:
    known = rows.notna()
    checks = [
        ("name", known.name & ~rows.name.fillna("").str.fullmatch(NAME), "a name with other characters", "letters, digits, _ - ."),
        ("name", rows.name.isin(FORECASTS), "a name that the backtest uses itself", f"other than {', '.join(FORECASTS)}"),
        ("as_of", known.as_of & (rows.as_of.dt.day_of_week != 6), "not a Sunday", "the Sunday that ends the last known week"),
        ("week_start", known.week_start & (rows.week_start.dt.day_of_week != 0), "not a Monday", "the Monday of the week"),
        ("week_start", known.all(axis=1) & ~horizon.isin(HORIZONS), "not one of the eight weeks after as_of", "weeks 1 to 8"),
        (
            "mean_units",
            known.mean_units & ((rows.mean_units < 0) | np.isinf(rows.mean_units)),
            "below 0 or without end",
            "units of 0 or more",
        ),
    ]
    blanks = [(column, ~known[column], "blank or of another type", "a value in every row") for column in COLUMNS]
    return [_told(f"{file}.{column}", rows, wrong, what, expected) for column, wrong, what, expected in (*blanks, *checks) if wrong.any()]


def _faults_together(rows: pd.DataFrame, origins: Sequence[date]) -> list[str]:
    twice = rows.duplicated(list(KEY))
    faults = [_told("rival forecasts", rows, twice, "a key that is there twice", "one row per " + ", ".join(KEY))] if twice.any() else []
    for name, forecast in rows.groupby("name"):
        given = {day.date() for day in forecast.as_of.unique()}
        lacking = sorted(set(origins) - given)
        if lacking:
            told, had = (", ".join(str(day) for day in sorted(days)) for days in (lacking, given))
            faults.append(
                f"rival forecasts.as_of: no forecast of {name} from {told}, only from {had}; expected every origin of the backtest"
            )
    return faults


def _told(place: str, rows: pd.DataFrame, wrong: pd.Series, what: str, expected: str) -> str:
    first = rows[wrong].iloc[0]
    key = ", ".join(f"{name}={str(first[name])[:10] if name in ('as_of', 'week_start') else first[name]}" for name in COLUMNS)
    count = int(wrong.sum())
    return f"{place}: {what}, {count:,} row{'s' if count != 1 else ''}, first {key}; expected {expected}"
