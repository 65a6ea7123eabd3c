"""What can be set: one small frozen model per section, whose values come from conf/base.toml, a file laid over it, and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from contracts.errors import ConfigurationError
from features.holiday_names import MOVING_SLOTS
from flows.configuration import Configuration, faults_of, read_configuration


def _all_cores_for_zero(threads: int) -> int:
    """Return the threads to use: what was set, or for 0 the cores this process may run on."""
    return threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _three_rising_shares(thresholds: list[float]) -> list[float]:
    if len(thresholds) != 3 or sorted({*thresholds, 0.0, 1.0}) != [0.0, *thresholds, 1.0]:
        raise ValueError("should be three rising numbers between 0 and 1")
    return thresholds


Threads = Annotated[int, Field(ge=0), AfterValidator(_all_cores_for_zero)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Text = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A section of the configuration: frozen, its types taken literally, and nothing in it that is not declared.

    A field has no default here: conf/base.toml gives every value, so a new key is one line there and one line here.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Warehouse(Section):
    """Where the warehouse is and what it may use."""

    url: Text
    threads: Threads
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")]


class Tracking(Section):
    """Where models and their figures are kept."""

    uri: Text
    experiment: Text


class Calendar(Section):
    """Whose public holidays count."""

    country: Annotated[str, Field(pattern="^[A-Z]{2,3}$")]
    subdivision: str
    moving_holidays: Annotated[list[Text], Field(max_length=MOVING_SLOTS)]


class Features(Section):
    """What models may see."""

    attribute_share: Share


class RecensoringTrees(Section):
    """How what caps cut off is learned by capping what was never capped; the trees under LightGBM's own names."""

    free_skus: Count
    donors: Count
    max_orders: Count
    folds: Annotated[int, Field(ge=2)]
    seed: int
    num_iterations: Count
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    learning_rate: Annotated[float, Field(gt=0)]
    feature_fraction: Share
    tweedie_variance_power: Annotated[float, Field(gt=1, lt=2)]
    num_threads: Threads


class NegativeBinomialTrees(Section):
    """How the mean of a censored negative binomial law of order sizes is learned, and when it is not tried."""

    max_orders: Count
    largest_history: Count
    spread_classes: Count
    size_classes: Count
    seed: int
    num_iterations: Count
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    learning_rate: Annotated[float, Field(gt=0)]
    feature_fraction: Share
    hessian_floor: Share
    num_threads: Threads


class Recovery(Section):
    """How true demand is recovered from capped orders."""

    power: Annotated[float, Field(gt=0, le=1)]
    pooling_orders: Annotated[float, Field(gt=0)]
    spread_pooling_orders: Annotated[float, Field(gt=0)]
    iterations: Count
    recensoring: RecensoringTrees
    negative_binomial: NegativeBinomialTrees


class DemandTrees(Section):
    """LightGBM's parameters of the demand model, under its own names; those that begin with ``order_`` are of P(any demand)."""

    num_iterations: Count
    order_num_iterations: Count
    learning_rate: Annotated[float, Field(gt=0)]
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    feature_fraction: Share
    max_bin: Annotated[int, Field(ge=15)]
    poisson_max_delta_step: Annotated[float, Field(gt=0)]
    num_threads: Threads


class Demand(Section):
    """How the demand model is trained."""

    seed: int
    min_history_weeks: Annotated[int, Field(ge=20)]
    cut_offs: Count
    cut_off_spacing_weeks: Count
    max_training_rows: Count
    members: Count
    max_judged_pairs: Count
    lightgbm: DemandTrees


def _low_then_high(ends: list[int] | list[float]) -> list[int] | list[float]:
    if len(ends) != 2 or ends[0] > ends[1]:
        raise ValueError("should be two numbers, the lower one first")
    return ends


Ends = AfterValidator(_low_then_high)


