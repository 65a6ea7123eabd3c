"""Whether totals are held against their intervals: each pair once, whole and by class, closed weeks left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from models.judged_totals import BY, FIGURES, judged_totals, total_coverage
from models.totals import fit_totals

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
WEEKS = 8


def market(n: int, seed: int, *, true_rate: float = 1.0) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Pairs with what came, and the chance and mean that were forecast; orders are six units, as often as forecast times ``true_rate``."""
    rng = np.random.default_rng(seed)
    chance = np.repeat(rng.uniform(0.1, 0.6, (n, 1)), WEEKS, axis=1)
    came = 6.0 * (rng.random((n, WEEKS)) < true_rate * chance)
    targets = {f"target_{h + 1}": came[:, h] for h in range(WEEKS)}
    return pa.table({"retailer_id": [f"R{i}" for i in range(n)], "sku_id": ["S"] * n, **targets}), chance, 6 * chance


def learned(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pairs, chance, mean = market(20_000, seed)
    came = sum(pairs[f"target_{h + 1}"].to_numpy() for h in range(WEEKS))
    return chance.sum(axis=1), mean.sum(axis=1), came


LAW = fit_totals(*learned(1))


def judged(n: int, seed: int, *, true_rate: float = 1.0) -> pd.DataFrame:
    totals = judged_totals(*market(n, seed, true_rate=true_rate), LAW, LEVELS)
    often = totals.model > 12
    return totals.assign(
        origin="2025-08-03", orders_52w=np.where(often, 40.0, 5.0), open_weeks_52w=52.0, limited=np.arange(len(totals)) % 4 == 0
    )


def test_a_calibrated_law_holds_four_in_five_totals_in_every_class() -> None:
    found = total_coverage(judged(20_000, 2), LEVELS)
    assert set(found.kind) == set(BY)
    assert found[found.kind == "velocity"].value.tolist() == ["weekly", "rarer"]
    # totals come in sixes, so an end of the interval often holds more than its share
    assert found.coverage_80.between(0.78, 0.9).all()
    assert found.bias.abs().max() < 0.05
    np.testing.assert_allclose(found.coverage_80 + found.below_low80 + found.above_high80, 1.0)
    assert (found.at_most_q95 >= found.at_most_q90).all()


def test_demand_that_doubled_shows_above_the_interval() -> None:
    [whole] = total_coverage(judged(5_000, 3, true_rate=1.6), LEVELS).query("kind == 'all'").to_dict("records")
    assert whole["coverage_80"] < 0.75
    assert whole["above_high80"] > 0.2 > whole["below_low80"]
    assert whole["bias"] == pytest.approx(-0.375, abs=0.02)


def test_the_classes_of_a_kind_share_out_all_totals() -> None:
    found = total_coverage(judged(1_000, 4), LEVELS)
    assert found.groupby("kind").totals.sum().to_dict() == dict.fromkeys(BY, 1_000)


def test_a_pair_with_a_closed_week_has_no_total() -> None:
    pairs, chance, mean = market(3, 5)
    closed = pairs.set_column(pairs.column_names.index("target_4"), "target_4", pa.array([6.0, None, 0.0]))
    totals = judged_totals(closed, chance, mean, LAW, LEVELS)
    assert totals.retailer_id.tolist() == ["R0", "R2"]
    assert totals.actual.tolist() == [sum(closed[f"target_{h + 1}"][i].as_py() for h in range(WEEKS)) for i in (0, 2)]


def test_without_a_total_there_is_no_row_and_where_nothing_came_no_error() -> None:
    assert list(total_coverage(pd.DataFrame(), LEVELS).columns) == ["kind", "value", *FIGURES]
    nothing = judged(50, 6).assign(actual=0.0)
    figures = total_coverage(nothing, LEVELS)
    assert figures[["bias", "pinball_loss"]].isna().all(axis=None)
    assert figures.coverage_80.notna().all()
