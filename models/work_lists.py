"""In which order are retailers contacted, how many of them, and who is left alone?"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.contact_episodes import draw
from models.risk import RISK_WEEKS


def expected_margin_saved(
    probability: npt.ArrayLike, weekly_margin: npt.ArrayLike, *, saved_share: float, contact_cost: float
) -> npt.NDArray[np.float64]:
    """Return the margin a contact is expected to save: p · saved share · 26 · margin per week − cost of the contact.

    The profit of a retention campaign per customer, without an incentive (Neslin et al. 2006, Defection Detection, eq. 1).

    Parameters
    ----------
    probability
        Of what the contact is to prevent, shape (n,).
    weekly_margin
        Money per week, shape (n,); below 0 counts as 0, NaN stays NaN.
    saved_share
        Share of those it would happen to that a contact keeps.
    contact_cost
        Money.

    Examples
    --------
    >>> expected_margin_saved([0.5, 0.5], [100.0, -3.0], saved_share=0.25, contact_cost=15.0).tolist()
    [310.0, -15.0]
    """
    worth = RISK_WEEKS * np.maximum(np.asarray(weekly_margin, dtype=np.float64), 0.0)
    saved: npt.NDArray[np.float64] = np.asarray(probability, dtype=np.float64) * saved_share * worth - contact_cost
    return saved


def fill_list(
    candidates: pd.DataFrame,
    running: pd.DataFrame,
    *,
    work_list: str,
    as_of: date,
    capacity: int | None,
    hold_out_share: float,
    seed: int,
) -> pd.DataFrame:
    """Return the retailers to list: the best first, until so many are to be contacted.

    Parameters
    ----------
    candidates
        One row per retailer with ``retailer_id`` and ``expected_margin_saved`` (money).
    running
        Episodes that are open as of now (`models.contact_episodes.open_episodes`), of all lists. Within one a retailer keeps its
        assignment; who is held out from one list is on no other.
    work_list, as_of, seed
        What the draw depends on, beside the retailer.
    capacity
        Most retailers to contact; None for all. Those left alone do not count: each stands where it would have been contacted.
    hold_out_share
        Probability of being left alone.

    Returns
    -------
    pandas.DataFrame
        The listed candidates with ``rank`` (1 is the largest ``expected_margin_saved``, ties by ``retailer_id``) and ``assignment``.
    """
    elsewhere = running[(running.list != work_list) & (running.assignment == "hold_out")].retailer_id
    free = candidates[~candidates.retailer_id.isin(elsewhere)]
    ranked = free.sort_values(["expected_margin_saved", "retailer_id"], ascending=[False, True]).reset_index(drop=True)
    kept = running[running.list == work_list].set_index("retailer_id").assignment.to_dict()
    assignment = [
        kept.get(retailer_id) or ("hold_out" if draw(work_list, as_of, retailer_id, seed) < hold_out_share else "contact")
        for retailer_id in ranked.retailer_id
    ]
    contacts_so_far = np.cumsum([word == "contact" for word in assignment], dtype=np.int64)
    # strictly before: a retailer left alone behind the last contact would not have been contacted anyway
    before = contacts_so_far - np.array([word == "contact" for word in assignment], dtype=np.int64)
    within = before < capacity if capacity is not None else np.ones(len(ranked), dtype=bool)
    listed = ranked.assign(rank=np.arange(1, len(ranked) + 1), assignment=pd.Series(assignment, index=ranked.index, dtype=object))
    return listed[within].reset_index(drop=True)
