"""How models, their figures and their lineage are kept in MLflow, and which version of a model is the champion."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import mlflow
import pandas as pd
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from sqlalchemy.exc import SQLAlchemyError

from contracts.errors import TrackingError
from flows.locations import database_of
from flows.locking import only_one_process
from flows.model_files import CONTENT, digest_of, require_untouched
from flows.passwords import masked
from flows.settings import Settings

CHAMPION, CHALLENGER = "champion", "challenger"
DEMAND_MODEL, CHURN_MODEL = "uncap-demand", "uncap-churn"

SERVED_MODEL = Path(__file__).with_name("served_model.py")
"""The code by which MLflow loads a registered model."""

Store = MlflowClient
"""The tracking store, for those that may not know MLflow."""

BATCH = 100
"""Parameters that MLflow takes in one request, at most."""


@dataclass(frozen=True)
class TableLineage:
    """Which rows of a table a model was made from.

    Attributes
    ----------
    table
        Full name of the table.
    rows
        How many.
    first_day, last_day
        Span of its dates; None where it has none.
    content_hash
        Digest of the rows, at most 36 characters; equal rows in another order have the same.
    """

    table: str
    rows: int
    first_day: date | None
    last_day: date | None
    content_hash: str


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model.

    Attributes
    ----------
    name, version
        As registered, for instance ``uncap-demand`` and ``3``.
    run_id
        The MLflow run that trained it.
    metrics
        What that run measured.
    tags
        What it was registered with, for instance ``as_of``.
    """

    name: str
    version: str
    run_id: str
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


class TrackedRun:
    """An MLflow run that is under way: everything a training leaves behind besides its tables."""

    def __init__(self, client: MlflowClient, run_id: str, tags: Mapping[str, str]) -> None:
        """Take over a run that has begun; `tracked_run` does."""
        self._client, self.run_id, self._tags = client, run_id, dict(tags)

    def log_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Log parameters; those of a nested mapping get dotted names."""
        logged = [Param(name, str(value)) for name, value in _flat(parameters)]
        for first in range(0, len(logged), BATCH):
            self._client.log_batch(self.run_id, params=logged[first : first + BATCH])

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Log figures in one request; a ``step`` may be a horizon in weeks."""
        now = int(time.time() * 1000)
        self._client.log_batch(self.run_id, metrics=[Metric(name, float(value), now, step) for name, value in metrics.items()])

    def log_document(self, name: str, document: object) -> None:
        """Log a JSON document, for instance a list of rows, under a file name such as ``metrics_by_horizon.json``."""
        self._client.log_text(self.run_id, json.dumps(document, indent=1, default=str, ensure_ascii=False), name)

    def log_page(self, name: str, text: str) -> None:
        """Log a text, for instance an HTML page, under a file name such as ``backtest.html``."""
        self._client.log_text(self.run_id, text, name)

    def log_figure(self, name: str, figure: Figure) -> None:
        """Log a picture under a file name such as ``plots/calibration.png``."""
        self._client.log_figure(self.run_id, figure, name)

    def log_lineage(self, tables: Sequence[TableLineage]) -> None:
        """Log the tables a model was made from, as dataset inputs of the run."""
        inputs = [
            DatasetInput(
                Dataset(
                    name=table.table,
                    digest=table.content_hash,
                    source_type="warehouse",
                    source=json.dumps({"table": table.table}),
                    profile=json.dumps({"rows": table.rows, "first_day": _iso(table.first_day), "last_day": _iso(table.last_day)}),
                )
            )
            for table in tables
        ]
        self._client.log_inputs(self.run_id, datasets=inputs)

    def register_model(
        self, name: str, folder: Path, *, model_class: str, input_example: pd.DataFrame, output_example: pd.DataFrame
    ) -> ModelVersion:
        """Log the folder a model saved itself to, and register it as the next version.

        Parameters
        ----------
        name
            ``DEMAND_MODEL`` or ``CHURN_MODEL``.
        folder
            What the model's ``save`` wrote.
        model_class
            Module and class with ``load(folder)`` and ``predict(frame)``, for instance ``models.demand:DemandModel``.
        input_example, output_example
            A few rows as the model takes them, and what it gives for them; they make the signature.

        Returns
        -------
        ModelVersion
            The version, without metrics; it is not yet champion.
        """
        tags = self._tags | {CONTENT: digest_of(folder)}
        with _mlflow_failures(), warnings.catch_warnings():
            # MLflow's own: on pandas it calls in a deprecated way, and on integer columns that could hold nulls, which ours cannot
            warnings.simplefilter("ignore")
            logged = mlflow.pyfunc.log_model(
                name=name,
                python_model=str(SERVED_MODEL),
                artifacts={"model": str(folder)},
                model_config={"model_class": model_class},
                signature=infer_signature(input_example, output_example),
                input_example=input_example,
                pip_requirements=_requirements(),
            )
            if not self._client.search_registered_models(f"name = '{name}'"):
                self._client.create_registered_model(name)
            created = self._client.create_model_version(
                name, source=logged.model_uri, run_id=self.run_id, tags=tags, model_id=logged.model_id
            )
        return ModelVersion(name, str(created.version), self.run_id, {}, tags)


