"""How many retailers went from which segment to which between two reclassifications?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

OUTSIDE = "none"
"""Stands for not being classified: not yet a customer, or no longer one."""


def migration_matrix(before: pd.Series, now: pd.Series, segments: Sequence[str]) -> pd.DataFrame:
    """Return the counts of every move, also those that nobody made.

    Parameters
    ----------
    before, now
        Segment by retailer (the index) at two reclassifications.
    segments
        All segments in their order.

    Returns
    -------
    pandas.DataFrame
        ``from_segment``, ``to_segment``, ``retailers`` and ``share`` (of those in ``from_segment``; NaN where nobody was), in the order of
        the segments. `OUTSIDE` stands for a retailer that is missing in one of the two.

    Examples
    --------
    >>> june = pd.Series(["A", "A", "B"], ["R1", "R2", "R3"])
    >>> july = pd.Series(["A", "B", "B"], ["R1", "R2", "R4"])
    >>> moves = migration_matrix(june, july, ["A", "B"])
    >>> moves[moves.retailers > 0].to_string(index=False, header=False).split()
    ['A', 'A', '1', '0.5', 'A', 'B', '1', '0.5', 'B', 'none', '1', '1.0', 'none', 'B', '1', '1.0']
    """
    names = [*segments, OUTSIDE]
    both = pd.concat([before.rename("from_segment"), now.rename("to_segment")], axis=1).astype(object)
    both = both.where(both.notna(), OUTSIDE)
    every = pd.MultiIndex.from_product([names, names], names=["from_segment", "to_segment"])
    counted = both.groupby(["from_segment", "to_segment"]).size().reindex(every, fill_value=0)
    moves = counted.rename("retailers").reset_index()
    moves = moves[(moves.from_segment != OUTSIDE) | (moves.to_segment != OUTSIDE)].reset_index(drop=True)
    of_row = moves.groupby("from_segment").retailers.transform("sum")
    return moves.assign(share=moves.retailers / of_row.where(of_row > 0))
