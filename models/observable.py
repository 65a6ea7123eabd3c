"""What can be checked of a forecast of true demand without ever seeing true demand?

A cap hides the demand above it, yet not the order: min(D, cap) is seen in every week, and so is whether it reached the cap. Where no
limit stands, the demand itself is seen. All checks use what is published of a forecast: mean, probability of any demand, quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Staircase:
    """A quantile function made of steps.

    Attributes
    ----------
    units
        Height of each step, units (n, steps), never falling along a row; the first is 0.
    shares
        Width of each step, a probability (n, steps); a row sums to 1.
    """

    units: Floats
    shares: Floats

    def expected_under_cap(self, cap_units: Floats) -> Floats:
        """Return E[min(D, cap)] of each row, units (n,)."""
        return np.asarray((self.shares * np.minimum(self.units, cap_units[:, None])).sum(axis=1))

    def p_at_least(self, units: Floats) -> Floats:
        """Return P(D >= units) of each row (n,)."""
        return np.asarray(np.clip((self.shares * (self.units >= units[:, None])).sum(axis=1), 0.0, 1.0))

    def p_at_most(self, units: Floats) -> Floats:
        """Return P(D <= units) of each row (n,)."""
        return np.asarray(np.clip((self.shares * (self.units <= units[:, None])).sum(axis=1), 0.0, 1.0))


DENSE_LEVELS = tuple(level / 100 for level in range(1, 100))
"""Levels at which a staircase is good enough for E[min(D, cap)].

On the 11,130 rationed pair-weeks of a simulated county the sum over 199 levels lay 0.1 points below that over 999, and that over the
seven published ones 4 points above: between .75, .9 and .95 sizes rise too steeply for three steps.
"""


def staircase(mean_units: Floats, p_order: Floats, quantiles: Floats, levels: Sequence[float]) -> Staircase:
    """Complete quantiles to a whole distribution.

    An approximation with three parts: nothing with probability 1 - p; above it each quantile holds half-way to its neighbours, the lowest
    of them down to 1 - p; the outermost half step gets the height at which the mean is that of the forecast, and at least that of the
    highest quantile. Where all quantiles are 0 the whole demand is in that last step, of height mean / p.

    Parameters
    ----------
    mean_units
        Expected demand (n,).
    p_order
        Probability of any demand (n,).
    quantiles
        Units (n, levels).
    levels
        Rising, between 0 and 1.

    Examples
    --------
    >>> steps = staircase(np.array([3.0]), np.array([0.4]), np.array([[0.0, 6.0, 10.0]]), [0.5, 0.75, 0.9])
    >>> steps.shares.round(3).tolist(), steps.units.round(2).tolist()
    ([[0.6, 0.0, 0.225, 0.125, 0.05]], [[0.0, 0.0, 6.0, 10.0, 10.0]])
    >>> steps.expected_under_cap(np.array([6.0])).round(3).tolist()
    [2.4]
    """
    known = np.asarray(levels, dtype=np.float64)
    nothing = 1.0 - np.clip(p_order, 0.0, 1.0)[:, None]
    upper = np.append((known[:-1] + known[1:]) / 2, (known[-1] + 1.0) / 2)
    lower = np.concatenate([[0.0], upper[:-1]])
    lowest = (known > nothing) & ~np.pad(known > nothing, ((0, 0), (1, 0)))[:, :-1]
    begins = np.where(lowest, nothing, np.maximum(lower, nothing))
    shares = np.where(known > nothing, upper - begins, 0.0)
    last = np.where(known[-1] > nothing[:, 0], 1.0 - upper[-1], 1.0 - nothing[:, 0])
    inside = (shares * quantiles).sum(axis=1)
    top = np.maximum((mean_units - inside) / np.maximum(last, 1e-12), quantiles[:, -1])
    units = np.column_stack([np.zeros(len(top)), quantiles, top])
    return Staircase(units, np.column_stack([nothing[:, 0], shares, last]))


def rationed_weeks(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return the weeks in which a cap of the SKU alone decided what could be ordered.

    Weeks with a band cap are left out, because other SKUs use it up too, and weeks with a floor, because what was delivered was not
    ordered. Both are chosen by limits, never by what came.

    Parameters
    ----------
    weeks
        One row per pair and week: ``cap_units``, ``band_cap_units`` (null is none) and ``floored``.
    """
    return weeks[(weeks.cap_units > 0) & weeks.band_cap_units.isna() & ~weeks.floored.astype(bool)]


