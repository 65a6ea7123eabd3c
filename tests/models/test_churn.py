"""The churn model on simulated retailers, and what it does where there is too little to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from contracts.errors import UncapError
from contracts.weeks import CHURN_HORIZONS
from models import churn_storage
from models.calibration import log_odds
from models.churn import ChurnModel
from models.churn_fit import KnownOutcomes, fit_churn
from models.churn_origins import OriginSplit
from models.churn_trees import ChurnSettings
from models.classification import auc_score, brier_loss, calibration_loss
from models.logistic_baselines import fit_recency


@dataclass(frozen=True)
class Column:
    """A feature as the model wants it."""

    name: str
    group: str


FEATURES = (
    Column("recency_gap_ratio", "silence"),
    Column("recency_weeks", "silence"),
    Column("tenure_weeks", "tenure"),
    Column("true_units_trend_13w", "volume"),
    Column("channel", "shop"),
)
SETTINGS = ChurnSettings(rounds=150, leaves=7, learning_rate=0.1, min_rows_per_leaf=40, feature_share=0.8, threads=1)
P_COLUMNS = [f"p_churn_{weeks}w" for weeks in CHURN_HORIZONS]


def simulated_rows(seed: int, n_retailers: int, origins: int = 6) -> pd.DataFrame:
    """Retailers whose chance to stop is known: it rises with silence and falling volume, and in kiosks."""
    random = np.random.default_rng(seed)
    parts = []
    for origin in range(origins):
        shops = pd.DataFrame({"retailer_id": [f"R{number}" for number in range(n_retailers)]})
        shops["as_of"] = date(2018, 1, 7) + timedelta(weeks=4 * origin)
        shops["recency_gap_ratio"] = random.exponential(1, n_retailers)
        shops["recency_weeks"] = np.floor(shops["recency_gap_ratio"] * random.choice([1, 3], n_retailers))
        shops["tenure_weeks"] = random.integers(2, 100, n_retailers).astype(float)
        shops["true_units_trend_13w"] = random.lognormal(0, 0.5, n_retailers)
        shops["channel"] = random.choice(["kiosk", "store"], n_retailers)
        risk = -3 + 0.8 * shops["recency_gap_ratio"] - 1.5 * np.log(shops["true_units_trend_13w"]) + (shops["channel"] == "kiosk")
        stops = random.random(n_retailers) < expit(risk)
        weeks_to_order = np.where(stops, 999, random.geometric(0.35, n_retailers))
        parts += [shops.assign(horizon_weeks=weeks, no_order=weeks_to_order > weeks) for weeks in CHURN_HORIZONS]
    return pd.concat(parts, ignore_index=True)


def outcomes(train: pd.DataFrame, calibrate: pd.DataFrame) -> KnownOutcomes:
    """What may be learned of other retailers in each part, of whose orders nothing but the features is known."""
    later = calibrate.assign(retailer_id="later " + calibrate["retailer_id"])
    return KnownOutcomes(train, later, pd.concat([train, later], ignore_index=True), pd.DataFrame())


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    """Fitted once; nothing may change it."""
    return fit_churn(outcomes(simulated_rows(1, 500), simulated_rows(2, 300)), FEATURES, SETTINGS)


@pytest.fixture
def shops() -> pd.DataFrame:
    """Retailers to score, with gaps in the data and a kind of shop never seen."""
    rows = simulated_rows(3, 400, origins=1).query("horizon_weeks == 4").reset_index(drop=True)
    rows.loc[::5, "true_units_trend_13w"] = np.nan
    rows.loc[::7, "channel"] = "never seen"
    rows.loc[::11, "channel"] = None
    rows.loc[::13, "recency_gap_ratio"] = np.nan
    return rows.drop(columns=["horizon_weeks", "no_order"])


def test_probabilities_never_rise_with_the_horizon(model: ChurnModel, shops: pd.DataFrame) -> None:
    p_churn = model.predict(shops)[P_COLUMNS].to_numpy()
    assert (np.diff(p_churn, axis=1) <= 0).all()
    assert ((p_churn >= 0) & (p_churn <= 1)).all()


def test_probabilities_never_rise_with_the_horizon_for_any_numbers(model: ChurnModel) -> None:
    random = np.random.default_rng(5)
    shops = pd.DataFrame({feature.name: random.normal(0, 100, 2_000) for feature in FEATURES if feature.name != "channel"})
    shops = shops.assign(retailer_id=np.arange(2_000).astype(str), channel="kiosk")
    assert (np.diff(model.predict(shops)[P_COLUMNS].to_numpy(), axis=1) <= 0).all()


def test_the_model_is_calibrated_and_beats_weeks_since_the_last_order(model: ChurnModel) -> None:
    test = simulated_rows(4, 600)
    known = simulated_rows(1, 500)
    baseline = fit_recency(OriginSplit(known, known.iloc[:0], known.iloc[:0], None, known))
    for weeks in CHURN_HORIZONS:
        rows = test[test["horizon_weeks"] == weeks].reset_index(drop=True)
        p_churn, p_recency = model.predict(rows)[f"p_churn_{weeks}w"], baseline.probabilities(rows)
        assert auc_score(rows["no_order"], p_churn) > auc_score(rows["no_order"], rows["recency_weeks"]) + 0.03
        assert brier_loss(rows["no_order"], p_churn) < brier_loss(rows["no_order"], p_recency)
        assert calibration_loss(rows["no_order"], p_churn) < 0.03


def test_training_twice_gives_the_same_scores(model: ChurnModel, shops: pd.DataFrame) -> None:
    again = fit_churn(outcomes(simulated_rows(1, 500), simulated_rows(2, 300)), FEATURES, SETTINGS)
    pd.testing.assert_frame_equal(model.predict(shops), again.predict(shops))


def test_a_saved_model_scores_and_explains_as_before(model: ChurnModel, shops: pd.DataFrame, tmp_path: Path) -> None:
    churn_storage.save(model, tmp_path)
    loaded = churn_storage.load(tmp_path)
    pd.testing.assert_frame_equal(loaded.predict(shops), model.predict(shops))
    pd.testing.assert_frame_equal(loaded.contributions(shops), model.contributions(shops))
    assert loaded.settings == SETTINGS


def test_a_folder_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UncapError, match="uncap train"):
        churn_storage.load(tmp_path)


def test_scoring_changes_no_input_and_keeps_the_order_of_the_retailers(model: ChurnModel, shops: pd.DataFrame) -> None:
    before = shops.copy(deep=True)
    scores = model.predict(shops).set_index("retailer_id")
    shuffled = shops.sample(frac=1, random_state=3)
    again = model.predict(shuffled)
    model.contributions(shops)
    pd.testing.assert_frame_equal(shops, before)
    assert again["retailer_id"].tolist() == shuffled["retailer_id"].tolist()
    pd.testing.assert_frame_equal(again.set_index("retailer_id").loc[scores.index], scores)


def test_newcomers_are_scored_by_rule_and_the_others_by_the_model(model: ChurnModel, shops: pd.DataFrame) -> None:
    scores = model.predict(shops)
    assert (scores["scored_by"] == np.where(shops["tenure_weeks"] < 8, "rule", "model")).all()
    assert set(scores["scored_by"]) == {"rule", "model"}


def test_contributions_are_the_scores_of_the_factors(model: ChurnModel, shops: pd.DataFrame) -> None:
    judged = shops[shops["tenure_weeks"] >= 8]
    total = model.contributions(judged, horizon=13).drop(columns="retailer_id").sum(axis=1)
    odds = log_odds(model.predict(judged)["p_churn_13w"])
    # The horizon's share varies with what it interacts with; all else is the same for everybody.
    assert np.corrcoef(total, odds)[0, 1] > 0.99
    assert list(model.contributions(judged).columns) == ["retailer_id", "silence", "tenure", "volume", "shop"]


def test_longer_silence_and_falling_volume_add_to_the_risk(model: ChurnModel) -> None:
    shops = pd.DataFrame({"retailer_id": ["calm", "silent"], "recency_gap_ratio": [0.1, 4.0], "recency_weeks": [0.0, 4.0]})
    shops = shops.assign(tenure_weeks=50.0, true_units_trend_13w=[1.5, 0.3], channel=["store", "kiosk"])
    calm, silent = model.contributions(shops).to_dict("records")
    assert all(silent[factor] > 0.2 > calm[factor] for factor in ("silence", "volume", "shop"))


def test_importances_add_up_to_one(model: ChurnModel) -> None:
    importances = model.importances()
    assert importances["gain_share"].sum() == pytest.approx(1)
    assert set(importances["feature"]) == {feature.name for feature in FEATURES} | {"horizon_weeks"}


def without_events(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows, nobody silent but ten retailers."""
    return rows.assign(no_order=rows["no_order"] & rows["retailer_id"].isin([f"R{number}" for number in range(10)]))


