"""Whether the population stability index tells what moved from what chance does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contracts.errors import TrackingError
from models.drift import FEATURE_BINS, FeatureBins, Population, chance_index, filled_bins, moved_most, population_stability_index


def test_a_bin_that_many_rows_share_is_not_cut_in_two() -> None:
    bins = FeatureBins.of(pd.Series([0.0] * 80 + list(range(1, 21))))
    assert bins.edges[0] == 0.0
    assert bins.counts[0] == 80
    assert sum(bins.counts) == 100


def test_missing_values_and_texts_that_training_did_not_know_have_bins_of_their_own() -> None:
    numbers = FeatureBins.of(pd.Series([1.0, 2.0, None, 4.0]))
    assert numbers.counts[-1] == 1
    assert numbers.count(pd.Series([None, None, np.nan]))[-1] == 3
    assert numbers.count(pd.Series([None, None], dtype="object")).tolist() == [0, 0, 0, 0, 2]
    texts = FeatureBins.of(pd.Series(["urban", "rural", None]))
    assert texts.count(pd.Series(["urban", "island", None])).tolist() == [0, 1, 1, 1]
    assert texts.names() == ["rural", "urban", "another value", "no value"]


def test_chance_alone_gives_the_index_that_its_law_says() -> None:
    rng = np.random.default_rng(7)
    found = []
    for _ in range(400):
        bins = FeatureBins.of(pd.Series(rng.normal(size=300)))
        now = bins.count(pd.Series(rng.normal(size=300)))
        found.append(population_stability_index(bins.counts, now))
    mean, spread = chance_index(10, 300, 300)
    assert np.mean(found) == pytest.approx(mean, rel=0.1)
    assert np.std(found) == pytest.approx(spread, rel=0.2)
    assert np.mean(np.asarray(found) > mean + 3.3 * spread) < 0.02


def test_a_shift_of_half_a_standard_deviation_is_far_beyond_chance() -> None:
    rng = np.random.default_rng(8)
    bins = FeatureBins.of(pd.Series(rng.normal(size=2000)))
    now = bins.count(pd.Series(rng.normal(loc=0.5, size=2000)))
    mean, spread = chance_index(filled_bins(bins.counts, now), 2000, 2000)
    # the divergence of two normal laws half a standard deviation apart is a quarter
    assert population_stability_index(bins.counts, now) == pytest.approx(0.25, abs=0.06)
    assert mean + 3.3 * spread < 0.05


def test_the_index_of_a_feature_that_lost_its_values_names_the_missing_bin() -> None:
    bins = FeatureBins.of(pd.Series([1.0, 2.0, 3.0, 4.0]))
    now = bins.count(pd.Series([None, None, None, 1.0], dtype="float64"))
    assert moved_most(bins, now) == "no value: 0 % of the rows then, 75 % now"
    assert population_stability_index(bins.counts, now) > 0.25


def test_a_population_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    rows = pd.DataFrame({"retailer_id": ["R1", "R1", "R2"], "mean_4w": [1.0, None, 3.0], "area": ["urban", "urban", None]})
    population = Population.of(rows, ["mean_4w", "area"], "2025-06-01")
    population.save(tmp_path / FEATURE_BINS)
    assert Population.load(tmp_path / FEATURE_BINS) == population
    assert population.retailers == 2


def test_a_model_without_bins_has_no_population_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    assert Population.load(tmp_path / FEATURE_BINS) is None
    (tmp_path / FEATURE_BINS).write_text('{"features": []', encoding="utf-8")
    with pytest.raises(TrackingError, match="not the spread of features"):
        Population.load(tmp_path / FEATURE_BINS)
