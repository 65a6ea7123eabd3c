"""What else a churn model learns: other targets, short histories, and the forecast that scores in its place; and how all is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from contracts.weeks import CHURN_HORIZONS
from models import churn_storage
from models.churn import ChurnModel
from models.churn_baselines import Baselines, fit_baselines
from models.churn_fit import KnownOutcomes, fit_churn
from models.churn_origins import OriginSplit
from models.churn_storage import REST_FILE, TREES_FILE
from models.churn_trees import ChurnSettings
from models.classification import auc_score, calibration_loss


@dataclass(frozen=True)
class Column:
    """A feature as the model wants it."""

    name: str
    group: str


NAMES = ("recency_weeks", "recency_gap_ratio", "longer_gaps_share", "tenure_weeks", "order_share_ahead_13w", "order_share_26w")
FEATURES = (*(Column(name, "silence") for name in NAMES), Column("order_share_52w", "rhythm"), Column("amount_52w", "money"))
SETTINGS = ChurnSettings(rounds=60, leaves=6, learning_rate=0.1, min_rows_per_leaf=40, feature_share=0.8, members=4, threads=1)
CURVE = [f"p_churn_{weeks}w" for weeks in CHURN_HORIZONS]


def market(seed: int, n_retailers: int, origins: int, first: date = date(2018, 1, 7)) -> pd.DataFrame:
    """Shops that order at random until they stop; money tells who declines."""
    random = np.random.default_rng(seed)
    parts = []
    for origin in range(origins):
        shops = pd.DataFrame({"retailer_id": [f"R{number}" for number in range(n_retailers)]})
        shops["as_of"] = first + timedelta(weeks=4 * origin)
        shops["recency_weeks"] = random.geometric(0.5, n_retailers) - 1.0
        shops["recency_gap_ratio"] = shops["recency_weeks"] / 1.5
        shops["longer_gaps_share"] = 0.5 ** shops["recency_weeks"]
        shops["tenure_weeks"] = random.integers(1, 103, n_retailers).astype(float)
        shops["age_weeks"] = shops["tenure_weeks"]
        shops["last_order_age_weeks"] = np.maximum(shops["age_weeks"] - shops["recency_weeks"], 0)
        last = shops["last_order_age_weeks"]
        shops["repeat_orders"] = np.where(last > 0, np.clip(random.poisson(0.5 * last), 1, last), 0)
        for name in ("order_share_ahead_13w", "order_share_26w", "order_share_52w"):
            shops[name] = random.uniform(0.2, 1, n_retailers)
        shops["amount_52w"] = random.lognormal(3, 1, n_retailers)
        stops = random.random(n_retailers) < expit(-3.5 + 0.9 * shops["recency_weeks"])
        next_order = np.where(stops, 999, random.geometric(0.5, n_retailers))
        declines = (random.random(n_retailers) < expit(2 - np.log(shops["amount_52w"]))).astype(float)
        for weeks in CHURN_HORIZONS:
            answered = np.where((weeks == 13) & (shops["tenure_weeks"] >= 51), declines, np.nan)
            parts.append(shops.assign(horizon_weeks=weeks, no_order=next_order > weeks, declines=answered, loses_category=np.nan))
    return pd.concat(parts, ignore_index=True)


def split(rows: pd.DataFrame) -> OriginSplit:
    late = rows["as_of"] >= date(2018, 9, 2)
    return OriginSplit(rows[~late], rows[late], rows.iloc[:0], None, rows)


@pytest.fixture(scope="module")
def parts() -> OriginSplit:
    return split(market(1, 500, 12))


@pytest.fixture(scope="module")
def population() -> pd.DataFrame:
    """Everybody that ever ordered: rates and lifetimes vary, as the laws of random orders want it."""
    random, n_retailers = np.random.default_rng(3), 800
    age, rate = random.uniform(4, 100, n_retailers), random.gamma(2, 0.25, n_retailers)
    lifetime = np.minimum(random.exponential(1 / random.gamma(1, 1 / 60, n_retailers)), age)
    orders = random.poisson(rate * lifetime).astype(float)
    last = np.where(orders > 0, lifetime * random.random(n_retailers) ** (1 / np.maximum(orders, 1)), 0)
    return pd.DataFrame({"repeat_orders": orders, "last_order_age_weeks": last, "age_weeks": age})


@pytest.fixture(scope="module")
def model(parts: OriginSplit, population: pd.DataFrame) -> ChurnModel:
    return fit_churn(KnownOutcomes(parts.train, parts.calibrate, parts.learn, population), FEATURES, SETTINGS)


@pytest.fixture(scope="module")
def shops() -> pd.DataFrame:
    return market(2, 600, 1).query("horizon_weeks == 13").reset_index(drop=True)


def test_the_length_of_the_history_decides_what_scores(model: ChurnModel, shops: pd.DataFrame) -> None:
    expected = np.select([shops["tenure_weeks"] >= 8, shops["tenure_weeks"] >= 4], ["model", "btyd"], "rule")
    assert model.predict(shops)["scored_by"].tolist() == expected.tolist()
    assert set(expected) == {"model", "btyd", "rule"}


def test_where_too_few_stopped_long_histories_go_by_rule_and_the_other_targets_are_learned_all_the_same(
    parts: OriginSplit, population: pd.DataFrame, shops: pd.DataFrame
) -> None:
    train, calibrate, learn = (
        rows.assign(no_order=rows["no_order"] & (rows["retailer_id"] < "R11")) for rows in (parts.train, parts.calibrate, parts.learn)
    )
    fitted = fit_churn(KnownOutcomes(train, calibrate, learn, population), FEATURES, SETTINGS)
    assert fitted.why_rule is not None
    scores = fitted.predict(shops)
    expected = np.where((shops["tenure_weeks"] >= 4) & (shops["tenure_weeks"] < 8), "btyd", "rule")
    assert scores["scored_by"].tolist() == expected.tolist()
    assert scores["p_decline_13w"].notna().sum() > 100


def test_an_unknown_order_history_is_scored_by_rule(model: ChurnModel, shops: pd.DataFrame) -> None:
    scores = model.predict(shops.assign(age_weeks=np.nan))
    assert set(scores["scored_by"]) == {"model", "rule"}


def test_without_order_histories_the_rule_scores_what_the_trees_do_not(model: ChurnModel, shops: pd.DataFrame) -> None:
    scores = model.predict(shops.drop(columns="repeat_orders"))
    assert scores["scored_by"].tolist() == np.where(shops["tenure_weeks"] >= 8, "model", "rule").tolist()


def test_every_curve_lies_in_bounds_that_do_not_rise_with_the_horizon(model: ChurnModel, shops: pd.DataFrame) -> None:
    scores = model.predict(shops)
    p, low, high = (scores[[f"{name}{end}" for name in CURVE]].to_numpy() for end in ("", "_low", "_high"))
    assert ((low <= p) & (p <= high)).all()
    for numbers in (p, low, high):
        assert (np.diff(numbers, axis=1) <= 1e-12).all()


def test_decline_is_learned_and_calibrated_and_only_asked_of_those_with_a_year(model: ChurnModel, shops: pd.DataFrame) -> None:
    p, outcome = model.predict(shops)["p_decline_13w"], shops["declines"]
    assert p.isna().tolist() == ((shops["tenure_weeks"] < 51) | (shops["order_share_ahead_13w"] * 13 < 4)).tolist()
    asked = p.notna()
    assert auc_score(outcome[asked], p[asked]) > 0.6
    assert calibration_loss(outcome[asked], p[asked], bins=4) < 0.1


def test_a_target_without_outcomes_is_unknown(model: ChurnModel, shops: pd.DataFrame) -> None:
    assert "category_loss" not in model.targets
    assert model.predict(shops)["p_category_loss_13w"].isna().all()


@pytest.fixture(scope="module")
def baselines(parts: OriginSplit, population: pd.DataFrame) -> Baselines:
    return fit_baselines(parts, [feature.name for feature in FEATURES], population)


@pytest.mark.parametrize("name", ["recency", "pareto_nbd"])
def test_a_promoted_baseline_scores_long_histories_with_bounds_and_survives_saving(
    name: str, model: ChurnModel, baselines: Baselines, shops: pd.DataFrame, tmp_path: Path
) -> None:
    baseline = baselines.fitted[name]
    served = replace(model, promoted=baseline)
    scores, long = served.predict(shops), (shops["tenure_weeks"] >= 8).to_numpy()
    np.testing.assert_allclose(scores[CURVE][long], baseline.predict(shops[long])[CURVE], atol=1e-9)
    assert set(scores["scored_by"][long]) == {"rule" if name == "recency" else "btyd"}
    assert (scores["p_churn_13w_low"] <= scores["p_churn_13w"] + 1e-12).all()
    pd.testing.assert_frame_equal(served.contributions(shops), model.contributions(shops))
    churn_storage.save(served, tmp_path)
    pd.testing.assert_frame_equal(churn_storage.load(tmp_path).predict(shops), scores)


def test_a_promoted_baseline_scores_where_there_are_no_trees_either(model: ChurnModel, baselines: Baselines, shops: pd.DataFrame) -> None:
    bare = replace(model, lost=None, targets={}, why_rule="too few")
    served = replace(bare, promoted=baselines.fitted["recency"])
    long = (shops["tenure_weeks"] >= 8).to_numpy()
    np.testing.assert_allclose(served.predict(shops)[CURVE][long], baselines.fitted["recency"].predict(shops[long])[CURVE], atol=1e-9)
    pd.testing.assert_frame_equal(served.contributions(shops), bare.contributions(shops))


def test_a_saved_model_keeps_all_its_parts(model: ChurnModel, shops: pd.DataFrame, tmp_path: Path) -> None:
    churn_storage.save(model, tmp_path)
    pd.testing.assert_frame_equal(churn_storage.load(tmp_path).predict(shops), model.predict(shops))


def test_a_model_of_the_version_before_scores_as_it_did_without_bounds(model: ChurnModel, shops: pd.DataFrame, tmp_path: Path) -> None:
    assert model.lost is not None
    churn_storage.save(model, tmp_path)
    rest = json.loads((tmp_path / REST_FILE).read_text(encoding="utf-8"))
    settings = {name: value for name, value in rest["settings"].items() if name not in ("members", "least_btyd_weeks")}
    rule = {name: rest["rule"][name] for name in ("horizons", "rates", "overall")}
    kept = {name: rest[name] for name in ("features", "groups", "categories", "why_rule")}
    before = kept | {"calibration": {"slope": 1.1, "intercept": -0.2}, "rule": rule, "settings": settings}
    (tmp_path / REST_FILE).write_text(json.dumps(before), encoding="utf-8")
    (tmp_path / TREES_FILE).write_text(model.lost.trees.members[0].model_to_string(), encoding="utf-8")
    scores = churn_storage.load(tmp_path).predict(shops)
    long = (shops["tenure_weeks"] >= 8).to_numpy()
    raw = model.lost.trees.odds(shops[long], 13)[0]
    np.testing.assert_allclose(scores["p_churn_13w"][long], expit(1.1 * raw - 0.2))
    assert scores["p_churn_13w_low"].isna().all()
    assert set(scores["scored_by"]) == {"model", "rule"}
