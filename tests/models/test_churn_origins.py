"""Rows are parted in time so that no part knows what a later one is asked."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from models.churn_origins import split_origins

AS_OF = date(2019, 9, 29)


def labelled(n_origins: int, horizons: tuple[int, ...] = (4, 8, 13, 26)) -> pd.DataFrame:
    """A row per origin, every four weeks back from AS_OF, and horizon."""
    origins = [AS_OF - timedelta(weeks=4 * back) for back in range(n_origins)]
    return pd.DataFrame([{"as_of": origin, "horizon_weeks": weeks} for origin in origins for weeks in horizons])


def window_ends(rows: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(rows["as_of"]) + pd.to_timedelta(7 * rows["horizon_weeks"], unit="D")


@pytest.mark.parametrize(("calibrate_origins", "test_origins"), [(3, 3), (1, 1), (2, 0)])
def test_no_label_reaches_into_a_later_part(calibrate_origins: int, test_origins: int) -> None:
    split = split_origins(labelled(36), AS_OF, calibrate_origins=calibrate_origins, test_origins=test_origins)
    assert split.reason is None
    assert window_ends(split.train).max() <= pd.to_datetime(split.calibrate["as_of"]).min()
    assert window_ends(split.calibrate).max() <= (pd.to_datetime(split.test["as_of"]).min() if test_origins else pd.Timestamp(AS_OF))
    for rows, n_origins in ((split.calibrate, calibrate_origins), (split.test, test_origins)):
        assert (rows["horizon_weeks"] == 26).sum() == n_origins
        assert n_origins == 0 or window_ends(rows).max() <= pd.Timestamp(AS_OF)
    assert (split.train["horizon_weeks"] == 26).any()


def test_shorter_horizons_have_more_origins() -> None:
    counts = split_origins(labelled(36), AS_OF).test["horizon_weeks"].value_counts()
    assert counts[4] > counts[13] > counts[26]


def test_a_short_history_gives_up_the_test_first_and_says_so() -> None:
    split = split_origins(labelled(20), AS_OF)
    assert split.test.empty
    assert len(split.train)
    assert len(split.calibrate)
    assert split.reason == "history too short to judge a model on later origins: 19 origins with a known outcome"


def test_a_shorter_one_gives_up_the_calibration_too() -> None:
    split = split_origins(labelled(8), AS_OF)
    assert split.calibrate.empty
    assert split.test.empty
    assert (window_ends(split.train) <= pd.Timestamp(AS_OF)).all()
    assert split.reason is not None
    assert "to calibrate" in split.reason


def test_no_known_outcome_gives_nothing_but_a_reason() -> None:
    split = split_origins(labelled(1), AS_OF)
    assert split.train.empty
    assert split.reason is not None


def test_a_silence_that_turns_out_to_be_a_relicensing_is_dropped_only_by_those_who_know() -> None:
    plain = split_origins(labelled(36), AS_OF)
    calibrate_start, test_start = (pd.to_datetime(part["as_of"]).min() for part in (plain.calibrate, plain.test))
    ends = window_ends(plain.train)
    newest = plain.train[ends == ends.max()].index[0]

    def trained(day: pd.Timestamp) -> tuple[bool, bool]:
        split = split_origins(labelled(36).assign(void_from=lambda rows: pd.Series({newest: day}).reindex(rows.index)), AS_OF)
        assert len(split.calibrate) == len(plain.calibrate)
        return newest in split.train.index, newest in split.learn.index

    assert trained(calibrate_start) == (False, False)
    assert trained(calibrate_start + pd.Timedelta(days=1)) == (True, False)
    assert trained(test_start + pd.Timedelta(days=1)) == (True, True)


def test_a_void_row_is_not_judged() -> None:
    rows = labelled(36)
    judged = split_origins(rows, AS_OF).test.index
    days = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]")
    days[judged[0]], days[judged[1]] = pd.Timestamp(AS_OF), pd.Timestamp(AS_OF) + pd.Timedelta(days=7)
    assert split_origins(rows.assign(void_from=days), AS_OF).test.index.equals(judged[1:])