@pytest.mark.parametrize(
    ("thin_train", "thin_calibrate", "part"),
    [(without_events, None, "to train on"), (None, lambda rows: rows.iloc[:0], "to calibrate on")],
)
def test_where_too_few_stopped_everybody_is_scored_by_rule_and_the_reason_is_given(
    thin_train: Callable[[pd.DataFrame], pd.DataFrame] | None,
    thin_calibrate: Callable[[pd.DataFrame], pd.DataFrame] | None,
    part: str,
    shops: pd.DataFrame,
    tmp_path: Path,
) -> None:
    train, calibrate = simulated_rows(1, 100), simulated_rows(2, 100)
    train = thin_train(train) if thin_train else train
    calibrate = thin_calibrate(calibrate) if thin_calibrate else calibrate
    fitted = fit_churn(outcomes(train, calibrate), FEATURES, SETTINGS)
    assert fitted.why_rule is not None
    assert part in fitted.why_rule
    scores = fitted.predict(shops)
    assert set(scores["scored_by"]) == {"rule"}
    assert (np.diff(scores[P_COLUMNS].to_numpy(), axis=1) <= 0).all()
    assert fitted.importances().empty
    assert (fitted.contributions(shops)[["tenure", "volume", "shop"]] == 0).all().all()
    churn_storage.save(fitted, tmp_path)
    pd.testing.assert_frame_equal(churn_storage.load(tmp_path).predict(shops), scores)


def test_a_retrained_model_by_rule_leaves_no_old_trees_behind(model: ChurnModel, shops: pd.DataFrame, tmp_path: Path) -> None:
    churn_storage.save(model, tmp_path)
    by_rule = replace(model, lost=None, why_rule="too few")
    churn_storage.save(by_rule, tmp_path)
    assert set(churn_storage.load(tmp_path).predict(shops)["scored_by"]) == {"rule"}


def test_no_labelled_row_at_all_is_an_error() -> None:
    nothing = simulated_rows(1, 5).iloc[:0]
    with pytest.raises(UncapError, match="no retailer with a known outcome"):
        fit_churn(outcomes(nothing, nothing), FEATURES, SETTINGS)
