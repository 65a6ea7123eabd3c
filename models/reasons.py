"""Why is a retailer at risk, in plain sentences with its own numbers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from contracts.errors import UncapError
from models.causes import SYMPTOMS, WORST_SHARE, worse_shares
from models.reason_sentences import SENTENCES, Numbers, as_usual

N_REASONS = 3

LEAST_CONTRIBUTION = 0.05
"""Log-odds below which a factor does not count as raising the risk."""

AS_USUAL = "as usual"
"""The factor of a retailer of which nothing adverse is known."""


class Reason(NamedTuple):
    """Why a retailer is at risk.

    Attributes
    ----------
    factor
        The plain-language factor (`Feature.group`), or ``AS_USUAL``.
    sentence
        What the retailer's numbers say of it.
    """

    factor: str
    sentence: str


def churn_reasons(retailers: pd.DataFrame, contributions: pd.DataFrame) -> pd.DataFrame:
    """Return the three main reasons of each retailer's risk, as sentences; see `ranked_reasons`.

    Returns
    -------
    pd.DataFrame
        In the order given: retailer_id, reason_1 (never null), reason_2, reason_3 (null where there are fewer).

    Examples
    --------
    >>> shop = pd.DataFrame({"retailer_id": ["R1"], "recency_weeks": [5.0], "mean_gap_weeks": [1.2], "complaints_26w": [0.0]})
    >>> risk = pd.DataFrame({"retailer_id": ["R1"], "silence": [1.4], "complaints": [-0.1]})
    >>> churn_reasons(shop, risk).loc[0, "reason_1"]
    'No order for 5 weeks; it usually orders every 1.2 weeks'
    """
    rows = []
    for retailer_id, reasons in zip(retailers["retailer_id"], ranked_reasons(retailers, contributions), strict=True):
        rows.append([retailer_id, *(reason.sentence for reason in reasons), *[None] * (N_REASONS - len(reasons))])
    columns = ["retailer_id", *(f"reason_{place}" for place in range(1, N_REASONS + 1))]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def ranked_reasons(retailers: pd.DataFrame, contributions: pd.DataFrame) -> list[list[Reason]]:
    """Return the one to three main reasons of each retailer's risk, one per factor.

    First come the causes that it shows more of than most retailers (`causes.worse_shares`), the rarest first. Then the factors that
    raise the risk in the model, by their log-odds; beside a cause only one of them may be a symptom (`causes.SYMPTOMS`). A factor
    whose numbers show nothing adverse gives its place to the next.

    Parameters
    ----------
    retailers
        One row per retailer scored on a day: retailer_id and the features. They are each other's peers.
    contributions
        Result of `ChurnModel.contributions` for the same retailers in the same order: log-odds per factor.

    Raises
    ------
    UncapError
        For a factor without a sentence.
    """
    factors = [name for name in contributions.columns if name != "retailer_id"]
    unknown = [name for name in factors if name not in SENTENCES]
    if unknown:
        raise UncapError(
            f"churn: no sentence for the factor {unknown[0]!r}, {len(unknown)} such; expected one of {', '.join(SENTENCES)}",
            hint="add its sentence to SENTENCES in models/reason_sentences.py",
        )
    medians = {f"median_{name}": value for name, value in retailers.select_dtypes("number").median().items()}
    raised = contributions[factors].to_numpy(dtype=np.float64)
    ranks = np.argsort(-raised, axis=1, kind="stable")
    worse = worse_shares(retailers)
    rarest, shares = np.argsort(worse.to_numpy(), axis=1, kind="stable"), worse.to_numpy()
    reasons = []
    for position, record in enumerate(retailers.to_dict("records")):
        numbers = medians | {str(name): value for name, value in record.items()}
        causes = [worse.columns[place] for place in rarest[position] if shares[position, place] <= WORST_SHARE]
        by_risk = [factors[rank] for rank in ranks[position] if raised[position, rank] >= LEAST_CONTRIBUTION]
        reasons.append(_top(causes, by_risk, numbers))
    return reasons


def _top(causes: Sequence[str], by_risk: Sequence[str], numbers: Numbers) -> list[Reason]:
    """Causes, then what else raises the risk."""
    found = _said(causes, numbers)
    named = {reason.factor for reason in found}
    rest = _said([factor for factor in by_risk if factor not in named], numbers)
    if found:
        symptoms = [reason for reason in rest if reason.factor in SYMPTOMS]
        rest = [reason for reason in rest if reason not in symptoms[1:]]
    return (found + rest)[:N_REASONS] or [Reason(AS_USUAL, as_usual(numbers))]


def _said(factors: Sequence[str], numbers: Numbers) -> list[Reason]:
    """The factors that have something to say."""
    sentences = ((factor, SENTENCES[factor](numbers)) for factor in factors)
    return [Reason(factor, sentence) for factor, sentence in sentences if sentence is not None]
