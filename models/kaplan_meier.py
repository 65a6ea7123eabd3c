"""How large do orders get beyond a size, when some were cut: product-limit estimates per group (Kaplan and Meier 1958)."""

from __future__ import annotations

import numpy as np

from models.stacking import Flags, Floats, Integers

LEAST = 1e-9


def beyond(group: Integers, size: Floats, censored: Flags, asked: Integers) -> Floats:
    """Describe, for some orders, what the orders of their group look like from that order's size on.

    Parameters
    ----------
    group
        Of each order (n,).
    size
        Units seen (n,).
    censored
        Whether the true size may be larger (n,).
    asked
        Positions of the orders to describe (m,).

    Returns
    -------
    numpy.ndarray
        (m, 3): the expected size given that it is at least the asked one, over the asked one, as far as sizes were seen; the share of that
        probability that lies beyond the largest size seen; and P(size at least the asked one).

    Examples
    --------
    >>> sizes = np.array([6.0, 6.0, 12.0])
    >>> beyond(np.zeros(3, dtype=np.int64), sizes, np.array([True, False, False]), np.array([0])).round(6).tolist()
    [[1.666667, 0.0, 1.0]]
    """
    order = np.lexsort((censored, size, group))
    groups, sizes, cut = group[order], size[order], censored[order]
    count = np.bincount(groups)
    end = np.cumsum(count)
    start = end - count
    position = np.arange(groups.size) - start[groups]
    steps = np.where(cut, 0.0, np.log(np.maximum(1.0 - 1.0 / (count[groups] - position), LEAST)))
    total = np.concatenate([[0.0], np.cumsum(steps)])
    before = np.exp(total[:-1] - total[start][groups])
    after = np.exp(total[1:] - total[start][groups])
    last = position == count[groups] - 1
    gap = np.where(last, 0.0, np.append(sizes[1:], sizes[-1:]) - sizes)
    area = np.append(np.cumsum((after * gap)[::-1])[::-1], 0.0)
    scale = sizes.max(initial=0.0) + 1.0
    first = np.searchsorted(groups * scale + sizes, group[asked] * scale + size[asked])
    survived = np.maximum(before[first], LEAST)
    excess = (area[first] - area[end[group[asked]]]) / survived
    return np.column_stack([1.0 + excess / size[asked], after[end[group[asked]] - 1] / survived, before[first]])
