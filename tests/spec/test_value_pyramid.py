"""The rule: where a retailer stands in the value pyramid, and how far it must move before that changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.value_pyramid import value_classes
from tests.statements import Rows

# a hundred retailers: the rank is the number of those of higher value; key ends at 5, major at 20, ordinary at 50
MOVES = """
    rank before   | now
    0    .        | key
    4    .        | key
    5    .        | major
    19   .        | major
    20   .        | ordinary
    49   .        | ordinary
    50   .        | small
    99   .        | small
    5    key      | key
    6    key      | major
    4    major    | major
    3    major    | key
    23   major    | major
    24   major    | ordinary
    16   ordinary | ordinary
    15   ordinary | major
    59   ordinary | ordinary
    60   ordinary | small
    40   small    | small
    39   small    | ordinary
    99   key      | small
    0    small    | key
"""

MONEY = """
    value before   | now
    -1    .        | negative
    -1    key      | negative
    0     .        | small
    1     .        | small
    4     negative | negative
    5     negative | negative
    6     negative | small
"""


def test_a_class_changes_a_fifth_beyond_its_boundary(rows_of: Callable[[str], Rows]) -> None:
    values = np.arange(100.0, 0.0, -1.0)
    for row in rows_of(MOVES):
        rank = int(row["rank"])
        before: list[str | None] = [None] * 100
        before[rank] = row["before"]
        assert value_classes(values, before)[rank] == row["now"], row


def test_a_negative_retailer_is_one_until_it_brings_a_twentieth_of_the_median(rows_of: Callable[[str], Rows]) -> None:
    for row in rows_of(MONEY.replace("-1 ", "minus_1 ")):
        value = -1.0 if row["value"] == "minus_1" else float(row["value"])
        others = [100.0] * 9
        assert value_classes([*others, value], [None] * 9 + [row["before"]])[-1] == row["now"], row
