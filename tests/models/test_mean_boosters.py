"""Tests of the boosters of the mean."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from contracts.errors import TrackingError
from models.mean_boosters import MeanBoosters, fit_members
from models.stacking import StackedRows

N = 3000


@pytest.fixture(scope="module")
def rows() -> StackedRows:
    """Return orders of pairs whose demand is twice or half their level, by the first feature."""
    rng = np.random.default_rng(1)
    features = rng.random((N, 3)).astype(np.float32)
    level = rng.uniform(1.0, 9.0, N)
    return StackedRows(features, rng.poisson(level * np.where(features[:, 0] > 0.5, 2.0, 0.5)).astype(np.float64), level)


def grow(drawn: StackedRows, seed: int) -> lgb.Booster:
    parameters = {"objective": "poisson", "verbosity": -1, "seed": seed, "num_threads": 1, "num_leaves": 7, "feature_fraction": 0.7}
    stacked = lgb.Dataset(drawn.features, drawn.units, init_score=np.log(drawn.level), params=parameters)
    return lgb.train(parameters | {"boost_from_average": False}, stacked, 20)


def test_one_member_is_that_booster_alone(rows: StackedRows) -> None:
    boosters = fit_members(rows, 1, 100, 7, grow, 1)
    alone = grow(rows, 7).predict(rows.features, raw_score=True, num_threads=1)
    np.testing.assert_allclose(boosters.scores(rows.features, 1), alone)


def test_several_say_their_geometric_mean_at_the_true_total(rows: StackedRows) -> None:
    boosters = fit_members(rows, 3, N, 7, grow, 1)
    each = np.stack([member.predict(rows.features, raw_score=True, num_threads=1) for member in boosters.members])
    forecast = rows.level * np.exp(boosters.scores(rows.features, 1))
    assert np.ptp(each, axis=0).max() > 0.01, "the members must differ"
    np.testing.assert_allclose(forecast / forecast.sum(), np.exp(each.mean(axis=0)) * rows.level / forecast.sum() * np.exp(boosters.shift))
    assert forecast.sum() == pytest.approx(rows.units.sum())


def test_each_member_sees_its_share_of_the_rows_or_all_where_there_are_few(rows: StackedRows) -> None:
    seen: list[int] = []

    def counted(drawn: StackedRows, seed: int) -> lgb.Booster:
        seen.append(drawn.units.size)
        return grow(drawn, seed)

    fit_members(rows, 3, 1000, 7, counted, 1)
    fit_members(rows, 2, 10 * N, 7, counted, 1)
    assert seen == [650, 650, 650, N, N]


def test_contributions_of_the_features_sum_to_the_score(rows: StackedRows) -> None:
    boosters = fit_members(rows, 3, N, 7, grow, 1)
    parts = boosters.contributions(rows.features, 1)
    assert parts.shape == (N, 4)
    np.testing.assert_allclose(parts.sum(axis=1), boosters.scores(rows.features, 1), atol=1e-9)
    assert boosters.gains().argmax() == 0


def test_what_is_saved_forecasts_the_same(rows: StackedRows, tmp_path: Path) -> None:
    boosters = fit_members(rows, 2, N, 7, grow, 1)
    boosters.save(tmp_path)
    again = MeanBoosters.load(tmp_path, 2, boosters.shift)
    np.testing.assert_allclose(again.scores(rows.features, 1), boosters.scores(rows.features, 1))


def test_a_lost_member_is_named(rows: StackedRows, tmp_path: Path) -> None:
    fit_members(rows, 2, N, 7, grow, 1).save(tmp_path)
    (tmp_path / "mean_1.txt").unlink()
    with pytest.raises(TrackingError, match=r"no mean_1\.txt in"):
        MeanBoosters.load(tmp_path, 2, 0.0)


def test_the_one_booster_of_an_earlier_version_is_read(rows: StackedRows, tmp_path: Path) -> None:
    booster = grow(rows, 7)
    booster.save_model(tmp_path / "mean.txt")
    earlier = MeanBoosters.load(tmp_path, None, 0.0)
    np.testing.assert_allclose(earlier.scores(rows.features, 1), booster.predict(rows.features, raw_score=True, num_threads=1))
