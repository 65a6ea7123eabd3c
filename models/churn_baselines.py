"""Which simpler forecasts must the churn model beat, and how is the one that scores in its place read again?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from contracts.churn_targets import NO_ORDER
from contracts.errors import UncapError
from models.baseline_scores import ALL_FEATURES, BASELINE_FILE, LOG_RFM, OWN_GAP, PARETO_NBD, RECENCY, SIMPLEST_FIRST, ChurnBaseline
from models.btyd import NoBtyd
from models.btyd_baseline import BtydBaseline, fit_btyd_baseline
from models.churn_origins import OriginSplit
from models.logistic_baselines import LogisticBaseline, fit_all_features, fit_log_rfm, fit_own_gap, fit_recency


@dataclass(frozen=True)
class Baselines:
    """The forecasts that a churn model must beat.

    Attributes
    ----------
    fitted
        By name, the simplest first.
    missing
        Why one could not be fitted, by name.
    """

    fitted: dict[str, ChurnBaseline]
    missing: dict[str, str]


def fit_baselines(split: OriginSplit, features: Sequence[str], population: pd.DataFrame, outcome: str = NO_ORDER) -> Baselines:
    """Return every baseline, trained and calibrated on the rows of the churn model, in the same way.

    Parameters
    ----------
    split
        Labelled rows: retailer_id, as_of, horizon_weeks, the outcome, the features, and what the Pareto/NBD sees (repeat_orders,
        last_order_age_weeks, age_weeks).
    features
        Columns that the model sees, for the logistic regression on all of them.
    population
        Retailers that ever ordered, those that stopped too, as of the first origin of ``split.calibrate``; see `fit_btyd_baseline`.
    outcome
        Column that is foretold: boolean, or 0 and 1.
    """
    tried = {name: fit_baseline(name, split, features, population, outcome) for name in SIMPLEST_FIRST}
    fitted = {name: baseline for name, baseline in tried.items() if not isinstance(baseline, NoBtyd)}
    return Baselines(fitted, {name: unfit.reason for name, unfit in tried.items() if isinstance(unfit, NoBtyd)})


def fit_baseline(
    name: str, split: OriginSplit, features: Sequence[str], population: pd.DataFrame, outcome: str = NO_ORDER
) -> ChurnBaseline | NoBtyd:
    """Return one of SIMPLEST_FIRST, or why there is none; the parameters are those of `fit_baselines`."""
    if name == PARETO_NBD:
        return fit_btyd_baseline(population, split.calibrate, outcome)
    if name == ALL_FEATURES:
        return fit_all_features(split, features, outcome)
    return {RECENCY: fit_recency, OWN_GAP: fit_own_gap, LOG_RFM: fit_log_rfm}[name](split, outcome)


def load(folder: Path) -> ChurnBaseline:
    """Return the baseline that its ``save`` wrote into a folder.

    Raises
    ------
    UncapError
        If the folder holds none.
    """
    path = folder / BASELINE_FILE
    if not path.exists():
        raise UncapError(f"{path}: no such file; expected a saved baseline of churn", hint="train again with `uncap train`")
    stored = json.loads(path.read_text(encoding="utf-8"))
    return BtydBaseline.from_json(stored) if stored["name"] == PARETO_NBD else LogisticBaseline.from_json(stored)
