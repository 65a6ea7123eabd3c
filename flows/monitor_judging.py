"""Which measures of a Sunday are out of their bounds, since when, and which few of them should a person see?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from contracts.monitoring import MONITORING, STATUSES
from flows.monitor_rules import WATCHED, message_of, retrains, rule_of
from flows.monitor_settings import Monitoring
from models.estimates import Measured
from models.monitoring_bounds import Bounds, bounds_of

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Past:
    """What was measured in the weeks before.

    Attributes
    ----------
    measured
        Values by key, the newest last.
    in_a_row
        Value and standard error of the Sundays right before, back to the first that was not measured, the newest last.
    out_since
        By key of what was out on the Sunday right before: since when, and for how many Sundays in a row.
    """

    measured: Mapping[Key, Sequence[float]]
    in_a_row: Mapping[Key, Sequence[tuple[float, float]]]
    out_since: Mapping[Key, tuple[date, int]]


@dataclass(frozen=True)
class Finding:
    """A measure with its bounds and what to make of it; the columns of ``scored.monitoring``, and how far out it is.

    Attributes
    ----------
    excess
        How far beyond its bound, as a multiple of the distance of the bound from the centre; 0 while it is ok.
    """

    measured: Measured
    bounds: Bounds
    status: str
    since: date | None
    message: str
    excess: float


def past_of(stored: pd.DataFrame, as_of: date, weeks: int) -> Past:
    """Arrange the rows of ``scored.monitoring`` before a Sunday.

    Parameters
    ----------
    stored
        ``as_of`` and the key, ``value``, ``error``, ``status`` and ``since``.
    weeks
        How many of the Sundays before are looked at for values.
    """
    earlier = stored[stored.as_of < as_of].sort_values("as_of", kind="stable")
    key = ["area", "measure", "slice_kind", "slice_value"]
    values: dict[Key, list[float]] = {}
    in_a_row: dict[Key, list[tuple[float, float]]] = {}
    out: dict[Key, tuple[date, int]] = {}
    for where, rows in earlier.groupby(key, sort=False):
        named: Key = (str(where[0]), str(where[1]), str(where[2]), str(where[3]))
        looked_at = rows.tail(weeks)
        values[named] = looked_at.value.tolist()
        unbroken = looked_at.tail(weeks_in_a_row(looked_at.as_of.tolist(), as_of))
        in_a_row[named] = list(zip(unbroken.value.tolist(), unbroken.error.tolist(), strict=True))
        if len(unbroken) and unbroken.status.iloc[-1] != "ok":
            since = unbroken.since.iloc[-1]
            out[named] = (since, int((unbroken.as_of >= since).sum()))
    return Past(values, in_a_row, out)


def weeks_in_a_row(sundays: Sequence[date], as_of: date) -> int:
    """Count the Sundays right before one that are there, back to the first gap; they come in rising order.

    >>> weeks_in_a_row([date(2019, 9, 1), date(2019, 9, 15), date(2019, 9, 22)], date(2019, 9, 29))
    2
    """
    gaps = (ago for ago, sunday in enumerate(reversed(sundays), start=1) if sunday != as_of - timedelta(weeks=ago))
    return next(gaps, len(sundays) + 1) - 1


def judge(measured: Sequence[Measured], past: Past, settings: Monitoring, as_of: date) -> list[Finding]:
    """Hold measures against their bounds; what is watched for ``patience_weeks`` Sundays in a row becomes an alert."""
    allowed = settings.tolerances()
    findings = []
    for each in measured:
        rule = rule_of(each)
        bounds = Bounds() if rule is None else bounds_of(each.estimate, rule, past.measured.get(each.key, ()), allowed)
        status = bounds.status(each.estimate.value)
        since, weeks = past.out_since.get(each.key, (as_of, 0))
        if status == "watch" and rule is not None and rule.insists and weeks + 1 >= settings.patience_weeks:
            status = "alert"
        findings.append(
            Finding(
                each,
                bounds,
                status,
                since if status != "ok" else None,
                message_of(each, bounds, status),
                _excess(each.estimate.value, bounds),
            )
        )
    return findings


def _excess(value: float, bounds: Bounds) -> float:
    """Distance beyond the bound over the width of what is ok (over the bound itself where that is open at one side)."""
    if bounds.upper is not None and value > bounds.upper:
        width = bounds.upper - bounds.lower if bounds.lower is not None else abs(bounds.upper)
        return (value - bounds.upper) / max(width, 1e-6)
    if bounds.lower is not None and value < bounds.lower:
        width = bounds.upper - bounds.lower if bounds.upper is not None else abs(bounds.lower)
        return (bounds.lower - value) / max(width, 1e-6)
    return 0.0


@dataclass(frozen=True)
class MonitoringException:
    """What a person should see: the worst finding of a kind, how many more there are, since when, and what to do."""

    area: str
    measure: str
    status: str
    finding: str
    since: date
    others: int
    advice: str

    @property
    def sentence(self) -> str:
        """The finding with what goes with it, in a line."""
        more = f" (and {self.others} more like it)" if self.others else ""
        return f"{self.status}: {self.area}: {self.finding}{more}; since {self.since}. To do: {self.advice}."


def exceptions_of(findings: Sequence[Finding], most: int) -> list[MonitoringException]:
    """Return what is out, few and ranked: alerts before what is watched, the farthest out first, one line per kind of measure."""
    out = sorted((f for f in findings if f.status != "ok"), key=lambda f: (-STATUSES.index(f.status), -f.excess))
    by_kind: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in out:
        each = finding.measured
        by_kind.setdefault((each.area, each.measure, each.slice_kind), []).append(finding)
    shown = []
    for (area, measure, _), alike in by_kind.items():
        worst = alike[0]
        first = min(f.since for f in alike if f.since is not None)
        shown.append(
            MonitoringException(area, measure, worst.status, worst.message, worst.since or first, len(alike) - 1, WATCHED[measure].advice)
        )
    return shown[:most]


def monitoring_rows(findings: Sequence[Finding], as_of: date, run_id: str) -> pa.Table:
    """Return the rows of ``scored.monitoring``."""
    rows = [
        {
            "as_of": as_of,
            "area": each.area,
            "measure": each.measure,
            "slice_kind": each.slice_kind,
            "slice_value": each.slice_value,
            "value": finding.measured.estimate.value,
            "error": each.estimate.error,
            "lower": finding.bounds.lower,
            "upper": finding.bounds.upper,
            "alert_lower": finding.bounds.alert_lower,
            "alert_upper": finding.bounds.alert_upper,
            "n": each.estimate.n,
            "baseline": each.estimate.baseline,
            "status": finding.status,
            "since": finding.since,
            "retrains": retrains(each),
            "message": finding.message,
            "run_id": run_id,
        }
        for finding in findings
        for each in (finding.measured,)
    ]
    return pa.Table.from_pylist(rows, schema=MONITORING.arrow_schema)
