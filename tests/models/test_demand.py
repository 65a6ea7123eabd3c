"""The demand model on a simulated market: against a baseline, against its own copy from disk, and on what is barely data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contracts.errors import InputDataError, TrackingError
from contracts.weeks import HORIZONS
from models.demand import DemandModel, DemandSettings, fit_demand
from models.demand_calibration import UnseenWeeks, fit_calibration
from models.metrics import bias, coverage, pinball_loss, wape_loss
from models.sizes import SizeQuantiles, fit_sizes
from models.stacking import FeatureSpace, StackedRows, column, feature_space, level_units, sample_rows

LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
SETTINGS = DemandSettings(
    rounds=60,
    order_rounds=40,
    members=1,
    most_rows=2_000_000,
    leaves=15,
    min_rows_per_leaf=40,
    learning_rate=0.15,
    feature_fraction=1.0,
    max_bin=63,
    max_delta_step=0.7,
    threads=1,
    seed=1,
)
PACK = 6
CALENDAR = [{"holiday_days": 3.0 if horizon in (2, 7) else 0.0} for horizon in HORIZONS]


def market(pairs: int, seed: int) -> pa.Table:
    """Pairs that order packs now and then, twice as often before a holiday, and in one tier ever less."""
    rng = np.random.default_rng(seed)
    rate, packs = rng.uniform(0.02, 0.4, pairs), rng.choice([1, 1, 2, 4], pairs)
    shrinking = rng.random(pairs) < 0.5
    level = rate * packs * PACK

    columns: dict[str, object] = {f"mean_{w}w": rng.binomial(w, rate) * packs * PACK / w for w in (13, 26, 52)}
    columns |= {"order_rate_26w": np.clip(rate + rng.normal(0, 0.03, pairs), 0, 1), "mean_order_units": packs * PACK}
    columns |= {"peer_units": np.full(pairs, level.mean()), "tier": np.where(shrinking, "T2", "T1")}
    for h, week in zip(HORIZONS, CALENDAR, strict=True):
        chance = np.clip(rate * (2.0 if week["holiday_days"] else 1.0) * np.where(shrinking, 0.3, 1.0), 0, 1)
        columns |= {f"target_{h}": PACK * packs * (rng.random(pairs) < chance).astype(float), f"season_{h}": np.ones(pairs)}
    return pa.table(columns)


def space_of(pairs: pa.Table) -> FeatureSpace:
    plain = ["mean_13w", "mean_26w", "mean_52w", "order_rate_26w", "mean_order_units", "peer_units"]
    return feature_space(pairs, plain, ["season"], ["holiday_days"], ["tier"])


def rows_of(pairs: pa.Table) -> StackedRows:
    return sample_rows(space_of(pairs), pairs, CALENDAR, HORIZONS, 8 * pairs.num_rows, seed=1)


TRAINING = market(2_000, 1)


@pytest.fixture(scope="module")
def model() -> DemandModel:
    return fit_demand(rows_of(TRAINING), space_of(TRAINING), SETTINGS)


def test_the_model_beats_the_recent_mean_on_pairs_it_has_not_seen(model: DemandModel) -> None:
    unseen = market(3_000, 2)
    forecasts = model.predict(unseen, CALENDAR, LEVELS, threads=1)
    actual = np.concatenate([column(unseen, f"target_{h}") for h in HORIZONS])
    forecast = np.concatenate([forecasts[h].mean_units for h in HORIZONS])
    recent = np.tile(column(unseen, "mean_13w"), len(HORIZONS))
    quantiles = np.concatenate([forecasts[h].quantiles for h in HORIZONS])
    p_order = np.concatenate([forecasts[h].p_order for h in HORIZONS])
    assert abs(bias(actual, forecast)) < 0.05 < abs(bias(actual, recent))
    assert wape_loss(actual, forecast) < 0.92 * wape_loss(actual, recent)
    assert ((forecast - actual) ** 2).mean() < 0.9 * ((recent - actual) ** 2).mean()
    assert pinball_loss(actual, quantiles, LEVELS) < 0.6 * pinball_loss(actual, np.repeat(recent[:, None], len(LEVELS), axis=1), LEVELS)
    assert coverage(actual, quantiles[:, 1], quantiles[:, 5]) > 0.8
    assert p_order.mean() == pytest.approx((actual > 0).mean(), rel=0.05)


def test_a_holiday_is_forecast_for_its_own_weeks(model: DemandModel) -> None:
    forecasts = model.predict(market(1_000, 3), CALENDAR, LEVELS, threads=1)
    means = {h: forecasts[h].mean_units.mean() for h in HORIZONS}
    assert min(means[2], means[7]) > 1.5 * max(means[h] for h in HORIZONS if h not in (2, 7))


def test_quantiles_never_cross_and_chances_are_chances(model: DemandModel) -> None:
    forecasts = model.predict(market(500, 4), CALENDAR, LEVELS, threads=1)
    assert list(forecasts) == list(HORIZONS)
    for forecast in forecasts.values():
        assert forecast.quantiles.shape == (500, len(LEVELS))
        assert (np.diff(forecast.quantiles, axis=1) >= 0).all()
        assert (forecast.quantiles >= 0).all()
        assert (forecast.mean_units > 0).all()
        assert ((forecast.p_order >= 0) & (forecast.p_order <= 1)).all()


@pytest.mark.parametrize("most", [10**6, 100])
def test_sizes_are_learned_from_the_orders_alone_of_all_rows(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[np.ndarray] = []

    def noticed(p_order: np.ndarray, mean_units: np.ndarray, units: np.ndarray) -> SizeQuantiles:
        taught.append(units)
        return fit_sizes(p_order, mean_units, units)

    monkeypatch.setattr("models.demand.SIZE_ORDERS", most)
    monkeypatch.setattr("models.demand.fit_sizes", noticed)
    rows = rows_of(TRAINING)
    fit_demand(rows, space_of(TRAINING), replace(SETTINGS, rounds=2, order_rounds=2))
    ordered = rows.units[rows.units > 0]
    assert ordered.size > 200
    if most > ordered.size:
        np.testing.assert_array_equal(taught[0], ordered)
    else:
        assert most / 2 < taught[0].size <= most
        assert (taught[0] > 0).all()


def test_weeks_at_a_floor_teach_the_mean_and_are_no_orders() -> None:
    """Half of the pairs have to take a SKU in nine weeks of ten that hardly any of them want: the expectation is known, an order is not."""
    rng, pairs, expected = np.random.default_rng(6), 2_000, 0.05
    forced = rng.random(pairs) < 0.5
    known = market(pairs, 6).to_pydict()
    known |= {name: np.where(forced, expected, known[name]) for name in ("mean_13w", "mean_26w", "mean_52w")}
    for h in HORIZONS:
        at_floor = forced & (rng.random(pairs) < 0.9)
        known |= {f"target_{h}_floored": at_floor, f"target_{h}": np.where(at_floor, expected, np.where(forced, 0.0, known[f"target_{h}"]))}
    table = pa.table(known)
    forecasts = fit_demand(rows_of(table), space_of(table), SETTINGS).predict(table, CALENDAR, LEVELS, threads=1)
    chance, mean = (np.mean([getattr(forecasts[h], name)[forced] for h in HORIZONS]) for name in ("p_order", "mean_units"))
    assert chance < 0.01
    assert mean == pytest.approx(0.9 * expected, rel=0.2)
    sizes = np.concatenate([forecasts[h].quantiles.ravel() for h in HORIZONS])
    assert not ((sizes > 0) & (sizes < PACK)).any()


def test_a_model_read_from_disk_says_the_same(model: DemandModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    read, unseen = DemandModel.load(tmp_path / "model"), market(300, 5)
    assert read.space == model.space
    for horizon, forecast in model.predict(unseen, CALENDAR, LEVELS, threads=1).items():
        again = read.predict(unseen, CALENDAR, LEVELS, threads=1)[horizon]
        np.testing.assert_array_equal(again.mean_units, forecast.mean_units)
        np.testing.assert_array_equal(again.p_order, forecast.p_order)
        np.testing.assert_array_equal(again.quantiles, forecast.quantiles)


def test_a_model_is_kept_as_text(model: DemandModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demand.json", "mean_0.txt", "order.txt"]
    assert all(path.read_text() for path in tmp_path.iterdir())


def test_a_calibrated_model_reads_its_law_elsewhere_and_survives_the_disk(model: DemandModel, tmp_path: Path) -> None:
    unseen = market(1_000, 11)
    forecasts = model.predict(unseen, CALENDAR, LEVELS, threads=1)
    p_order, mean = (np.stack([getattr(forecasts[h], name) for h in HORIZONS], axis=1) for name in ("p_order", "mean_units"))
    came = np.stack([column(unseen, f"target_{h}") for h in HORIZONS], axis=1)
    learned = fit_calibration(model.sizes, p_order, mean, UnseenWeeks(2 * came, np.zeros(came.shape, dtype=bool)), seed=1)
    calibrated = replace(model, calibration=learned)
    calibrated.save(tmp_path)
    read = DemandModel.load(tmp_path)
    for horizon, forecast in calibrated.predict(unseen, CALENDAR, LEVELS, threads=1).items():
        np.testing.assert_array_equal(forecast.mean_units, forecasts[horizon].mean_units)
        np.testing.assert_array_equal(forecast.quantiles[:, :5], forecasts[horizon].quantiles[:, :5])
        assert (forecast.quantiles >= forecasts[horizon].quantiles).mean() > 0.9
        assert forecast.quantiles[:, 5].mean() > 1.02 * forecasts[horizon].quantiles[:, 5].mean()
        np.testing.assert_array_equal(read.predict(unseen, CALENDAR, LEVELS, threads=1)[horizon].quantiles, forecast.quantiles)
    assert learned is not None
    assert read.calibration is not None
    np.testing.assert_array_equal(read.calibration.totals.ratios, learned.totals.ratios)


def test_a_model_stored_before_there_was_a_calibration_is_read(model: DemandModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    described = json.loads((tmp_path / "demand.json").read_text())
    assert "calibration" not in described
    (tmp_path / "demand.json").write_text(json.dumps(described | {"sizes": described["sizes"][0]}))
    assert DemandModel.load(tmp_path).calibration is None


@pytest.mark.parametrize("lost", ["demand.json", "mean_0.txt", "order.txt"])
def test_a_model_of_which_a_file_is_missing_is_refused(model: DemandModel, tmp_path: Path, lost: str) -> None:
    model.save(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(TrackingError, match=lost):
        DemandModel.load(tmp_path)


def test_the_same_rows_and_seed_give_the_same_model(model: DemandModel) -> None:
    rows, unseen = rows_of(TRAINING), market(200, 6)
    again = fit_demand(rows, space_of(TRAINING), SETTINGS)
    for horizon, forecast in model.predict(unseen, CALENDAR, LEVELS, threads=1).items():
        np.testing.assert_array_equal(again.predict(unseen, CALENDAR, LEVELS, threads=1)[horizon].mean_units, forecast.mean_units)


def test_training_leaves_its_rows_as_they_were(model: DemandModel) -> None:
    rows = rows_of(market(200, 7))
    before = StackedRows(rows.features.copy(), rows.units.copy(), rows.level.copy())
    fit_demand(rows, model.space, replace(SETTINGS, rounds=2, order_rounds=2))
    for name in ("features", "units", "level"):
        np.testing.assert_array_equal(getattr(rows, name), getattr(before, name))


def test_forecasts_start_from_the_pairs_own_level(model: DemandModel) -> None:
    unseen = market(100, 8)
    matrix = np.hstack([model.space.pair_block(unseen), model.space.horizon_block(unseen, 1, CALENDAR[0])])
    single, _ = model.predict_rows(matrix, level_units(unseen), threads=1)
    double, _ = model.predict_rows(matrix, 2 * level_units(unseen), threads=1)
    np.testing.assert_allclose(double, 2 * single)


def test_importances_are_shares_of_named_columns(model: DemandModel) -> None:
    shares = model.importances()
    assert set(shares) == set(model.space.names)
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert shares["tier"] > shares["horizon_weeks"]


def test_a_handful_of_rows_makes_a_model_that_forecasts_their_mean() -> None:
    few = market(3, 9)
    few = few.set_column(few.column_names.index("target_1"), "target_1", pa.array([6.0, 0.0, 0.0]))
    model = fit_demand(rows_of(few), space_of(few), SETTINGS)
    forecast = model.predict(few, CALENDAR, LEVELS, threads=1)[1]
    assert np.isfinite(forecast.mean_units).all()
    assert (forecast.quantiles >= 0).all()


def test_without_any_order_there_is_nothing_to_learn() -> None:
    rows = rows_of(TRAINING)
    with pytest.raises(InputDataError, match="no order in any of the 16000 pair-weeks"):
        fit_demand(replace(rows, units=np.zeros_like(rows.units)), space_of(TRAINING), SETTINGS)


def test_a_model_of_other_features_says_so_and_what_to_do(model: DemandModel) -> None:
    pairs = TRAINING.drop([model.space.plain[0]])
    with pytest.raises(TrackingError, match=f"the first {model.space.plain[0]}"):
        model.predict(pairs, CALENDAR, (0.5,), threads=1)
