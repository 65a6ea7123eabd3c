"""Which versions of a model are registered, which aliases do they bear, and what was decided about them?"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from flows.locations import database_of
from flows.model_history import ModelEvent, Reign, champions_in_line, reigns
from flows.settings import Settings
from flows.tracking import CHALLENGER, CHAMPION, ModelVersion, TableLineage, opened_store

PREVIOUS, PINNED = "previous", "pinned"
"""Aliases of the version that a rollback leads to, and of a champion that training must leave alone."""

EVENT_TAG = "uncap.event."
"""Begins the names of the tags that keep what was decided, so that they sort in the order of the decisions."""

VERDICT_TAG, FEATURES_TAG = "verdict", "features_version"
"""Tags of a version: what its judgement came to, and which features it takes."""


@dataclass(frozen=True)
class RegisteredVersion:
    """A version as the registry lists it.

    Attributes
    ----------
    version, run_id
        Its number, and the MLflow run that trained it.
    registered_at
        When, UTC.
    tags
        What it was registered with.
    """

    version: str
    run_id: str
    registered_at: datetime
    tags: Mapping[str, str]

    @property
    def as_of(self) -> str:
        """What its training knew, ISO 8601; empty where it does not say."""
        return self.tags.get("as_of", "")


@dataclass(frozen=True)
class RegisteredModel:
    """All versions of a model, oldest first, with the aliases and the decisions.

    Attributes
    ----------
    aliases
        Versions by alias.
    events
        In order.
    """

    name: str
    versions: tuple[RegisteredVersion, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    events: tuple[ModelEvent, ...] = ()

    @property
    def champion(self) -> str | None:
        """The version that scores."""
        return self.aliases.get(CHAMPION)

    @property
    def pinned(self) -> str | None:
        """The champion that training must leave alone."""
        return self.aliases.get(PINNED)

    @property
    def line(self) -> list[str]:
        """The champions that led to the one of now, without versions that were deleted."""
        there = {one.version for one in self.versions}
        return [version for version in champions_in_line(self.events, self.champion) if version in there]

    @property
    def reigns(self) -> list[Reign]:
        """Which version was champion from which Sunday on."""
        return reigns(self.events, self.champion, {one.version: one.as_of for one in self.versions})

    @property
    def known_as_of(self) -> str:
        """The newest as_of of any training."""
        return max((one.as_of for one in self.versions), default="")

    def version(self, number: str) -> RegisteredVersion | None:
        """Return a version, None where there is none of that number."""
        return next((one for one in self.versions if one.version == number), None)


def registered_model(settings: Settings, name: str) -> RegisteredModel:
    """Return a model as the registry has it, without versions before the first training.

    Raises
    ------
    TrackingError
        If the store cannot be reached or its files were moved.
    """
    database = database_of(settings.tracking.uri)
    if database is not None and not database.exists():
        return RegisteredModel(name)
    with opened_store(settings) as store:
        found = store.search_registered_models(f"name = '{name}'")
        if not found:
            return RegisteredModel(name)
        versions = sorted(store.search_model_versions(f"name = '{name}'"), key=lambda one: int(one.version))
        events = {tag: text for tag, text in found[0].tags.items() if tag.startswith(EVENT_TAG)}
        return RegisteredModel(
            name,
            tuple(
                RegisteredVersion(str(one.version), str(one.run_id), datetime.fromtimestamp(one.creation_timestamp / 1000, UTC), one.tags)
                for one in versions
            ),
            {alias: str(version) for alias, version in found[0].aliases.items()},
            tuple(ModelEvent.from_json(events[tag]) for tag in sorted(events)),
        )


def decided(settings: Settings, model: RegisteredModel, what: str, after: str, *, by: str, why: str) -> ModelEvent:
    """Write down a decision, before it is carried out."""
    now = datetime.now(UTC)
    event = ModelEvent(what, model.champion, after, now.isoformat(timespec="seconds"), model.known_as_of, by, why)
    with opened_store(settings) as store:
        store.set_registered_model_tag(model.name, f"{EVENT_TAG}{len(model.events) + 1:06d}.{now:%Y%m%dT%H%M%S%f}", event.to_json())
    return event


def crown(settings: Settings, name: str, version: str) -> None:
    """Give a version the alias of the champion, and that of the previous one to the one that a rollback leads to."""
    with opened_store(settings) as store:
        store.set_registered_model_alias(name, CHAMPION, version)
        if str(store.get_registered_model(name).aliases.get(CHALLENGER)) == version:
            store.delete_registered_model_alias(name, CHALLENGER)
    line = registered_model(settings, name).line
    set_alias(settings, name, PREVIOUS, line[-2] if len(line) > 1 else None)


def keep_as_challenger(settings: Settings, model: ModelVersion) -> None:
    """Mark a version that did not beat the champion, so that it can be looked at."""
    set_alias(settings, model.name, CHALLENGER, model.version)


def set_alias(settings: Settings, name: str, alias: str, version: str | None) -> None:
    """Give an alias to a version, or take it away with None."""
    with opened_store(settings) as store:
        if version is not None:
            store.set_registered_model_alias(name, alias, version)
        elif alias in store.get_registered_model(name).aliases:
            store.delete_registered_model_alias(name, alias)


def tag_version(settings: Settings, model: ModelVersion, tags: Mapping[str, str]) -> None:
    """Tag a version."""
    with opened_store(settings) as store:
        for tag, text in tags.items():
            store.set_model_version_tag(model.name, model.version, tag, text)


def describe(settings: Settings, model: ModelVersion, text: str) -> None:
    """Give a version a description, which the UI of MLflow shows as Markdown."""
    with opened_store(settings) as store:
        store.update_model_version(model.name, model.version, text)


@dataclass(frozen=True)
class LoggedRun:
    """What an MLflow run logged.

    Attributes
    ----------
    run_id
        The run.
    parameters, metrics, tags
        By name.
    lineage
        The tables a model was made from.
    """

    run_id: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    lineage: tuple[TableLineage, ...]


def logged_run(settings: Settings, run_id: str) -> LoggedRun:
    """Return what a run logged.

    Raises
    ------
    TrackingError
        If there is no such run.
    """
    with opened_store(settings) as store:
        run = store.get_run(run_id)
    used = (
        ()
        if run.inputs is None
        else tuple(_lineage(one.dataset.name, one.dataset.digest, str(one.dataset.profile)) for one in run.inputs.dataset_inputs)
    )
    return LoggedRun(run_id, run.data.params, run.data.metrics, run.data.tags, used)


def logged_text(settings: Settings, run_id: str, name: str) -> str | None:
    """Return a text that a run logged, None where it logged none of that name."""
    with opened_store(settings) as store:
        if name not in {file.path for file in store.list_artifacts(run_id)}:
            return None
        with tempfile.TemporaryDirectory(prefix="uncap-") as folder:
            return Path(store.download_artifacts(run_id, name, folder)).read_text(encoding="utf-8")


def _lineage(table: str, digest: str, profile: str) -> TableLineage:
    described = json.loads(profile)
    first, last = (None if described[day] is None else date.fromisoformat(described[day]) for day in ("first_day", "last_day"))
    return TableLineage(table, described["rows"], first, last, digest)
