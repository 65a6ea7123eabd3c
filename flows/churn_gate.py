"""Which forecast of churn is to score: the model that was trained, or a simpler one that it is not ahead of?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from contracts.churn_targets import NO_ORDER, ORDERED_AGAIN
from models.churn_baselines import Baselines
from models.promotion_gate import MODEL, NAMES, Challenge, challenge

GATE_WEEKS = 13
"""The horizon on which forecasts are compared."""

FOLLOWED_WEEKS = 26
"""For so long a flagged retailer is followed."""

YEAR_AMOUNT = "amount_52w"
"""What a retailer is worth to a campaign: its money of a year, all 1 where none is known."""


def hold_gate(test: pd.DataFrame, model: np.ndarray, baselines: Baselines) -> Challenge:
    """Let the model and the baselines forecast no order in 13 weeks on the same rows.

    Parameters
    ----------
    test
        Labelled rows that none of them has seen.
    model
        Probabilities of the model, in the order of ``test``.
    baselines
        Fitted on what the model was fitted on.
    """
    chosen = (test.horizon_weeks == GATE_WEEKS).to_numpy()
    rows = test[chosen]
    forecasts = {MODEL: model[chosen]} | {name: baseline.probabilities(rows) for name, baseline in baselines.fitted.items()}
    values = rows[YEAR_AMOUNT].to_numpy(dtype=np.float64) if YEAR_AMOUNT in rows else 1.0
    held = challenge(rows[NO_ORDER].to_numpy(dtype=bool), forecasts, rows.retailer_id, values=values)
    gaps = "; ".join(f"{NAMES[name]} could not be fitted: {why}" for name, why in baselines.missing.items())
    return replace(held, verdict=f"{held.verdict}; {gaps}") if gaps else held


def gate_figures(held: Challenge) -> dict[str, float]:
    """Return ``gate.{forecast}.{metric}`` with ``_low`` and ``_high``, and ``gate.model_less_{baseline}.{metric}`` likewise."""
    named = [(f"gate.{row['forecast']}", row) for row in held.table.to_dict("records")]
    named += [(f"gate.model_less_{row['baseline']}", row) for row in held.differences.to_dict("records")]
    figures = {"gate.retailers_that_stopped": float(held.events)}
    for name, row in named:
        ends = {"": row["estimate"], "_low": row["low"], "_high": row["high"]}
        figures |= {f"{name}.{row['metric']}{end}": float(number) for end, number in ends.items() if np.isfinite(number)}
    return figures


@dataclass(frozen=True)
class FalseChurn:
    """What became of retailers taken for churners, in rows of the test (a retailer counts once per origin).

    Attributes
    ----------
    flagged, ordered
        Flagged as likely to place no order, with 26 weeks known since; and those of them that ordered within these.
    lost, returned
        Silent for 13 weeks, the outcome that is foretold, with 26 more known since; and those of them that ordered within these.
    """

    flagged: int
    ordered: int
    lost: int
    returned: int

    def sentence(self) -> str:
        """Return it in one line.

        >>> FalseChurn(100, 60, 50, 19).sentence()
        'false-churn rate 60% (60 of 100 flagged rows ordered within 26 weeks); 38% of 50 rows silent for 13 weeks ordered within 26 more'
        """
        flagged = "unknown, no row is flagged whose 26 weeks are over"
        if self.flagged:
            flagged = f"{self.ordered / self.flagged:.0%} ({self.ordered} of {self.flagged} flagged rows ordered within 26 weeks)"
        if not self.lost:
            return f"false-churn rate {flagged}"
        returned = f"{self.returned / self.lost:.0%} of {self.lost} rows silent for 13 weeks ordered within 26 more"
        return f"false-churn rate {flagged}; {returned}"

    def figures(self) -> dict[str, float]:
        """Return the counts and rates as figures to log."""
        figures = {f"false_churn.{name}": float(count) for name, count in vars(self).items()}
        if self.flagged:
            figures["false_churn.rate"] = self.ordered / self.flagged
        if self.lost:
            figures["false_churn.returned_rate"] = self.returned / self.lost
        return figures


def false_churn(test: pd.DataFrame, p_churn_13w: np.ndarray, threshold: float) -> FalseChurn:
    """Follow up the retailers whose risk reaches the band ``high``, and those that were lost.

    Parameters
    ----------
    test
        Labelled rows: horizon_weeks, no_order, and perhaps ordered_again_26w.
    p_churn_13w
        P(no order in 13 weeks) of each row's retailer, whatever its horizon, shape (rows,).
    threshold
        Where the band ``high`` begins.
    """
    flagged = test[(test.horizon_weeks == FOLLOWED_WEEKS).to_numpy() & (p_churn_13w >= threshold)]
    lost = test[(test.horizon_weeks == GATE_WEEKS).to_numpy() & test[NO_ORDER].to_numpy(dtype=bool)]
    again = lost[ORDERED_AGAIN].dropna() if ORDERED_AGAIN in lost else pd.Series(dtype=float)
    return FalseChurn(len(flagged), int((~flagged[NO_ORDER].astype(bool)).sum()), len(again), int(again.sum()))
