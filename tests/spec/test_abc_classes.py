"""The rule: A are the retailers that bring the first 80 % of the margin, B those to 95 %, C the rest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.abc_classes import abc_classes, margin_shares

TABLES = """
    80 15 5              | A B C
    79 16 5              | A A C
    50 30 15 5           | A A B C
    20 20 20 20 20       | A A A A A
    40 40 10 10          | A A B B
    100                  | A
    90 10 0              | A B C
    90 10 -50            | A B C
    0 0                  | C C
"""


@pytest.mark.parametrize("line", TABLES.strip().splitlines())
def test_who_crosses_a_boundary_belongs_to_the_class_it_crosses_from(line: str) -> None:
    margins, classes = (part.split() for part in line.split("|"))
    assert abc_classes([float(money) for money in margins]).tolist() == classes


money = st.lists(st.floats(-1e5, 1e6).map(lambda value: round(value, 2)), min_size=1, max_size=60)


@given(margins=money, seed=st.integers(0, 1000))
def test_the_order_of_the_retailers_does_not_matter(margins: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(margins))
    assert abc_classes(np.array(margins)[order]).tolist() == abc_classes(margins)[order].tolist()


@given(margins=money)
def test_whoever_brings_more_is_in_no_lower_class(margins: list[float]) -> None:
    ranked = abc_classes(sorted(margins, reverse=True)).tolist()
    assert ranked == sorted(ranked)


@given(margins=st.lists(st.floats(0.01, 1e6), min_size=1, max_size=60))
def test_the_shares_of_the_margin_add_up_to_one(margins: list[float]) -> None:
    assert margin_shares(margins).sum() == pytest.approx(1.0)
