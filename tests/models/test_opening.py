"""Weeks in which a pair can order."""

from __future__ import annotations

import pyarrow as pa

from models.opening import open_weeks


def test_nothing_can_be_ordered_before_the_first_horizon() -> None:
    pairs = pa.table({"open_from_horizon": pa.array([1, 3, 8], pa.int64())})
    assert [open_weeks(pairs, horizon).tolist() for horizon in (1, 3, 8)] == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_nothing_can_be_ordered_after_the_last_horizon() -> None:
    pairs = pa.table({"open_from_horizon": [1, 2, 1], "open_until_horizon": [8, 3, 0]})
    assert [open_weeks(pairs, horizon).tolist() for horizon in (1, 3, 4)] == [[1, 0, 0], [1, 1, 0], [1, 0, 0]]


def test_who_says_nothing_can_always_order() -> None:
    assert open_weeks(pa.table({"mean_13w": [1.0, 2.0]}), 1).tolist() == [1, 1]
