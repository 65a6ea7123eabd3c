"""Which labelled rows may train a churn model, which calibrate it, and which judge it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from contracts.churn_targets import VOID_FROM


@dataclass(frozen=True)
class OriginSplit:
    """Labelled rows parted in time, none of them knowing what a later part is asked.

    Attributes
    ----------
    train, calibrate, test
        Rows as they were given; calibrate and test may be empty.
    reason
        Why a part is empty that was asked for; None where all are there.
    learn
        All that may be learned before the test: train, calibrate, and the rows between whose windows reach into the calibration.
    """

    train: pd.DataFrame
    calibrate: pd.DataFrame
    test: pd.DataFrame
    reason: str | None
    learn: pd.DataFrame


def split_origins(rows: pd.DataFrame, as_of: date, *, calibrate_origins: int = 3, test_origins: int = 3) -> OriginSplit:
    """Part labelled rows by origin, purging every label whose window reaches into the next part.

    A row is known from ``as_of + horizon_weeks``. Train rows are known by the first calibrate origin, calibrate rows by the
    first test origin, test rows by ``as_of``. Each part begins so early that the longest horizon has the origins asked for;
    shorter horizons get more. Where the history is too short for all three parts the test is given up first, then the calibration.

    Parameters
    ----------
    rows
        One row per retailer, origin and horizon: as_of (date) and horizon_weeks at least. Where there is a column VOID_FROM
        (``contracts.churn_targets``), a part is without the rows that were known to be no churn when it ends.
    as_of
        What is known ends here.
    calibrate_origins, test_origins
        Origins of the longest horizon in each part; 0 test origins leave more for the final fit.

    Returns
    -------
    OriginSplit
        With the reason where a part asked for is empty.
    """
    known = rows[_known_on(rows) <= pd.Timestamp(as_of)]
    for tested in dict.fromkeys((test_origins, 0)):
        starts = _part_starts(known, as_of, calibrate_origins, tested)
        if starts is not None:
            return _parts(known, as_of, *starts, reason=None if tested == test_origins else _too_short(known, "to judge a model"))
    valid = _still_valid(known, as_of)
    return OriginSplit(valid, known.iloc[:0], known.iloc[:0], _too_short(known, "to calibrate a model"), valid)


def known_until(rows: pd.DataFrame) -> date:
    """Return the Sunday that ends the last window among the rows."""
    until: pd.Timestamp = _known_on(rows).max()
    return until.date()


def _known_on(rows: pd.DataFrame) -> pd.Series:
    """The Sunday that ends each row's window."""
    return pd.to_datetime(rows["as_of"]) + pd.to_timedelta(7 * rows["horizon_weeks"].astype("int64"), unit="D")


def _part_starts(known: pd.DataFrame, as_of: date, calibrate_origins: int, test_origins: int) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """First origin of the calibration and of the test; None where nothing would be left to train on."""
    if known.empty:
        return None
    longest = known[known["horizon_weeks"] == known["horizon_weeks"].max()]
    origins, ends = pd.to_datetime(longest["as_of"]), _known_on(longest)
    test_start = pd.Timestamp(as_of)
    if test_origins:
        candidates = sorted(origins[ends <= test_start].unique())
        if len(candidates) < test_origins:
            return None
        test_start = pd.Timestamp(candidates[-test_origins])
    candidates = sorted(origins[ends <= test_start].unique())
    if len(candidates) < calibrate_origins:
        return None
    calibrate_start = pd.Timestamp(candidates[-calibrate_origins])
    trainable = _known_on(longest) <= calibrate_start
    return (calibrate_start, test_start) if trainable.any() else None


def _parts(known: pd.DataFrame, as_of: date, calibrate_start: pd.Timestamp, test_start: pd.Timestamp, *, reason: str | None) -> OriginSplit:
    """The three parts, purged."""
    origins, known_on = pd.to_datetime(known["as_of"]), _known_on(known)
    return OriginSplit(
        train=_still_valid(known[known_on <= calibrate_start], calibrate_start),
        calibrate=_still_valid(known[(origins >= calibrate_start) & (origins < test_start) & (known_on <= test_start)], test_start),
        test=_still_valid(known[origins >= test_start], as_of),
        reason=reason,
        learn=_still_valid(known[known_on <= test_start], test_start),
    )


def _still_valid(rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """The rows that were churn's by what was known on a day: what came out later counts neither for nor against a part."""
    if VOID_FROM not in rows:
        return rows
    return rows[~(pd.to_datetime(rows[VOID_FROM]) <= pd.Timestamp(day))]


def _too_short(known: pd.DataFrame, purpose: str) -> str:
    """Say that the history is too short, and how short."""
    n_origins = known["as_of"].nunique()
    return f"history too short {purpose} on later origins: {n_origins} origins with a known outcome"
