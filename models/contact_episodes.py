"""Who is contacted and who is left alone, and for how long: a draw opens an episode of 13 weeks in which it stays as it was drawn."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import pandas as pd

EPISODE_WEEKS = 13
"""An assignment holds for so many weeks, and so long is waited before its effect is measured."""


def draw(work_list: str, as_of: date, retailer_id: str, seed: int) -> float:
    """Return a number that is as good as drawn evenly from 0 to 1, and the same whenever it is asked for.

    Python's own ``hash`` differs from process to process; SHA-256 does not.

    >>> draw("at_risk", date(2024, 6, 30), "R1", seed=1) == draw("at_risk", date(2024, 6, 30), "R1", seed=1)
    True
    >>> round(draw("at_risk", date(2024, 6, 30), "R1", seed=1), 4), round(draw("at_risk", date(2024, 6, 30), "R2", seed=1), 4)
    (0.7403, 0.668)
    """
    named = "\x1f".join((str(seed), work_list, as_of.isoformat(), retailer_id))
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big") / 2**64


def episodes(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the episodes that rows of work lists belong to.

    Parameters
    ----------
    listed
        Rows of ``scored.work_list``: ``list``, ``retailer_id``, ``as_of`` (dates), ``assignment``.

    Returns
    -------
    pandas.DataFrame
        One row per list, retailer and episode: ``list``, ``retailer_id``, ``started_on`` (date: the first ``as_of`` on the list, or the
        first 13 weeks or more after the start of the episode before) and ``assignment`` as of that day.
    """
    started: dict[tuple[str, str], date] = {}
    opened = []
    rows = listed.sort_values(["list", "retailer_id", "as_of"])
    for work_list, retailer_id, day, assignment in zip(rows.list, rows.retailer_id, rows.as_of, rows.assignment, strict=True):
        key = (work_list, retailer_id)
        if key not in started or day >= started[key] + timedelta(weeks=EPISODE_WEEKS):
            started[key] = day
            opened.append((*key, day, assignment))
    return pd.DataFrame(opened, columns=["list", "retailer_id", "started_on", "assignment"], dtype=object)


def open_episodes(listed: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the episodes, begun before ``as_of``, that ``as_of`` lies within; the columns of `episodes`.

    >>> listed = pd.DataFrame({"list": "at_risk", "retailer_id": "R1", "as_of": [date(2024, 3, 31), date(2024, 6, 23), date(2024, 6, 30)],
    ...                        "assignment": "contact"})
    >>> open_episodes(listed, date(2024, 6, 23)).started_on.tolist()
    [datetime.date(2024, 3, 31)]
    >>> open_episodes(listed, date(2024, 6, 30)).started_on.tolist()
    []
    """
    begun = episodes(listed[[day < as_of for day in listed.as_of]] if len(listed) else listed)
    running = [as_of < started + timedelta(weeks=EPISODE_WEEKS) for started in begun.started_on]
    return begun[pd.Series(running, index=begun.index, dtype=bool)].reset_index(drop=True)
