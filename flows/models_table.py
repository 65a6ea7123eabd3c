"""Which versions of each model are there, which of them scores, how good is each, and who decided that?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.console import Console

from contracts.errors import UsageError
from flows.console import table_of
from flows.judgement import VERDICT_FILE
from flows.lifecycle import model_named
from flows.model_card import CARD_FILE, model_card
from flows.model_history import ModelEvent
from flows.registry import FEATURES_TAG, VERDICT_TAG, LoggedRun, RegisteredModel, logged_run, logged_text, registered_model
from flows.settings import Settings
from flows.tracking import CHURN_MODEL, DEMAND_MODEL

KEY_FIGURES = {
    DEMAND_MODEL: {"pinball": "model.pinball_loss", "WAPE pair 8w": "model.pair_8w_wape_loss", "bias": "model.bias"},
    CHURN_MODEL: {"Brier 13w": "served.brier_loss_13w", "AUC 13w": "served.auc_score_13w", "ECE 13w": "served.calibration_loss_13w"},
}
"""Of each model, the figures on the weeks or origins that its twin had not seen, by the heading they are listed under."""


@dataclass(frozen=True)
class ListedVersion:
    """A version with what decides whether one uses it.

    Attributes
    ----------
    version, as_of
        Its number, and what its training knew.
    trained_at
        When it was registered, UTC.
    aliases
        Such as ``champion``.
    figures
        By heading; on the weeks its twin had not seen.
    verdict
        What its training came to; None for a version of before there were verdicts.
    features_version
        Stands for the set of its features; None likewise.
    code_version
        The version of uncap that trained it; None likewise.
    """

    version: str
    as_of: str
    trained_at: datetime
    aliases: tuple[str, ...]
    figures: Mapping[str, float]
    verdict: str | None
    features_version: str | None
    code_version: str | None


@dataclass(frozen=True)
class ListedModel:
    """A registered model: its versions, newest first, and what was decided about them, in order."""

    model: str
    versions: tuple[ListedVersion, ...]
    history: tuple[ModelEvent, ...]


def list_models(settings: Settings, word: str | None = None) -> list[ListedModel]:
    """Return both models, or the one of that name.

    Raises
    ------
    UsageError
        If there is no such model.
    TrackingError
        If the store cannot be reached.
    """
    names = (DEMAND_MODEL, CHURN_MODEL) if word is None else (model_named(word),)
    return [_listed(settings, registered_model(settings, name)) for name in names]


def read_cards(settings: Settings, version: str, word: str | None = None) -> list[str]:
    """Return the cards of a version, of both models where both have that number; made anew where its training kept none.

    Raises
    ------
    UsageError
        If no model has such a version.
    TrackingError
        If the store cannot be reached.
    """
    names = (DEMAND_MODEL, CHURN_MODEL) if word is None else (model_named(word),)
    models = [registered_model(settings, name) for name in names]
    cards = []
    for model in models:
        found = model.version(version)
        if found is not None:
            cards.append(logged_text(settings, found.run_id, CARD_FILE) or _card_of_old(settings, model.name, version, found.run_id))
    if not cards:
        there = "; ".join(f"{model.name} {', '.join(one.version for one in model.versions) or 'none'}" for model in models)
        raise UsageError(f"--card {version}: no model has such a version", hint=f"give one of those that exist: {there}")
    return cards


def as_json(models: Sequence[ListedModel]) -> str:
    """Return them as a JSON document."""
    return json.dumps([asdict(model) for model in models], indent=1, default=str, ensure_ascii=False)


def print_models(models: Sequence[ListedModel], console: Console) -> None:
    """Print each model's versions, their verdicts, and the history of decisions."""
    for model in models:
        if not model.versions:
            console.print(f"{model.model}: no version yet; train with `uncap train`\n", markup=False)
            continue
        headings = list(KEY_FIGURES[model.model])
        rows = [
            (
                one.version,
                one.as_of,
                f"{one.trained_at:%Y-%m-%d %H:%M}",
                ", ".join(one.aliases) or None,
                *(one.figures.get(heading) for heading in headings),
                one.features_version,
            )
            for one in model.versions
        ]
        columns = ["version", "as of", "trained (UTC)", "aliases", *headings, "features"]
        console.print(table_of(model.model, columns, rows, numbers=headings), "")
        for one in model.versions:
            console.print(f"{one.version}: {one.verdict or 'no verdict was kept'}", markup=False)
        console.print("")
        if model.history:
            decisions = list(_decisions(model.history))
            console.print(table_of("Decisions", ["when (UTC)", "what", "from", "to", "by", "why"], decisions), "")


def _decisions(history: Sequence[ModelEvent]) -> Iterator[tuple[str | None, ...]]:
    for event in history:
        yield event.at[:16].replace("T", " "), event.what, event.before, event.after, event.by, event.why


def _listed(settings: Settings, model: RegisteredModel) -> ListedModel:
    versions = []
    for one in reversed(model.versions):
        run = logged_run(settings, one.run_id)
        aliases = tuple(sorted(alias for alias, version in model.aliases.items() if version == one.version))
        versions.append(
            ListedVersion(
                one.version,
                one.as_of,
                one.registered_at,
                aliases,
                _key_figures(model.name, run),
                one.tags.get(VERDICT_TAG),
                one.tags.get(FEATURES_TAG),
                one.tags.get("code_version"),
            )
        )
    return ListedModel(model.name, tuple(versions), model.events)


def _key_figures(name: str, run: LoggedRun) -> dict[str, float]:
    return {heading: run.metrics[metric] for heading, metric in KEY_FIGURES[name].items() if metric in run.metrics}


def _card_of_old(settings: Settings, name: str, version: str, run_id: str) -> str:
    """The card of a version of before there were any, or of a training that ended before it wrote one."""
    verdict = logged_text(settings, run_id, VERDICT_FILE)
    return model_card(name, version, logged_run(settings, run_id), json.loads(verdict) if verdict else {})
