"""How fast do retailers like this one stop, and does a silent one come back: from what became of earlier ones?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import SILENT_WEEKS

FloatArray = npt.NDArray[np.float64]

HALF_YEAR = 26.0
ORDER_WEEK_EDGES = (6, 12, 20)
"""Upper bounds, inclusive, of the classes by weeks with an order out of 26; above the last is one more."""

SILENCE_EDGES = (1, 3, 7, 12, 25)
"""Upper bounds, inclusive, of the classes by weeks since the last order; above the last is one more."""

GAP_EDGES = (2, 4, 8)
"""Upper bounds, inclusive, of the classes of silent retailers by whole own gaps of silence; above the last is one more."""

PRIOR_RETAILERS = 50.0
"""A class's rate is pulled towards that of all as if so many retailers had that one."""

ASSUMED_WEEKLY_HAZARD = 0.002
"""Share of retailers that stop in a week where no past cut-off is known: 10 % a year."""


def weekly_hazards(cohorts: pd.DataFrame, order_weeks: npt.ArrayLike) -> FloatArray:
    """Return the weekly hazard of stopping of each retailer that is still ordering.

    ``hazard = −ln(still ordering in the second half-year after a cut-off ÷ ordering at all after it) ÷ 26``, by weeks with an order,
    over the retailers active at past cut-offs.

    Parameters
    ----------
    cohorts
        As ``features.segment_attrition.past_cohorts`` gives them; may be empty.
    order_weeks
        Weeks with an order of the last 26, shape (retailers,).

    Returns
    -------
    ndarray
        Per week, above 0, shape (retailers,).

    Examples
    --------
    >>> past = pd.DataFrame({"silent_weeks": [0], "order_weeks": [26], "ordered_either": [900], "ordered_second": [810]})
    >>> weekly_hazards(past, [26.0]).round(5).tolist()
    [0.00405]
    """
    active = cohorts[cohorts.silent_weeks < SILENT_WEEKS]
    classes = np.searchsorted(ORDER_WEEK_EDGES, np.asarray(order_weeks, dtype=np.float64))
    still = _shrunk_rates(active.order_weeks, ORDER_WEEK_EDGES, active.ordered_second, active.ordered_either)
    if still is None:
        return np.full(len(classes), ASSUMED_WEEKLY_HAZARD)
    return np.asarray(-np.log(np.clip(still, 1e-6, 1.0 - 1e-6))[classes] / HALF_YEAR, dtype=np.float64)


def return_shares(cohorts: pd.DataFrame, silent_weeks: npt.ArrayLike, silent_gaps: npt.ArrayLike) -> FloatArray:
    """Return the share of retailers that ordered within 26 weeks, after a silence as long, in weeks and in own gaps: the lower of the two.

    Ten weeks of silence end for most that order once a quarter and for few that order every week.

    Parameters
    ----------
    cohorts
        As ``features.segment_attrition.past_cohorts`` gives them.
    silent_weeks
        Weeks since the last order, 0 is the last known week, shape (retailers,).
    silent_gaps
        The same and one more, over the retailer's own mean gap, shape (retailers,).

    Returns
    -------
    ndarray
        0 to 1, never rising with the silence, shape (retailers,). Without past cut-offs that of the longest silence is 0 and the others
        fall evenly towards it.
    """
    silence = np.asarray(silent_weeks, dtype=np.float64)
    by_weeks = _falling_rates(cohorts, "silent_weeks", SILENCE_EDGES)
    silent = cohorts[(cohorts.silent_weeks >= SILENT_WEEKS) & cohorts.silent_gaps.notna()]
    by_gaps = _falling_rates(silent, "silent_gaps", GAP_EDGES)
    in_weeks = by_weeks[np.searchsorted(SILENCE_EDGES, silence)]
    in_gaps = by_gaps[np.searchsorted(GAP_EDGES, np.floor(np.asarray(silent_gaps, dtype=np.float64)))]
    return np.asarray(np.where(silence >= SILENT_WEEKS, np.minimum(in_weeks, in_gaps), in_weeks), dtype=np.float64)


def _falling_rates(cohorts: pd.DataFrame, measure: str, edges: tuple[int, ...]) -> FloatArray:
    """Share that ordered within 26 weeks by class of silence, none above that of a shorter one."""
    rates = _shrunk_rates(cohorts[measure], edges, cohorts.ordered_first, cohorts.retailers, prior=1.0)
    if rates is None:
        return np.linspace(1.0, 0.0, len(edges) + 1)
    return np.asarray(np.minimum.accumulate(rates), dtype=np.float64)


def _shrunk_rates(
    values: pd.Series, edges: tuple[int, ...], successes: pd.Series, trials: pd.Series, prior: float = PRIOR_RETAILERS
) -> FloatArray | None:
    """Rate of each class, pulled towards that of all; None without a trial."""
    n_all = float(trials.sum())
    if n_all == 0:
        return None
    classes = np.searchsorted(edges, values.to_numpy(dtype=np.float64))
    hits = np.bincount(classes, weights=successes.to_numpy(dtype=np.float64), minlength=len(edges) + 1)
    tries = np.bincount(classes, weights=trials.to_numpy(dtype=np.float64), minlength=len(edges) + 1)
    return np.asarray((hits + prior * float(successes.sum()) / n_all) / (tries + prior), dtype=np.float64)