class DemandRanges(Section):
    """Lowest and highest value that a tuning tries of each of ``DemandTrees``, under the same names."""

    num_iterations: Annotated[list[Count], Ends]
    order_num_iterations: Annotated[list[Count], Ends]
    learning_rate: Annotated[list[Annotated[float, Field(gt=0)]], Ends]
    num_leaves: Annotated[list[Annotated[int, Field(ge=2)]], Ends]
    min_data_in_leaf: Annotated[list[Count], Ends]
    feature_fraction: Annotated[list[Share], Ends]
    max_bin: Annotated[list[Annotated[int, Field(ge=15)]], Ends]
    poisson_max_delta_step: Annotated[list[Annotated[float, Field(gt=0)]], Ends]


class Tune(Section):
    """How better settings of the demand model are searched."""

    study_file: str
    origins: Count
    max_training_rows: Count
    max_judged_pairs: Count
    ranges: DemandRanges


class ChurnTrees(Section):
    """LightGBM's parameters of the churn model, under its own names."""

    num_iterations: Count
    learning_rate: Annotated[float, Field(gt=0)]
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    feature_fraction: Share
    lambda_l2: Annotated[float, Field(ge=0)]
    num_threads: Threads


class Churn(Section):
    """How the churn model is trained."""

    seed: int
    origins: Count
    origin_spacing_weeks: Count
    first_origin_weeks: Count
    calibration_origins: Count
    test_origins: Count
    risk_thresholds: Annotated[list[float], AfterValidator(_three_rising_shares)]
    lightgbm: ChurnTrees


class ColdStart(Section):
    """Which pairs without history are forecast."""

    new_weeks: Count
    skus_per_retailer: Count
    retailers_per_sku: Count


class KeepWeeks(Section):
    """How many weeks of past ``as_of`` a scored table keeps; 0 keeps all."""

    demand_forecast: Annotated[int, Field(ge=0)]
    churn_score: Annotated[int, Field(ge=0)]

    def by_table(self) -> dict[str, int | None]:
        """Return the weeks to keep by table name, None where all are kept.

        >>> KeepWeeks(demand_forecast=104, churn_score=0).by_table()
        {'demand_forecast': 104, 'demand_forecast_total': 104, 'churn_score': None}
        """
        forecasts = self.demand_forecast or None
        return {"demand_forecast": forecasts, "demand_forecast_total": forecasts, "churn_score": self.churn_score or None}


class Publish(Section):
    """What is kept of the scored tables."""

    keep_weeks: KeepWeeks


class Retries(Section):
    """How often and how long to wait for a warehouse that is held, or a server that does not answer."""

    attempts: Annotated[int, Field(ge=0)]
    delay_seconds: Annotated[float, Field(ge=0)]


class Logging(Section):
    """What the libraries underneath may say."""

    libraries: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Settings(Section):
    """All settings, checked, with absolute addresses.

    Examples
    --------
    >>> settings = read_settings(environment={"UNCAP_WAREHOUSE_URL": "/srv/w.duckdb"})
    >>> settings.warehouse.url
    'duckdb:////srv/w.duckdb'
    >>> settings.demand.cut_off_spacing_weeks
    4
    """

    warehouse: Warehouse
    tracking: Tracking
    calendar: Calendar
    features: Features
    recovery: Recovery
    demand: Demand
    churn: Churn
    tune: Tune
    cold_start: ColdStart
    publish: Publish
    retries: Retries
    logging: Logging


def read_settings(config: Path | None = None, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Read conf/base.toml, lay a file over it, then the two environment variables, and check the whole.

    Parameters
    ----------
    config
        TOML file with the keys that differ from conf/base.toml.
    environment
        Environment variables; those of the process if None.

    Returns
    -------
    Settings
        Frozen; warehouse and tracking store have absolute addresses.

    Raises
    ------
    ConfigurationError
        If a file cannot be read, or with all faults at once, each with the place it was set and its dotted path.
    """
    configuration = read_configuration(config, os.environ if environment is None else environment)
    faults = list(configuration.faults)
    try:
        settings = Settings.model_validate(configuration.tree)
    except ValidationError as error:
        faults += faults_of(error, Settings, configuration)
    if faults:
        raise ConfigurationError("\n".join(faults), hint=_hint(configuration))
    return settings


def _hint(configuration: Configuration) -> str:
    return f"every key, its unit and its default are in {configuration.base}"