def cap_check(rationed: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Compare what a forecast expects under caps with what was ordered.

    Parameters
    ----------
    rationed
        Rows of ``rationed_weeks`` with ``delivered_units``, ``cap_units``, ``expected_units`` (E[min(D, cap)]) and ``p_at_cap``
        (P(D >= cap)) of the forecast.
    by
        Column to divide by; None for all weeks together.

    Returns
    -------
    pandas.DataFrame
        One row per value: ``value``, ``weeks``, ``expected_units`` (Σ E[min(D, cap)]), ``ordered_units`` (Σ delivered), ``gap`` (the first
        over the second less 1; above 0 the forecast is too high), ``p_at_cap`` and ``at_cap`` (mean forecast, and observed share).
    """
    grouped = rationed.assign(at_cap=_at_cap(rationed)).groupby(by or np.full(len(rationed), "all"), observed=True)
    found = grouped.agg(
        weeks=("at_cap", "size"),
        expected_units=("expected_units", "sum"),
        ordered_units=("delivered_units", "sum"),
        p_at_cap=("p_at_cap", "mean"),
        at_cap=("at_cap", "mean"),
    )
    gap = found.expected_units / found.ordered_units.where(found.ordered_units > 0) - 1.0
    named = found.assign(value=found.index.astype(str), gap=gap).reset_index(drop=True)
    return named[["value", "weeks", "expected_units", "ordered_units", "gap", "p_at_cap", "at_cap"]]


def at_cap_calibration(rationed: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Compare P(at cap) with how often the order reached the cap.

    Parameters
    ----------
    rationed
        As in ``cap_check``.

    Returns
    -------
    pandas.DataFrame
        One row per bin of equally many weeks (fewer bins than weeks): ``predicted``, ``observed`` (shares) and ``weeks`` (count).
    """
    if rationed.empty:
        return pd.DataFrame({"predicted": [], "observed": [], "weeks": []})
    rank = pd.qcut(rationed.p_at_cap.rank(method="first"), min(bins, len(rationed)), labels=False)
    grouped = rationed.assign(at_cap=_at_cap(rationed)).groupby(rank)
    return grouped.agg(predicted=("p_at_cap", "mean"), observed=("at_cap", "mean"), weeks=("at_cap", "size")).reset_index(drop=True)


def _at_cap(rationed: pd.DataFrame) -> pd.Series:
    return rationed.delivered_units >= rationed.cap_units


def unlimited_weeks(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return the weeks in which no cap, band cap or floor stood over the pair: what came is the demand.

    Weeks that merely stayed below their cap are not among them: they are those in which little was wanted.
    """
    return weeks[weeks.cap_units.isna() & weeks.band_cap_units.isna() & ~weeks.floored.astype(bool)]


@dataclass(frozen=True)
class PitHistogram:
    """Where demand fell within its forecast distribution.

    Attributes
    ----------
    edges
        Probabilities from 0 to 1, equally far apart (bins + 1,).
    shares
        Of the weeks that fell between two of them (bins,); they sum to 1.
    """

    edges: Floats
    shares: Floats

    @property
    def heights(self) -> Floats:
        """Share of the weeks over the share that a calibrated forecast has there (bins,): 1 everywhere is calibrated."""
        return np.asarray(self.shares / np.diff(self.edges))

    @property
    def distance(self) -> float:
        """Share of the weeks that would have to fall into another bin for the histogram to be flat, 0 to 1 (total variation)."""
        return float(np.abs(self.shares - np.diff(self.edges)).sum() / 2)


def pit_histogram(p_less: Floats, p_at_most: Floats, bins: int = 20) -> PitHistogram:
    """Probability integral transform of counts, Czado, Gneiting and Held (2009), section 2.

    F(D) of a count is not uniform even where F is right, because F jumps. So each week is spread evenly over [P(X < D), P(X <= D)], X as
    forecast, which is what drawing at random in it comes to on average. A week without an order is spread over [0, 1 - p].

    Parameters
    ----------
    p_less, p_at_most
        Both ends for each week (n,), of weeks without a limit.
    bins
        How many.

    Examples
    --------
    >>> halves = pit_histogram(np.array([0.0, 0.5]), np.array([0.5, 0.75]), bins=4)
    >>> halves.shares.tolist(), halves.distance
    ([0.25, 0.25, 0.5, 0.0], 0.25)
    """
    edges = np.arange(bins + 1) / bins
    if not p_less.size:
        return PitHistogram(edges, np.diff(edges))
    start = np.minimum(p_less, 1.0 - LEAST_WIDTH)
    end = np.minimum(np.maximum(p_at_most, start + LEAST_WIDTH), 1.0)
    below = np.stack([np.clip((edge - start) / (end - start), 0.0, 1.0).mean() for edge in edges])
    return PitHistogram(edges, np.diff(below))


LEAST_WIDTH = 1e-9
"""A week whose demand lies between two steps of its forecast is spread no less widely."""


def coverage_by(rows: pd.DataFrame, levels: Sequence[float], by: str) -> pd.DataFrame:
    """Return how often no more came than each quantile, by class; rows may be weeks or totals of weeks.

    Parameters
    ----------
    rows
        ``actual`` and ``q{level}``, units, the column ``by``, and ``p_order`` where it is known.

    Returns
    -------
    pandas.DataFrame
        One row per value of ``by``: ``value``, ``rows`` (count), and per level ``at_most_{level}`` and ``expected_{level}``: the share of
        rows at or below it, and the share that is right: the level, or more where the quantile is 0 and nothing is the likeliest (1 - p).
    """
    shares = {f"at_most_{level}": rows.actual <= rows[f"q{level}"] for level in levels}
    nothing = 1.0 - rows.p_order if "p_order" in rows else pd.Series(0.0, index=rows.index)
    expected = {f"expected_{level}": np.where(rows[f"q{level}"] > 0, level, np.maximum(level, nothing)) for level in levels}
    grouped = rows[[by]].assign(**shares, **expected).groupby(by, observed=True)
    means = grouped.mean()
    return means.assign(value=means.index.astype(str), rows=grouped.size()).reset_index(drop=True)
