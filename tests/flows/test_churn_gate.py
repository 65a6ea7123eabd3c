"""Which forecast of churn is chosen to score, and how false churn is followed up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from flows.churn_gate import FalseChurn, false_churn, gate_figures, hold_gate
from models.churn_baselines import Baselines


@dataclass(frozen=True)
class Written:
    """A baseline whose probabilities stand in a column of the rows."""

    name: str

    def probabilities(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        return rows[self.name].to_numpy(dtype=np.float64)


def judged_rows(seed: int = 1, n_rows: int = 4_000) -> pd.DataFrame:
    """Rows of 13 and 26 weeks whose true probability is known, with a blurred forecast named as a baseline."""
    random = np.random.default_rng(seed)
    true = random.beta(0.5, 4, n_rows)
    rows = pd.DataFrame({"retailer_id": np.arange(n_rows) % 800, "true": true, "as_of": date(2019, 1, 6)})
    rows["recency"] = np.clip(true + random.normal(0, 0.2, n_rows), 0.001, 0.999)
    rows["no_order"] = random.random(n_rows) < true
    return pd.concat([rows.assign(horizon_weeks=weeks) for weeks in (13, 26)], ignore_index=True)


def baselines(name: str) -> Baselines:
    return Baselines({name: Written(name)}, {})  # type: ignore[dict-item]


def test_the_model_is_chosen_when_it_knows_more_than_the_baseline() -> None:
    rows = judged_rows()
    held = hold_gate(rows, rows["true"].to_numpy(), baselines("recency"))
    assert held.chosen == "model"
    figures = gate_figures(held)
    assert figures["gate.model_less_recency.brier_loss_high"] < 0
    assert figures["gate.model.auc_score"] > figures["gate.recency.auc_score"]


def test_the_baseline_is_chosen_when_the_model_is_only_a_blur_of_it() -> None:
    rows = judged_rows()
    blurred = rows.rename(columns={"true": "recency", "recency": "true"})
    held = hold_gate(blurred, blurred["true"].to_numpy(), baselines("recency"))
    assert held.chosen == "recency"
    assert "weeks since the last order is promoted" in held.verdict


def test_false_churn_counts_the_flagged_that_order_within_26_weeks_and_the_lost_that_return() -> None:
    rows = pd.DataFrame(
        {
            "retailer_id": ["A", "B", "C"] * 2,
            "horizon_weeks": [13] * 3 + [26] * 3,
            "no_order": [True, True, False, True, False, False],
            "ordered_again_26w": [0.0, 1.0, np.nan, np.nan, np.nan, np.nan],
        }
    )
    taken = false_churn(rows, np.array([0.5, 0.5, 0.01] * 2), 0.15)
    assert taken == FalseChurn(flagged=2, ordered=1, lost=2, returned=1)
    assert taken.figures()["false_churn.rate"] == pytest.approx(0.5)


def test_a_return_that_is_not_known_yet_counts_nowhere() -> None:
    rows = pd.DataFrame({"retailer_id": ["A"], "horizon_weeks": [13], "no_order": [True], "ordered_again_26w": [np.nan]})
    taken = false_churn(rows, np.array([0.9]), 0.15)
    assert taken == FalseChurn(0, 0, 0, 0)
    assert "unknown" in taken.sentence()
    assert "false_churn.rate" not in taken.figures()
