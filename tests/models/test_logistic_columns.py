"""How features become the numbers of a regression."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from models.logistic_columns import LogisticColumns, learn_columns


@pytest.fixture
def shops() -> pd.DataFrame:
    """Shops with a skewed, a plain, a constant, an unknown and a text column."""
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"units": random.lognormal(3, 1.5, 500), "trend": random.normal(0, 1, 500), "constant": 4.0, "unknown": np.nan})
    rows["area"] = pd.Series(random.choice(["urban", "rural"], 500)).where(random.random(500) < 0.8)
    rows.loc[::10, "trend"] = np.nan
    return rows


def test_columns_are_standard_scores_and_flags_and_what_tells_nothing_is_left_out(shops: pd.DataFrame) -> None:
    columns = learn_columns(shops, list(shops.columns))
    assert [(column.name, column.logged, column.flagged) for column in columns.numbers] == [("units", True, False), ("trend", False, True)]
    assert [(column.name, column.names) for column in columns.texts] == [("area", ("rural", "urban", None))]
    matrix = columns.matrix(shops)
    assert matrix.shape == (500, 6)
    assert matrix[:, 0].std() == pytest.approx(1, abs=0.02)
    assert matrix[:, 2] == pytest.approx(shops["trend"].isna().to_numpy(dtype=float))
    assert (matrix[:, 3:].sum(axis=1) == 1).all()


def test_an_outlandish_number_does_not_run_away_and_a_new_name_has_no_flag(shops: pd.DataFrame) -> None:
    columns = learn_columns(shops, ["units", "area"])
    far = shops.iloc[[0]].assign(units=1e12, area="moon")
    assert columns.matrix(far).tolist() == [[5.0, 0.0, 0.0, 0.0]]


def test_a_feature_that_is_no_longer_there_is_unknown(shops: pd.DataFrame) -> None:
    columns = learn_columns(shops, ["trend", "area"])
    assert columns.matrix(shops[["units"]].iloc[:1]).tolist() == [[0.0, 1.0, 0.0, 0.0, 1.0]]


def test_columns_read_from_json_are_the_same_and_rows_stay_as_they_were(shops: pd.DataFrame) -> None:
    before = shops.copy(deep=True)
    columns = learn_columns(shops, list(shops.columns))
    again = LogisticColumns.from_json(json.loads(json.dumps(asdict(columns))))
    assert again == columns
    assert again.matrix(shops) == pytest.approx(columns.matrix(shops))
    pd.testing.assert_frame_equal(shops, before)
