"""The matrix of pairs and horizons, looked at cell by cell."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from contracts.weeks import HORIZONS
from models.stacking import LOWEST_LEVEL, FeatureSpace, StackedRows, column, feature_space, level_units, sample_rows

SPACE = FeatureSpace(("mean_13w",), ("season",), ("holidays",), {"tier": ("T1", "T2")})
CALENDAR = [{"holidays": 10.0 * horizon, "ignored": 99.0} for horizon in HORIZONS]


def pairs(rows: int = 3) -> pa.Table:
    """Pairs whose numbers tell where they come from: pair i has mean i, and in horizon h season 100 i + h and target 10 i + h."""
    index = np.arange(rows, dtype=float)
    columns: dict[str, object] = {"mean_13w": index, "mean_26w": index, "mean_52w": index, "peer_units": np.zeros(rows)}
    columns["tier"] = [["T2", "T1", "unseen", None][i % 4] for i in range(rows)]
    for h in HORIZONS:
        columns |= {f"season_{h}": 100 * index + h, f"target_{h}": 10 * index + h}
    return pa.table(columns)


def test_columns_are_in_the_order_of_their_names() -> None:
    assert SPACE.names == ("mean_13w", "tier", "season", "holidays", "horizon_weeks")
    assert [SPACE.names[position] for position in SPACE.categorical] == ["tier"]
    matrix = np.hstack([SPACE.pair_block(pairs()), SPACE.horizon_block(pairs(), 3, CALENDAR[2])])
    np.testing.assert_array_equal(matrix, [[0, 1, 3, 30, 3], [1, 0, 103, 30, 3], [2, np.nan, 203, 30, 3]])
    assert matrix.dtype == np.float32


def test_unknown_numbers_and_texts_are_missing() -> None:
    unknown = pa.table({"mean_13w": pa.array([None, 2], pa.int64()), "tier": pa.array([None, "T2"])})
    np.testing.assert_array_equal(SPACE.pair_block(unknown), [[np.nan, np.nan], [2, 1]])
    assert column(unknown, "mean_13w").dtype == np.float64


def test_codes_do_not_depend_on_how_the_rows_are_chunked() -> None:
    chunked = pa.concat_tables([pairs().slice(1), pairs().slice(0, 1)])
    np.testing.assert_array_equal(SPACE.pair_block(chunked)[:, 1], [0, np.nan, 1])


def test_a_space_survives_json() -> None:
    assert FeatureSpace.from_json(json.loads(json.dumps(SPACE.to_json()))) == SPACE


def test_columns_that_never_vary_are_left_out() -> None:
    rows = pa.table(
        {
            "varies": [1.0, 2.0],
            "constant": [3.0, 3.0],
            "sometimes_known": pa.array([3.0, None]),
            "never_known": pa.array([None, None], pa.float64()),
            "one_text": ["a", "a"],
            "texts": ["b", "a"],
        }
    )
    space = feature_space(rows, ["varies", "constant", "sometimes_known", "never_known"], ["season"], ["holidays"], ["one_text", "texts"])
    assert space == FeatureSpace(("varies", "sometimes_known"), ("season",), ("holidays",), {"texts": ("a", "b")})


def test_every_pair_and_horizon_is_drawn_once_with_its_own_target_and_calendar() -> None:
    rows = sample_rows(SPACE, pairs(), CALENDAR, HORIZONS, 1000, seed=1)
    assert rows.features.shape == (3 * 8, 5)
    pair, horizon = rows.features[:, 0], rows.features[:, 4]
    assert len(set(zip(pair, horizon, strict=True))) == 24
    np.testing.assert_array_equal(rows.units, 10 * pair + horizon)
    np.testing.assert_array_equal(rows.features[:, 2], 100 * pair + horizon)
    np.testing.assert_array_equal(rows.features[:, 3], 10 * horizon)
    np.testing.assert_allclose(rows.level, np.maximum(pair, LOWEST_LEVEL))


def test_so_many_rows_are_drawn_from_the_known_horizons_by_seed() -> None:
    def drawn(seed: int) -> list[tuple[float, ...]]:
        rows = sample_rows(SPACE, pairs(50), CALENDAR, (1, 4), 30, seed)
        return sorted(map(tuple, rows.features[:, [0, 4]].tolist()))

    assert len(set(drawn(1))) == 30
    assert {horizon for _, horizon in drawn(1)} == {1, 4}
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_weeks_that_were_closed_are_left_out() -> None:
    closed = pairs().set_column(pairs().column_names.index("target_2"), "target_2", pa.array([None, 5.0, None]))
    rows = sample_rows(SPACE, closed, CALENDAR, (2,), 1000, seed=1)
    assert (rows.units.tolist(), rows.features[:, 0].tolist(), rows.level.tolist()) == ([5], [1], [1])


def test_cut_offs_are_put_under_each_other() -> None:
    parts = [StackedRows(np.full((n, 2), n, np.float32), np.full(n, float(n)), np.ones(n)) for n in (2, 3)]
    rows = StackedRows.concatenate(parts)
    assert rows.units.tolist() == [2, 2, 3, 3, 3]
    assert (rows.features.shape, rows.level.shape) == ((5, 2), (5,))


@pytest.mark.parametrize(
    ("means", "peers", "level"),
    [
        ((4.0, 2.0, 1.0), 0.0, 0.5 * 4 + 0.3 * 2 + 0.2 * 1),
        ((4.0, None, None), 0.0, 4.0),
        ((None, 2.0, 1.0), 0.0, (0.3 * 2 + 0.2 * 1) / 0.5),
        ((None, None, None), 3.0, 3.0),
        ((None, None, None), None, LOWEST_LEVEL),
        ((0.0, 0.0, 0.0), 3.0, 0.1 * 3),
        ((0.0, 0.0, 0.0), 0.0, LOWEST_LEVEL),
        ((1.0, 1.0, 1.0), 3.0, 1.0),
    ],
)
def test_the_level_is_the_pairs_own_and_never_far_below_its_peers(
    means: tuple[float | None, ...], peers: float | None, level: float
) -> None:
    names = ("mean_13w", "mean_26w", "mean_52w", "peer_units")
    rows = pa.table({name: pa.array([value], pa.float32()) for name, value in zip(names, (*means, peers), strict=True)})
    assert level_units(rows) == pytest.approx([level])


def test_a_week_at_a_floor_is_no_order_and_keeps_its_units() -> None:
    table = pairs()
    for horizon in HORIZONS:
        table = table.append_column(f"target_{horizon}_floored", pa.array(column(table, f"target_{horizon}") > 15.0))
    rows, plain = (sample_rows(SPACE, some, CALENDAR, (1, 2), 1000, seed=1) for some in (table, pairs()))
    assert rows.units.tolist() == plain.units.tolist()
    assert rows.floored is not None
    assert rows.floored.tolist() == (rows.units > 15).tolist()
    assert rows.ordered.tolist() == ((rows.units > 0) & (rows.units <= 15)).tolist()
    assert plain.floored is None
    assert plain.ordered.tolist() == (plain.units > 0).tolist()
    both = StackedRows.concatenate([plain, rows]).settle()
    assert both.ordered.tolist() == [*plain.ordered, *rows.ordered]
    assert rows.take(np.array([0, 3])).ordered.tolist() == rows.ordered[[0, 3]].tolist()


def test_demand_recovered_again_takes_the_place_of_the_first_estimate() -> None:
    again = pairs()
    for horizon in HORIZONS:
        again = again.append_column(f"settled_{horizon}", pa.array(column(again, f"target_{horizon}") + 1.0))
    rows = sample_rows(SPACE, again, CALENDAR, (1, 2), 1000, seed=1)
    known = sample_rows(SPACE, pairs(), CALENDAR, (1, 2), 1000, seed=1)
    assert rows.units.tolist() == known.units.tolist()
    assert rows.settle().units.tolist() == (known.units + 1.0).tolist()
    assert known.settle() is known
    both = StackedRows.concatenate([rows, known]).settle()
    assert both.units.tolist() == [*(known.units + 1.0), *known.units]
    assert rows.take(np.array([1])).settle().units.tolist() == [known.units[1] + 1.0]
