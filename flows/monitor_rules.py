"""Which bounds has each measure, what does it mean in a sentence, and what is to be done where it is out of them?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.estimates import Measured
from models.monitoring_bounds import Bounds, Centre, Rule, Scale


@dataclass(frozen=True)
class Watch:
    """How a measure is watched.

    Attributes
    ----------
    rule
        Of its bounds; None where it is only kept for its history and the page.
    sentence
        Says the figure in plain words, of ``value``, ``baseline`` and ``note``.
    advice
        What to do where it is out.
    """

    rule: Rule | None
    sentence: str
    advice: str = ""


CHECK_LIMITS = "look for a change of prices, limits or supply there, and at the orders of its largest retailers; train if it lasts"
CHECK_INPUT = "compare the newest load with the ones before (units, codes, missing days); train if the change is real and lasts"
CALIBRATE = "train: quantiles and probabilities are calibrated anew"
SIMPLER = "plan by the simpler forecast until a training mends it"

WATCHED: dict[str, Watch] = {
    "bias": Watch(
        Rule("bias", Centre.ZERO, Scale.RATIO_LESS_ONE, retrains=True),
        "forecasts {value:+.0%} against what came",
        "check that the last week is whole and that prices, limits and holidays are loaded; train if it lasts",
    ),
    "relative_bias": Watch(
        Rule("relative_bias", Centre.ZERO, Scale.RATIO_LESS_ONE),
        "forecasts {value:+.0%} against what came, beyond what the others were off",
        CHECK_LIMITS,
    ),
    "persistent_bias": Watch(
        Rule("persistent_bias", Centre.ZERO),
        "forecasts off the same way in a row ({note}), {value:.1f} standard errors in all",
        CHECK_LIMITS,
    ),
    "tier_sku_wape_loss": Watch(
        Rule("loss", Centre.HISTORY, Scale.RATIO, down=False, retrains=True),
        "WAPE per tier and SKU {value:.3f}",
        "see in which tiers and SKUs, then train",
    ),
    "pinball_loss": Watch(
        Rule("loss", Centre.HISTORY, Scale.RATIO, down=False, retrains=True), "pinball loss {value:.3f} of the mean order", "train"
    ),
    "coverage_80": Watch(
        Rule("coverage", Centre.BASELINE, retrains=True), "{value:.1%} of the weeks within q10 and q90, {baseline:.1%} expected", CALIBRATE
    ),
    "at_most_q95": Watch(
        Rule("coverage", Centre.BASELINE, retrains=True), "{value:.1%} of the weeks at or below q95, {baseline:.1%} expected", CALIBRATE
    ),
    "value_added_naive": Watch(
        Rule("value_added", Centre.ZERO, up=False), "{value:+.0%} of the error of last week's orders saved per tier and SKU", SIMPLER
    ),
    "value_added_recent_mean": Watch(
        Rule("value_added", Centre.ZERO, up=False, retrains=True),
        "{value:+.0%} of the error of the 13-week mean saved per tier and SKU",
        SIMPLER,
    ),
    "observed_over_predicted": Watch(
        Rule("churn", Centre.ONE, Scale.RATIO, retrains=True),
        "{value:.2f} times as many stopped as expected, who were {baseline:.1%}",
        "rely on the order of the retailers, not on the numbers; train",
    ),
    "brier_loss": Watch(None, "Brier loss {value:.4f}, {baseline:.4f} expected"),
    "brier_skill_score": Watch(
        Rule("value_added", Centre.ZERO, up=False),
        "{value:+.0%} of the Brier loss of everybody's share saved",
        "train; until then everybody's share is as good a guess",
    ),
    "calibration_loss": Watch(
        Rule("coverage", Centre.BASELINE, down=False, retrains=True),
        "expected calibration error {value:.3f}, {baseline:.3f} by chance",
        CALIBRATE,
    ),
    "psi_trained": Watch(Rule("psi", Centre.BASELINE, down=False, insists=False), "PSI {value:.2f} against training ({note})", CHECK_INPUT),
    "missing": Watch(
        Rule("share", Centre.BASELINE, insists=False), "{value:.1%} of the rows without a value, {baseline:.1%} in training", CHECK_INPUT
    ),
    "psi_previous": Watch(
        Rule("psi", Centre.BASELINE, down=False), "PSI {value:.2f} {note}", "see what changed since then: orders, registers, a new model"
    ),
    "psi_first": Watch(
        Rule("psi", Centre.BASELINE, down=False, insists=False),
        "PSI {value:.2f} {note}",
        "see whether the season explains it; train if not",
    ),
    "total_forecast": Watch(
        Rule("total", Centre.ONE, Scale.RATIO),
        "{value:.2f} times recent demand is forecast: {note}",
        "see whether the season explains it; else set no caps by it",
    ),
    "share_identified": Watch(
        Rule("share", Centre.HISTORY, insists=False),
        "of {value:.1%} of the censored cells the data tell the demand",
        "see which SKUs are capped nearly always: of them little is known",
    ),
    "share_at_cap": Watch(
        Rule("share", Centre.HISTORY, insists=False),
        "{value:.1%} of the orders at a cap",
        "see which caps were tightened or lifted, and whether their table is whole",
    ),
    "uplift_at_cap": Watch(
        Rule("loss", Centre.HISTORY, Scale.RATIO, insists=False),
        "{value:.2f} units recovered per unit delivered at caps",
        "see whether caps changed; train",
    ),
    "weekly_volume": Watch(
        Rule("volume", Centre.ONE, Scale.RATIO), "{value:.2f} times a usual week: {note}", "see whether the week is whole: `uncap check`"
    ),
    "missed_weeks": Watch(Rule("count", Centre.ZERO, down=False), "{value:.0f} Sundays {note}", "score them: `uncap backfill`"),
    "broken_runs": Watch(Rule("count", Centre.ZERO, down=False), "{value:.0f} runs: {note}", "read why in scored.runs, or `uncap status`"),
}
"""By measure. A bias needs both a figure that matters and one that chance does not explain; so do all that have an error."""

ONLY_WHOLE = (
    "tier_sku_wape_loss",
    "pinball_loss",
    "coverage_80",
    "at_most_q95",
    "value_added_naive",
    "value_added_recent_mean",
    "total_forecast",
)
"""Measures that have bounds for the whole alone: their parts by weeks ahead show the same orders again."""


def rule_of(each: Measured) -> Rule | None:
    """Return the rule by which a measure's bounds are made, None where it has none."""
    watch = WATCHED[each.measure]
    part = each.slice_kind == "horizon_weeks" and each.area in ("demand", "scores")
    return None if part and (each.measure in ONLY_WHOLE or each.measure == "bias") else watch.rule


def retrains(each: Measured) -> bool:
    """Tell whether being out of bounds asks for a training: the models' whole does, a part of it does not."""
    rule = rule_of(each)
    return rule is not None and rule.retrains and each.slice_kind == "all"


def message_of(each: Measured, bounds: Bounds, status: str) -> str:
    """Return the finding in a sentence, with the bound it left."""
    where = "" if each.slice_kind == "all" else f"{_words(each.slice_kind)} {each.slice_value}: "
    figures = {"value": each.estimate.value, "baseline": each.estimate.baseline or 0.0, "note": each.note or "nothing"}
    said = where + re.sub(r"(?<=\d)%", " %", WATCHED[each.measure].sentence.format(**figures))
    return said if status == "ok" else f"{said}; ok is {_span(bounds)}"


def _span(bounds: Bounds) -> str:
    lower, upper = (None if end is None else f"{end:.3g}" for end in (bounds.lower, bounds.upper))
    if lower is not None and upper is not None:
        return f"{lower} to {upper}"
    return f"at least {lower}" if lower is not None else f"at most {upper}"


def _words(kind: str) -> str:
    return {"horizon_weeks": "weeks ahead", "cap": "weeks with", "count": "number of"}.get(kind, kind.replace("_", " "))
