"""The baselines that a churn model has to beat, and that score in its place."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.special import expit

from contracts.errors import UncapError
from contracts.weeks import CHURN_HORIZONS
from models.baseline_scores import SIMPLEST_FIRST
from models.churn_baselines import Baselines, fit_baselines
from models.churn_baselines import load as load_baseline
from models.churn_origins import OriginSplit, split_origins
from models.classification import auc_score, calibration_loss
from models.logistic_baselines import fit_all_features, fit_recency

FEATURES = ("recency_weeks", "recency_gap_ratio", "longer_gaps_share", "order_share_52w", "amount_52w", "tenure_weeks", "channel")
P_COLUMNS = [f"p_churn_{weeks}w" for weeks in CHURN_HORIZONS]
FIRST, LAST = date(2017, 7, 2), date(2019, 6, 30)


def ordering_weeks(seed: int, n_retailers: int = 250) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Who orders in which of 160 weeks, by chance at a rate of its own until it stops, and who is a kiosk: those stop sooner."""
    random = np.random.default_rng(seed)
    kiosk = random.random(n_retailers) < 0.3
    rate, hazard = random.uniform(0.15, 0.9, n_retailers), np.where(kiosk, 0.008, 0.002)
    alive = np.arange(160) < random.geometric(hazard)[:, None]
    return (random.random((n_retailers, 160)) < rate[:, None]) & alive, kiosk


def shops_as_of(now: int, ordered: npt.NDArray[np.bool_], kiosk: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """What is known of every shop that ever ordered after so many weeks."""
    known = ordered[:, :now]
    last, first = now - 1 - np.argmax(known[:, ::-1], axis=1), np.argmax(known, axis=1)
    shops = pd.DataFrame({"retailer_id": [f"R{number}" for number in range(len(ordered))], "as_of": FIRST + timedelta(weeks=now - 40)})
    shops["recency_weeks"] = (now - 1 - last).astype(float)
    shops["repeat_orders"] = known.sum(axis=1) - 1.0
    shops["last_order_age_weeks"], shops["age_weeks"] = (last - first).astype(float), (now - 1.0 - first)
    shops["order_share_52w"] = known[:, -52:].mean(axis=1)
    shops["recency_gap_ratio"] = shops["recency_weeks"] * shops["order_share_52w"]
    shops["longer_gaps_share"] = np.maximum((1 - shops["order_share_52w"]) ** (shops["recency_weeks"] + 1), 0.01)
    shops["amount_52w"] = known[:, -52:].sum(axis=1) * 100.0
    shops["tenure_weeks"], shops["channel"] = shops["age_weeks"], np.where(kiosk, "kiosk", "store")
    return shops.loc[np.flatnonzero(known.any(axis=1))]


def simulated_rows(seed: int) -> pd.DataFrame:
    """Active shops, labelled on many origins."""
    ordered, kiosk = ordering_weeks(seed)
    parts = []
    for now in range(40, 150, 4):
        shops = shops_as_of(now, ordered, kiosk)
        active = shops[shops["recency_weeks"] < 8]
        horizons = [weeks for weeks in CHURN_HORIZONS if now + weeks <= 160]
        ahead = {weeks: ordered[active.index, now : now + weeks] for weeks in horizons}
        parts += [active.assign(horizon_weeks=weeks, no_order=ahead[weeks].sum(axis=1) == 0) for weeks in horizons]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def split() -> OriginSplit:
    """Parted in time; nothing may change it."""
    return split_origins(simulated_rows(1), LAST)


@pytest.fixture(scope="module")
def baselines(split: OriginSplit) -> Baselines:
    """All of them, fitted once."""
    return fit_baselines(split, FEATURES, shops_as_of(80, *ordering_weeks(1)))


@pytest.mark.parametrize("name", SIMPLEST_FIRST)
def test_a_baseline_ranks_and_is_calibrated_on_later_origins(name: str, baselines: Baselines, split: OriginSplit) -> None:
    p = baselines.fitted[name].probabilities(split.test)
    assert auc_score(split.test["no_order"], p) > 0.6
    assert calibration_loss(split.test["no_order"], p) < 0.04


@pytest.mark.parametrize("name", SIMPLEST_FIRST)
def test_what_is_served_is_one_curve_that_never_rises_and_is_what_was_judged(name: str, baselines: Baselines, split: OriginSplit) -> None:
    baseline, rows = baselines.fitted[name], split.test.reset_index(drop=True)
    scores = baseline.predict(rows)
    assert list(scores.columns) == ["retailer_id", *P_COLUMNS, "scored_by"]
    assert (np.diff(scores[P_COLUMNS].to_numpy(), axis=1) <= 0).all()
    for weeks in CHURN_HORIZONS:
        asked = rows["horizon_weeks"] == weeks
        assert scores.loc[asked, f"p_churn_{weeks}w"].to_numpy() == pytest.approx(baseline.probabilities(rows[asked]))


@pytest.mark.parametrize("name", SIMPLEST_FIRST)
def test_a_saved_baseline_scores_as_before(name: str, baselines: Baselines, split: OriginSplit, tmp_path: Path) -> None:
    baselines.fitted[name].save(tmp_path)
    loaded = load_baseline(tmp_path)
    assert loaded.name == name
    pd.testing.assert_frame_equal(loaded.predict(split.test), baselines.fitted[name].predict(split.test))


def test_a_folder_without_a_baseline_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UncapError, match="uncap train"):
        load_baseline(tmp_path)


def test_all_features_find_what_silence_does_not_tell(baselines: Baselines, split: OriginSplit) -> None:
    alike = split.test.iloc[[0, 0]].assign(channel=["kiosk", "store"])
    p = baselines.fitted["all_features"].predict(alike)["p_churn_13w"]
    assert p[0] > 1.3 * p[1]


def test_longer_silence_is_a_higher_risk(baselines: Baselines) -> None:
    shops = pd.DataFrame({"retailer_id": ["A", "B"], "recency_weeks": [0.0, 7.0]})
    p_recent, p_silent = baselines.fitted["recency"].predict(shops)["p_churn_13w"]
    assert p_silent > 2 * p_recent


def test_where_no_buy_till_you_die_model_can_be_fitted_the_reason_is_given(split: OriginSplit) -> None:
    baselines = fit_baselines(split, FEATURES, split.train.iloc[:3])
    assert list(baselines.fitted) == ["recency", "own_gap", "log_rfm", "all_features"]
    assert "expected at least" in baselines.missing["pareto_nbd"]


def test_nothing_of_the_test_is_learned(split: OriginSplit) -> None:
    blind = OriginSplit(split.train, split.calibrate, split.test.iloc[:0], None, split.learn)
    assert fit_recency(blind) == fit_recency(split)


def test_another_outcome_is_learned_the_same_way(split: OriginSplit) -> None:
    random = np.random.default_rng(2)

    def with_decline(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(declines=random.random(len(rows)) < expit(-3 + 2 * (rows["channel"] == "kiosk")))[rows["horizon_weeks"] == 13]

    declines = OriginSplit(
        with_decline(split.train), with_decline(split.calibrate), with_decline(split.test), None, with_decline(split.learn)
    )
    p = fit_all_features(declines, FEATURES, "declines").probabilities(declines.test)
    kiosk = (declines.test["channel"] == "kiosk").to_numpy()
    assert (p[kiosk].mean(), p[~kiosk].mean()) == (pytest.approx(expit(-1), abs=0.1), pytest.approx(expit(-3), abs=0.03))