@contextmanager
def tracked_run(settings: Settings, name: str, tags: Mapping[str, str], *, nested: bool = False) -> Iterator[TrackedRun]:
    """Make an MLflow run around the body; it ends as finished, or as failed with the reason in the tag ``error``.

    Parameters
    ----------
    settings
        Where the store is, and the name of the experiment.
    name
        Name of the run.
    tags
        Tags of the run and of the models it registers, for instance ``{"as_of": "2019-09-29", "run_id": …}``.
    nested
        Put it under the run that this thread has under way.

    Raises
    ------
    TrackingError
        If the store cannot be reached or its files were moved.
    """
    client, experiment = _open_store(settings)
    own, named = experiment.experiment_id, dict(tags)
    with _mlflow_failures(), mlflow.start_run(experiment_id=own, run_name=name, tags=named, nested=nested) as active:
        try:
            yield TrackedRun(client, active.info.run_id, tags)
        except Exception as error:  # any failure: it is only tagged with its reason, and goes on
            client.set_tag(active.info.run_id, "error", masked(str(error)))
            raise


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """Give the store to the body; whatever fails in it, its files being moved too, becomes a ``TrackingError``."""
    client, _ = _open_store(settings)
    with _mlflow_failures():
        yield client


def champion(settings: Settings, name: str) -> ModelVersion | None:
    """Return the champion of a registered model, None before the first training.

    Raises
    ------
    TrackingError
        If the store cannot be reached or its files were moved.
    """
    database = database_of(settings.tracking.uri)
    if database is not None and not database.exists():
        return None
    client, _ = _open_store(settings)
    with _mlflow_failures():
        registered = client.search_registered_models(f"name = '{name}'")
        if not registered or CHAMPION not in registered[0].aliases:
            return None
        found = client.get_model_version_by_alias(name, CHAMPION)
        run = client.get_run(str(found.run_id))
        return ModelVersion(name, str(found.version), run.info.run_id, run.data.metrics, found.tags)


def registered_version(settings: Settings, name: str, version: str) -> ModelVersion:
    """Return one version of a registered model, champion or not.

    Raises
    ------
    TrackingError
        If the store does not have it, cannot be reached, or its files were moved.
    """
    database = database_of(settings.tracking.uri)
    if database is None or database.exists():
        client, _ = _open_store(settings)
        with _mlflow_failures():
            for found in client.search_model_versions(f"name = '{name}'"):
                if str(found.version) == version:
                    run = client.get_run(str(found.run_id))
                    return ModelVersion(name, version, run.info.run_id, run.data.metrics, found.tags)
    raise TrackingError(
        f"{settings.tracking.uri}: no version {version} of {name}; expected the one that the scored rows name",
        hint="set tracking.uri (UNCAP_TRACKING_URI) to the store it was trained in, or write new rows with `uncap score`",
    )


def model_folder(settings: Settings, model: ModelVersion) -> Path:
    """Return the folder that the model saved itself to: in place in a local store, a temporary copy from a server.

    Raises
    ------
    TrackingError
        If the files are not there, or not those that were registered.
    """
    _open_store(settings)
    with _mlflow_failures():
        logged = Path(mlflow.artifacts.download_artifacts(f"models:/{model.name}/{model.version}")).resolve()
        # the file that names the folder is read as YAML; nothing of what MLflow would run to load the model is touched
        inside: str = Model.load(str(logged)).flavors["python_function"]["artifacts"]["model"]["path"]
    folder = (logged / inside).resolve()
    if not folder.is_relative_to(logged):
        raise TrackingError(f"{logged / 'MLmodel'}: {inside} lies outside; expected a folder inside", hint="restore the store's artifacts")
    return require_untouched(folder, model.tags.get(CONTENT), f"{model.name} {model.version}")


def _open_store(settings: Settings) -> tuple[MlflowClient, Experiment]:
    """Return a client of the store and its experiment, making both on first use, one process at a time."""
    uri, database = settings.tracking.uri, database_of(settings.tracking.uri)
    # log_model and download_artifacts know no store but the one set here
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    with _mlflow_failures():
        if database is None:
            return _client_and_experiment(settings, artifacts=None)
        with only_one_process(database.with_name(f"{database.name}.lock")):
            client, experiment = _client_and_experiment(settings, artifacts=database.with_name("artifacts"))
    _require_artifacts(experiment, database)
    return client, experiment


def _client_and_experiment(settings: Settings, artifacts: Path | None) -> tuple[MlflowClient, Experiment]:
    client = MlflowClient(tracking_uri=settings.tracking.uri, registry_uri=settings.tracking.uri)
    experiment = client.get_experiment_by_name(settings.tracking.experiment)
    if experiment is None:
        if artifacts is not None:
            artifacts.mkdir(parents=True, exist_ok=True)
        created = client.create_experiment(settings.tracking.experiment, artifact_location=artifacts.as_uri() if artifacts else None)
        experiment = client.get_experiment(created)
    return client, experiment


def _require_artifacts(experiment: Experiment, database: Path) -> None:
    """Refuse a store whose files are not where the database says: MLflow keeps absolute paths, so a moved folder loses them."""
    recorded = Path(unquote(urlparse(experiment.artifact_location).path))
    if not recorded.is_dir():
        raise TrackingError(
            f"{database}: the files of experiment {experiment.name!r} are recorded in {recorded}, which is not there",
            hint=f"move the folder back there, link {recorded} to {database.with_name('artifacts')}, or set tracking.uri to a new folder",
        )


@contextmanager
def _mlflow_failures() -> Iterator[None]:
    """Tell MLflow's failures in uncap's words."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        raise TrackingError(
            f"the tracking store {mlflow.get_tracking_uri()} failed: {str(error).strip().partition(chr(10))[0]}",
            hint="check tracking.uri, or UNCAP_TRACKING_URI, and that the store can be reached and written; see `uncap status`",
        ) from error


def _requirements() -> list[str]:
    """Return what a served model needs, in the versions it was trained with."""
    return [f"{package}=={version(package)}" for package in ("uncap", "lightgbm", "numpy", "pandas", "scipy")]


def _flat(parameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield parameters with dotted names.

    >>> list(_flat({"seed": 1, "lightgbm": {"num_leaves": 31}}))
    [('seed', 1), ('lightgbm.num_leaves', 31)]
    """
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
