"""Does the churn model deserve to score, or does a simpler forecast do as well?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.baseline_scores import RIVALS, SIMPLEST_FIRST
from models.clustered_bootstrap import PROFIT, ResampledScores, resample_scores
from models.expected_profit import Campaign

MODEL = "model"
"""Name of the churn model among the forecasts."""

AUC, BRIER = "auc_score", "brier_loss"
BETTER_WHEN = {AUC: 1, BRIER: -1, PROFIT: 1}
"""What decides, and whether more (1) or less (−1) of it is better."""

IN_WORDS = {AUC: "AUC", BRIER: "Brier loss", PROFIT: "expected profit"}
NAMES = {
    "recency": "weeks since the last order",
    "own_gap": "own gaps",
    "log_rfm": "recency, frequency and money",
    "pareto_nbd": "Pareto/NBD",
    "all_features": "logistic regression on all features",
    MODEL: "the model",
}


@dataclass(frozen=True)
class Gate:
    """How sure one must be.

    Attributes
    ----------
    least_events
        Retailers that stopped in the test, below which intervals are not asked for: they would hold 0 whatever is true.
    resamples, level, seed
        Of the bootstrap over retailers.
    """

    least_events: int = 30
    resamples: int = 300
    level: float = 0.95
    seed: int = 1


@dataclass(frozen=True)
class Challenge:
    """What came of a challenge.

    Attributes
    ----------
    chosen
        Name of the forecast that is to score: the model or a baseline.
    verdict
        That in a sentence, with the reason.
    table
        One row per forecast and metric: forecast, metric, estimate, low, high; empty where nothing could be judged.
    differences
        The model less each baseline: baseline, metric, estimate, low, high.
    events
        Retailers that stopped in the test.
    """

    chosen: str
    verdict: str
    table: pd.DataFrame
    differences: pd.DataFrame
    events: int


def challenge(
    outcomes: npt.ArrayLike,
    forecasts: Mapping[str, npt.ArrayLike],
    retailers: npt.ArrayLike,
    *,
    values: npt.ArrayLike = 1.0,
    campaign: Campaign | None = None,
    gate: Gate | None = None,
) -> Challenge:
    """Let the model and its baselines forecast the same rows, and choose who scores.

    One forecast beats another if it is ahead in AUC, Brier loss and expected profit, and the interval of the difference of the Brier
    losses, clustered by retailer, excludes 0. The model is chosen if it beats every one of RIVALS. Otherwise the simplest baseline is that
    no other baseline beats. With fewer than ``least_events`` retailers that stopped the interval is not asked for, and the verdict says so.

    Parameters
    ----------
    outcomes
        Whether no order came within one horizon, shape (n,): origins later than all that the forecasts learned from.
    forecasts
        Probabilities by name: MODEL and some of SIMPLEST_FIRST, shape (n,) each.
    retailers
        Of each row, shape (n,).
    values
        Money that a retailer would bring if it stayed, shape (n,), unknown ones as the mean of the others; 1 for all compares shares.
    campaign, gate
        Terms; None for the defaults.
    """
    terms = gate or Gate()
    yes, shops = np.asarray(outcomes, dtype=bool), np.asarray(retailers)
    events = len(pd.unique(shops[yes]))
    if yes.all() or not yes.any():
        return _unjudged(len(yes), events)
    scores = resample_scores(
        yes, forecasts, shops, values=_known(values), campaign=campaign, resamples=terms.resamples, level=terms.level, seed=terms.seed
    )
    baselines = [name for name in SIMPLEST_FIRST if name in forecasts]
    surely = events >= terms.least_events
    rivals = [name for name in baselines if name in RIVALS]
    lost = {name: faults for name in rivals if (faults := _not_ahead(scores, MODEL, name, surely=surely))}
    chosen = _simplest_unbeaten(scores, baselines, surely=surely) if lost else MODEL
    tested = f"on {len(yes):,} rows of {len(pd.unique(shops)):,} retailers, {events} of which stopped"
    verdict = _verdict(chosen, lost, rivals, tested) + ("" if surely else _too_few(events, terms))
    return Challenge(chosen, verdict, scores.table(), _differences(scores, baselines), events)


def _not_ahead(scores: ResampledScores, forecast: str, other: str, *, surely: bool) -> list[str]:
    """In what a forecast does not beat another, in words; nothing where it does."""
    differences = {metric: scores.difference(forecast, other, metric) for metric in BETTER_WHEN}
    behind = [IN_WORDS[metric] for metric, better in BETTER_WHEN.items() if not better * differences[metric].estimate > 0]
    if behind or not surely or differences[BRIER].excludes_zero:
        return behind
    return ["Brier loss beyond chance"]


def _simplest_unbeaten(scores: ResampledScores, baselines: Sequence[str], *, surely: bool) -> str:
    """The first baseline that none of the others beats; there is one, because being ahead goes in no circle."""
    beaten = {name for name in baselines for rival in baselines if rival != name and not _not_ahead(scores, rival, name, surely=surely)}
    return next(name for name in baselines if name not in beaten)


def _verdict(chosen: str, lost: Mapping[str, Sequence[str]], rivals: Sequence[str], tested: str) -> str:
    if chosen == MODEL:
        beaten = ", ".join(NAMES[name] for name in rivals)
        return f"the model is promoted: ahead of every rival ({beaten}) in AUC, Brier loss and expected profit {tested}"
    reasons = "; ".join(f"of {NAMES[name]} in {', '.join(faults)}" for name, faults in lost.items())
    return f"{NAMES[chosen]} is promoted, the simplest baseline that no other beats: the model is not ahead {reasons}, {tested}"


def _too_few(events: int, terms: Gate) -> str:
    return f"; {events} retailers are too few for an interval (expected at least {terms.least_events}): the figures alone decided"


def _differences(scores: ResampledScores, baselines: Sequence[str]) -> pd.DataFrame:
    rows = [(name, metric, *vars(scores.difference(MODEL, name, metric)).values()) for name in baselines for metric in BETTER_WHEN]
    return pd.DataFrame(rows, columns=["baseline", "metric", "estimate", "low", "high"])


def _known(values: npt.ArrayLike) -> npt.ArrayLike:
    """Values with the mean in place of those that are unknown; 1 for all where none is known."""
    money = np.asarray(values, dtype=np.float64)
    known = money[np.isfinite(money)]
    return np.where(np.isfinite(money), money, known.mean() if len(known) else 1.0)


def _unjudged(rows: int, events: int) -> Challenge:
    """Nothing to judge by: the model stays what training made it."""
    verdict = f"the model is promoted without a challenge: of {rows:,} test rows {'all' if events else 'none'} had no order"
    empty = pd.DataFrame(columns=["forecast", "metric", "estimate", "low", "high"])
    return Challenge(MODEL, verdict, empty, empty.rename(columns={"forecast": "baseline"}), events)
