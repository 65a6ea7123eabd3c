"""What should one know of a version of a model before trusting it? A page made only from what its training logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.registry import LoggedRun
from flows.tracking import CHURN_MODEL, DEMAND_MODEL

CARD_FILE = "model_card.md"
DESCRIPTION_CHARACTERS = 5000
"""MLflow keeps no longer description of a version."""

PURPOSE = {
    DEMAND_MODEL: "Forecasts the true demand of each retailer and SKU for the next eight weeks: what the retailer would order if no cap,"
    " floor or stock-out kept it from that; and recovers it for weeks that were capped.",
    CHURN_MODEL: "Gives the probability that a retailer that ordered within the last eight weeks orders nothing in the next 4, 8, 13 and"
    " 26 weeks.",
}
INTENDED_USE = {
    DEMAND_MODEL: "For planning supply, caps and deliveries, at the grains retailer-SKU over eight weeks and SKU-week over many retailers."
    " Not for judging the people behind a shop, and not as the order of a single week: most pairs order in few weeks.",
    CHURN_MODEL: "For deciding whom to visit or call. Not for refusing supply to a retailer, and not for retailers already silent.",
}

FIGURES = {
    DEMAND_MODEL: ("pinball_loss", "bias", "pair_8w_wape_loss", "sku_week_wape_loss", "sku_8w_wape_loss"),
    CHURN_MODEL: ("brier_loss_13w", "brier_skill_score_13w", "auc_score_13w", "calibration_loss_13w", "top_decile_lift_score_13w"),
}
CALIBRATION = ("model.coverage_", "calibrated.", "served.calibration_loss")
LIMITS = ("recovery.hoarding_rate", "false_churn.", "gate.retailers_that_stopped")
RECOVERED_AGAIN = (".all.bias", ".all.wape_loss")
"""End the names of the figures of orders that were capped on purpose and recovered."""

ALSO_FORECASTS = {"model": "this model", "served": "this model as served"}


def model_card(name: str, version: str, run: LoggedRun, verdict: Mapping[str, Any]) -> str:
    """Return the card of a version as Markdown.

    Parameters
    ----------
    name, version
        As registered.
    run
        What its training logged.
    verdict
        As ``flows.registering.Verdict.document`` gives it; empty for a version of before there were any.
    """
    tags, metrics = run.tags, run.metrics
    known = {"trained as of": tags.get("as_of"), "run of uncap": tags.get("uncap_run_id"), "run of MLflow": run.run_id}
    known |= {
        "version of uncap": tags.get("code_version"),
        "version of its features": tags.get("features_version"),
        "was due": tags.get("was_due"),
    }
    lines = [f"# {name} {version}", "", PURPOSE[name], "", *_pairs({label: text for label, text in known.items() if text}), ""]
    lines += ["## Verdict", "", *_verdict(verdict), "", "## Intended use", "", INTENDED_USE[name], ""]
    lines += ["## Figures", "", "On weeks or origins that its twin, trained alike on less, had not seen.", "", *_figures(name, metrics), ""]
    lines += _section("Calibration", _pairs(_chosen(metrics, CALIBRATION)))
    lines += _section(
        "Known limits", [*_limits(metrics, tags), *_pairs(_chosen(metrics, LIMITS) | _chosen(metrics, ("recovery.",), RECOVERED_AGAIN))]
    )
    lines += _section("Data", _table(["table", "rows", "from", "to", "hash"], [_row(one) for one in run.lineage]))
    lines += _section("Reproduce", [*_reproduce(tags)])
    lines += _section("Settings", _pairs(run.parameters))
    return "\n".join(lines)


def _section(title: str, body: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *body, ""] if body else []


def _verdict(verdict: Mapping[str, Any]) -> Iterator[str]:
    """The verdict, its rule, and the figures at each origin."""
    if not verdict:
        yield "None was kept: it was trained by an earlier version of uncap."
        return
    yield f"{verdict['verdict'].capitalize()}, {verdict['why']}."
    if "rule" in verdict:
        yield ""
        yield f"Rule: {verdict['rule']}."
    origins = verdict["origins"]
    if origins:
        names = list(origins[0]["challenger"])
        yield ""
        yield "Of the champion before in brackets." if "champion" in origins[0] else "Nothing to compare with."
        yield ""
        yield from _table(["origin", "rows", *(_words(name) for name in names)], [_origin(one, names) for one in origins])


def _origin(one: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    rival = one.get("champion", {})
    figures = [_number(one["challenger"].get(name)) + (f" ({_number(rival[name])})" if name in rival else "") for name in names]
    return [one["origin"], f"{one['rows']:,}", *figures]


def _figures(name: str, metrics: Mapping[str, float]) -> list[str]:
    """All forecasts that were measured, with the figures that all have."""
    forecasts = [metric.removesuffix(f".{FIGURES[name][0]}") for metric in metrics if metric.endswith(f".{FIGURES[name][0]}")]
    forecasts = [one for one in forecasts if not one.startswith(("judged", "headline", "calibrated"))]
    rows = [
        [ALSO_FORECASTS.get(one, _words(one)), *(_number(metrics.get(f"{one}.{figure}")) for figure in FIGURES[name])] for one in forecasts
    ]
    return (
        _table(["forecast", *(_words(figure) for figure in FIGURES[name])], rows)
        if rows
        else ["None: the history is too short to judge it."]
    )


def _limits(metrics: Mapping[str, float], tags: Mapping[str, str]) -> Iterator[str]:
    """What the figures mean for those who use them."""
    share = metrics.get("identified.share")
    if share is not None:
        yield (
            f"- Of {metrics['identified.censored_weeks']:,.0f} censored retailer-SKU-weeks, {1 - share:.1%} are of SKUs that were nearly"
            " always capped: above their caps the data do not tell the demand, and `identified` is false."
        )
    yield from (f"- {_words(tag)}: {tags[tag]}" for tag in ("promotion_gate", "false_churn") if tag in tags)


def _reproduce(tags: Mapping[str, str]) -> Iterator[str]:
    """The commands that train it again."""
    commit = tags.get("code_version", "").partition("+")[2]
    yield "With the tables above loaded, the settings below, and the locked requirements of that version:"
    yield ""
    yield "```"
    if commit:
        yield f"git checkout {commit.removesuffix('-dirty')}" + (
            "   # and changes that were not committed" if commit.endswith("-dirty") else ""
        )
    yield f"uncap train --as-of {tags.get('as_of', 'DATE')}"
    yield "```"


def _row(table: Any) -> list[str]:  # noqa: ANN401 - a TableLineage
    return [table.table, f"{table.rows:,}", str(table.first_day or "–"), str(table.last_day or "–"), table.content_hash]


def _chosen(metrics: Mapping[str, float], beginnings: tuple[str, ...], endings: tuple[str, ...] = ("",)) -> dict[str, str]:
    return {name: _number(metrics[name]) for name in sorted(metrics) if name.startswith(beginnings) and name.endswith(endings)}


def _pairs(named: Mapping[str, object]) -> list[str]:
    return [f"- {name}: {value}" for name, value in named.items()]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]


def _number(value: float | None) -> str:
    """Four digits, or a dash.

    >>> _number(0.123456), _number(211237.0), _number(None)
    ('0.1235', '211,237', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _words(name: str) -> str:
    return name.replace("_", " ")
