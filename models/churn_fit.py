"""How is a churn model learned from retailers whose outcome is known?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from contracts.churn_targets import DECLINES, LOSES_CATEGORY, NO_ORDER
from contracts.weeks import CHURN_HORIZONS
from models.btyd import NoBtyd
from models.btyd_baseline import BtydBaseline, fit_btyd_baseline
from models.calibrated_trees import CalibratedTrees, fit_calibrated_trees
from models.churn import CATEGORY_LOSS, DECLINE, TARGET_WEEKS, ChurnModel
from models.churn_columns import HORIZON, ChurnColumns, Feature, churn_columns
from models.churn_origins import known_until, split_origins
from models.churn_rule import fit_rule
from models.churn_trees import ChurnSettings, TreeHalves
from models.repeat_orders import knows_orders

TARGET_OUTCOMES = {DECLINE: DECLINES, CATEGORY_LOSS: LOSES_CATEGORY}
"""Column of the labelled rows that holds the outcome of each target beside lost."""

TARGET_CALIBRATE_ORIGINS = 3
"""Last origins of a target beside lost, on which it is calibrated."""


@dataclass(frozen=True)
class KnownOutcomes:
    """Labelled rows that a churn model may learn from, one per retailer, origin and horizon.

    Attributes
    ----------
    train, calibrate
        The origins of ``calibrate`` lie after the windows of ``train`` (see `churn_origins.split_origins`).
    learn
        Both, and the rows between.
    population
        Every retailer that ever ordered, as of the first origin of ``calibrate``, as `btyd_baseline.fit_btyd_baseline` wants it; empty
        where that is not known.
    """

    train: pd.DataFrame
    calibrate: pd.DataFrame
    learn: pd.DataFrame
    population: pd.DataFrame


def fit_churn(
    known: KnownOutcomes, features: Sequence[Feature], settings: ChurnSettings, *, before: ChurnModel | None = None
) -> ChurnModel:
    """Return the churn model that labelled retailers of many origins give.

    One stacked model with the horizon as a feature that may only lower the probability: separate models contradict each other.

    Parameters
    ----------
    known
        retailer_id, as_of, horizon_weeks, no_order, the features, and perhaps declines and loses_category.
    features
        Columns that the model sees, with their factors; those of text are learned as categories.
    settings
        How to grow the trees.
    before
        A model that learned from ``known.train`` by the same settings, where there is one: its trees need not be grown again.

    Raises
    ------
    UncapError
        If there is no labelled row at all.
    """
    columns = churn_columns(known.learn, features)
    why_rule = too_few(known.train, known.calibrate, NO_ORDER, settings)
    targets = {target: _target(target, known, columns, settings) for target in TARGET_OUTCOMES}
    by_rule = ChurnModel(
        lost=None,
        targets={target: trees for target, trees in targets.items() if trees is not None},
        short=_short(known, settings),
        rule=fit_rule(known.learn, CHURN_HORIZONS),
        columns=columns,
        settings=settings,
        why_rule=why_rule,
    )
    if why_rule is not None:
        return by_rule
    grown = before.lost.trees if before is not None and before.lost is not None and before.columns == columns else None
    return replace(by_rule, lost=_trees(known.train, known.calibrate, known.learn, NO_ORDER, columns, settings, grown))


def too_few(train: pd.DataFrame, calibrate: pd.DataFrame, outcome: str, settings: ChurnSettings) -> str | None:
    """Return why trees cannot be grown or calibrated, counted in retailers: windows of one retailer overlap.

    Returns
    -------
    str or None
        None where there are enough.
    """
    for rows, least, part in ((train, settings.least_train_events, "train"), (calibrate, settings.least_calibrate_events, "calibrate")):
        judged = _long(rows, settings)
        n_events = judged.loc[judged[outcome].astype(bool), "retailer_id"].nunique()
        if n_events < least:
            what = "without an order in the windows" if outcome == NO_ORDER else f"with {outcome}"
            return f"{n_events} retailers {what} to {part} on; expected at least {least}"
    return None


def _long(rows: pd.DataFrame, settings: ChurnSettings) -> pd.DataFrame:
    """Rows that the trees score: others must bend neither them nor their calibration."""
    return rows[rows["tenure_weeks"] >= settings.least_tenure_weeks]


def _trees(
    train: pd.DataFrame,
    calibrate: pd.DataFrame,
    learn: pd.DataFrame,
    outcome: str,
    columns: ChurnColumns,
    settings: ChurnSettings,
    grown: TreeHalves | None = None,
) -> CalibratedTrees:
    seen = [_long(rows, settings) for rows in (train, calibrate, learn)]
    return fit_calibrated_trees(seen[0], seen[1], seen[2], outcome, columns, settings, grown)


def _target(target: str, known: KnownOutcomes, columns: ChurnColumns, settings: ChurnSettings) -> CalibratedTrees | None:
    """Trees of a target beside lost; None where its outcomes are not known or too few.

    Parted anew: its one window is shorter than the longest of lost, and it has fewer origins to learn from.
    """
    outcome = TARGET_OUTCOMES[target]
    if outcome not in known.learn.columns:
        return None
    rows = _answered(known.learn, outcome, TARGET_WEEKS[target])
    split = split_origins(rows, known_until(known.learn), calibrate_origins=TARGET_CALIBRATE_ORIGINS, test_origins=0)
    if split.calibrate.empty or too_few(split.train, split.calibrate, outcome, settings) is not None:
        return None
    return _trees(split.train, split.calibrate, split.learn, outcome, columns, settings)


def _answered(rows: pd.DataFrame, outcome: str, weeks: int) -> pd.DataFrame:
    """The rows of the target's horizon with an answer."""
    return rows[(rows[HORIZON] == weeks) & rows[outcome].notna()]


def _short(known: KnownOutcomes, settings: ChurnSettings) -> BtydBaseline | None:
    """The law of random orders that fits everybody, calibrated on short histories; None where orders are not known, or it does not fit."""
    if not (knows_orders(known.population) and knows_orders(known.calibrate)):
        return None
    tenure = known.calibrate["tenure_weeks"]
    short = known.calibrate[(tenure >= settings.least_btyd_weeks) & (tenure < settings.least_tenure_weeks)]
    fitted = fit_btyd_baseline(known.population, short)
    return None if isinstance(fitted, NoBtyd) else fitted
