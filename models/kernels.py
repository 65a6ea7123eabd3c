"""Sums over the other orders of a group, near ones in time counting more: two passes over the weeks instead of a dense panel."""

from __future__ import annotations

import numpy as np

from models.stacking import Floats, Integers


def sums_nearby(group: Integers, week: Integers, values: Floats, scale_weeks: float) -> Floats:
    """Add up the values of a group's orders of other weeks, weighted by exp(-|weeks between| / scale).

    Parameters
    ----------
    group
        Of each order (n,).
    week
        Of each order, never falling (n,).
    values
        To add up (n, k).
    scale_weeks
        After so many weeks an order counts for 1/e; inf counts all alike.

    Returns
    -------
    numpy.ndarray
        (n, k); orders of the same week are left out (with an infinite scale only the order itself is).

    Examples
    --------
    >>> sums_nearby(np.zeros(2, dtype=np.int64), np.array([0, 1]), np.ones((2, 1)), 1.0).round(4).tolist()
    [[0.3679], [0.3679]]
    """
    groups = int(group.max(initial=-1)) + 1
    if np.isinf(scale_weeks):
        total = np.column_stack([np.bincount(group, values[:, column], groups) for column in range(values.shape[1])])
        return np.asarray(total[group] - values)
    sums = np.zeros(values.shape)
    decay = np.exp(-1.0 / scale_weeks)
    weeks = np.arange(week[0], week[-1] + 2) if week.size else np.zeros(1, dtype=np.int64)
    bounds = np.searchsorted(week, weeks)
    for passes in (range(bounds.size - 1), range(bounds.size - 2, -1, -1)):
        state = np.zeros((groups, values.shape[1]))
        for position in passes:
            these = slice(bounds[position], bounds[position + 1])
            sums[these] += state[group[these]]
            np.add.at(state, group[these], values[these])
            state *= decay
    return sums
