"""What a backtest found: figures by slice, value added, the checks that need no truth, and churn, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from contracts.scored import QUANTILES
from models.breakdown import CAP_LIFTED, GRAINS, MEASURES, break_down, value_added, with_slices
from models.evaluation import order_calibration
from models.judged_totals import total_coverage
from models.observable import (
    PitHistogram,
    at_cap_calibration,
    cap_check,
    coverage_by,
    pit_histogram,
    rationed_weeks,
    unlimited_weeks,
)

COMPARED = (*GRAINS, "pinball_loss")
CHECKED_BY = (None, "tier", "velocity", "horizon_weeks")


@dataclass(frozen=True)
class DemandFindings:
    """What a backtest found of the demand model.

    Attributes
    ----------
    breakdown
        ``models.breakdown.break_down`` over all slices.
    added
        ``models.breakdown.value_added`` of the same.
    under_caps
        ``models.observable.cap_check``, with ``kind``: ``all``, ``tier``, ``velocity`` or ``horizon_weeks``.
    at_cap
        ``models.observable.at_cap_calibration``.
    pit, unlimited
        PIT of the weeks without a limit, and how many those are; their ``coverage`` by velocity class.
    coverage
        ``models.observable.coverage_by`` of the weeks without a limit.
    orders
        ``models.evaluation.order_calibration`` of the same weeks; empty where there are too few.
    totals
        ``models.judged_totals.total_coverage`` of the origins whose model was calibrated.
    """

    breakdown: pd.DataFrame
    added: pd.DataFrame
    under_caps: pd.DataFrame
    at_cap: pd.DataFrame
    pit: PitHistogram
    unlimited: int
    coverage: pd.DataFrame
    orders: pd.DataFrame
    totals: pd.DataFrame

    def figures(self, kind: str) -> pd.DataFrame:
        """Return the figures of one kind of slice."""
        return self.breakdown[self.breakdown.slice_kind == kind].reset_index(drop=True)

    def lifted(self) -> pd.Series | None:
        """Return the model's figures in weeks in which a cap was lifted; None where there is no such week."""
        found = self.breakdown.query("slice_kind == 'rationing' and forecast == 'model'").set_index("slice_value")
        return pd.Series(found.loc[CAP_LIFTED]) if CAP_LIFTED in found.index else None

    def metrics(self) -> dict[str, float]:
        """Return the figures over all origins together under the names they are tracked by."""
        whole = self.figures("all").set_index("forecast")
        figures = {f"{name}.{measure}": whole[measure][name] for name in whole.index for measure in MEASURES}
        added = self.added[self.added.slice_kind == "all"].set_index("baseline")
        figures |= {f"value_added_score.{name}.{measure}": added[measure][name] for name in added.index for measure in COMPARED}
        figures |= {f"model.{name}": whole[name]["model"] for name in ("coverage_80", "at_most_q90", "at_most_q95")}
        figures["unlimited.pit_distance_loss"] = self.pit.distance
        for check in self.under_caps[self.under_caps.kind == "all"].to_dict("records"):
            figures |= {f"under_caps.{name}": check[name] for name in ("gap", "p_at_cap", "at_cap")}
        for total in self.totals[self.totals.kind == "all"].to_dict("records"):
            figures |= {f"totals.{name}": total[name] for name in ("bias", "pinball_loss", "coverage_80", "at_most_q90", "at_most_q95")}
        lifted = self.lifted()
        if lifted is not None:
            figures["cap_lifted.bias"] = lifted.bias
        return {name: float(value) for name, value in figures.items() if np.isfinite(value)}

    def documents(self) -> dict[str, object]:
        """Return the tables as JSON documents by file name."""
        tables = {"breakdown": self.breakdown, "value_added": self.added, "under_caps": self.under_caps, "at_cap": self.at_cap}
        tables |= {"coverage": self.coverage, "totals": self.totals}
        pit = {"edges": self.pit.edges.tolist(), "shares": self.pit.shares.tolist(), "weeks": self.unlimited}
        rows = {f"{name}.json": _records(frame) for name, frame in tables.items()}
        return {**rows, "pit.json": pit}


@dataclass(frozen=True)
class ChurnFindings:
    """What a backtest found of the churn model.

    Attributes
    ----------
    figures
        By ``churn.{forecast}.{metric}_{h}w``; empty where the history is too short.
    calibration
        ``predicted``, ``observed`` and ``rows`` by bins; None where there are too few retailers.
    """

    figures: Mapping[str, float]
    calibration: pd.DataFrame | None


@dataclass(frozen=True)
class Findings:
    """A whole backtest.

    Attributes
    ----------
    as_of
        The Sunday that ends what was known.
    origins
        The Sundays forecast from.
    forecasts
        Names of what was compared, the model first.
    covered
        By rival, the share of the judged weeks that it names.
    demand, churn
        What was found.
    """

    as_of: date
    origins: Sequence[date]
    forecasts: Sequence[str]
    covered: Mapping[str, float]
    demand: DemandFindings
    churn: ChurnFindings


def judge_demand(weeks: pd.DataFrame, totals: pd.DataFrame, forecasts: Mapping[str, str]) -> DemandFindings:
    """Measure the judged weeks of all origins.

    Parameters
    ----------
    weeks, totals
        As ``flows.backtest_rows.judge_forecasts`` gives them, of all origins, the weeks with a column per rival.
    forecasts
        By name, the column with the expected units.
    """
    sliced = with_slices(weeks)
    breakdown = break_down(sliced, forecasts, QUANTILES)
    rationed, unlimited = rationed_weeks(sliced), unlimited_weeks(sliced)
    checks = [cap_check(rationed, by).assign(kind=by or "all") for by in CHECKED_BY]
    return DemandFindings(
        breakdown=breakdown,
        added=value_added(breakdown, COMPARED),
        under_caps=pd.concat(checks, ignore_index=True),
        at_cap=at_cap_calibration(rationed),
        pit=pit_histogram(unlimited.p_less.to_numpy(dtype=np.float64), unlimited.p_at_most.to_numpy(dtype=np.float64)),
        unlimited=len(unlimited),
        coverage=coverage_by(unlimited, QUANTILES, "velocity"),
        orders=order_calibration(unlimited) if len(unlimited) >= 10 else pd.DataFrame(),
        totals=total_coverage(totals, QUANTILES),
    )


def by_origin(findings: DemandFindings) -> pd.DataFrame:
    """Return ``origin`` (date), ``forecast`` and ``MEASURES``, one row per origin and forecast."""
    rows = findings.figures("origin")
    return rows.assign(origin=rows.slice_value.map(date.fromisoformat))[["origin", "forecast", *MEASURES]]


def _records(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Rows as JSON can hold them: what is not a number is null."""
    named = [{str(name): value for name, value in row.items()} for row in frame.to_dict(orient="records")]
    return [{name: None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()} for row in named]
