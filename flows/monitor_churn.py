"""What became of the retailers whose churn was scored so many weeks ago that the window has just closed?"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import ibis.expr.types as ir
import pandas as pd

from contracts.cells import CELLS
from contracts.churn_targets import NO_ORDER
from contracts.raw import RETAILERS
from contracts.scored import CHURN_SCORE, RISK_BANDS
from contracts.weeks import CHURN_HORIZONS, last_week
from features.churn_labels import churn_labels
from models.estimates import Estimate, Measured, averaged
from models.matured_churn import brier_estimate, brier_skill, calibration_estimate, observed_over_predicted, together
from warehouse.session import Warehouse
from warehouse.statements import Statement, compiled
from warehouse.tables import contract_table, fetch, fetch_for

LEAST_RETAILERS = 20
"""Of a risk band: with fewer, its share says nothing."""


def churn_measures(con: Warehouse, as_of: date) -> list[Measured]:
    """Hold the churn scores whose window ends on a Sunday against what happened.

    Returns
    -------
    list of Measured
        For each of the four windows the scores of the Sunday so many weeks before; nothing where that was not scored. Who closed,
        changed licence or was not served does not count, as in training (``features.churn_labels``).
    """
    measured: list[Measured] = []
    ratios: list[Estimate] = []
    for weeks in CHURN_HORIZONS:
        matured = _matured(con, as_of, weeks)
        if len(matured) < LEAST_RETAILERS:
            continue
        outcomes, p = matured[NO_ORDER].astype(float), matured.p
        ratio = observed_over_predicted(outcomes, p)
        found = {
            "observed_over_predicted": ratio,
            "brier_loss": brier_estimate(outcomes, p),
            "brier_skill_score": brier_skill(outcomes, p),
            "calibration_loss": calibration_estimate(outcomes, p),
        }
        ratios += [ratio] if ratio is not None else []
        measured += [Measured("churn", name, "horizon_weeks", str(weeks), each) for name, each in found.items() if each is not None]
        measured += _of_bands(matured, weeks)
    whole, calibrations = together(ratios), [each.estimate for each in measured if each.measure == "calibration_loss"]
    measured += [Measured("churn", "observed_over_predicted", "all", "all", whole)] if whole is not None else []
    return measured + ([Measured("churn", "calibration_loss", "all", "all", averaged(calibrations))] if calibrations else [])


def _of_bands(matured: pd.DataFrame, weeks: int) -> list[Measured]:
    measured = []
    for band in RISK_BANDS:
        part = matured[matured.risk_band == band]
        ratio = observed_over_predicted(part[NO_ORDER].astype(float), part.p) if len(part) >= LEAST_RETAILERS else None
        if ratio is not None:
            measured.append(Measured("churn", "observed_over_predicted", f"risk_band_{weeks}w", band, ratio))
    return measured


def _matured(con: Warehouse, as_of: date, weeks: int) -> pd.DataFrame:
    """Return risk band, probability ``p`` and outcome of each retailer scored so many weeks before a Sunday."""
    origin = as_of - timedelta(weeks=weeks)
    stored = contract_table(CHURN_SCORE)
    of_day = stored.filter(stored.as_of == origin).select("retailer_id", "risk_band", p=stored[f"p_churn_{weeks}w"])
    scores: pd.DataFrame = fetch(con, of_day).to_pandas()
    if scores.empty:
        return scores
    labels: pd.DataFrame = fetch_for(con, label_statement(), {"as_of": origin, "known": as_of}).to_pandas()
    return scores.merge(labels[labels.horizon_weeks == weeks], on="retailer_id", validate="one_to_one")


@cache
def label_statement() -> Statement:
    """Return the statement of what became of active retailers, compiled when it is asked for first."""

    def labelled(as_of: date, known: date) -> ir.Table:
        labels = churn_labels(contract_table(CELLS), contract_table(RETAILERS), as_of, CHURN_HORIZONS, last_week(known))
        return labels.select("retailer_id", "horizon_weeks", NO_ORDER)

    return compiled(labelled, "as_of", "known")
