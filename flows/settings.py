"""What can be set: one small frozen model per section, whose values come from conf/base.toml, a file laid over it, and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from contracts.errors import ConfigurationError
from features.holiday_names import MOVING_SLOTS
from flows.alert_settings import Alerts
from flows.concurrency_settings import Concurrency
from flows.configuration import Configuration, faults_of, read_configuration
from flows.customer_settings import Audit, CrossSell, Value, WorkLists
from flows.data_check_settings import DataChecks
from flows.lifecycle_settings import Lifecycle
from flows.model_settings import Churn, ColdStart, Demand, Features, Recovery, Tune
from flows.monitor_settings import Monitoring
from flows.setting_types import Section, Text, Threads


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

    country: Annotated[str, Field(pattern="^([A-Z]{2,3})?$")]
    subdivision: str
    moving_holidays: Annotated[list[Text], Field(max_length=MOVING_SLOTS)]

    @model_validator(mode="after")
    def _of_a_country(self) -> Self:
        if (self.subdivision or self.moving_holidays) and not self.country:
            raise ValueError("subdivision or moving_holidays without a country; expected calendar.country beside them")
        return self


class KeepWeeks(Section):
    """How many weeks of past ``as_of`` a scored table keeps; 0 keeps all."""

    demand_forecast: Annotated[int, Field(ge=0)]
    churn_score: Annotated[int, Field(ge=0)]
    cross_sell: Annotated[int, Field(ge=0)]
    monitoring: Annotated[int, Field(ge=0)]
    feature_drift: Annotated[int, Field(ge=0)]

    def by_table(self) -> dict[str, int | None]:
        """Return the weeks to keep by table name, None where all are kept.

        >>> kept = KeepWeeks(demand_forecast=104, churn_score=0, cross_sell=52, monitoring=0, feature_drift=104).by_table()
        >>> kept["churn_score"], kept["cross_sell"], kept["demand_forecast_total"]
        (None, 52, 104)
        """
        weeks = {name: kept or None for name, kept in self.model_dump().items()}
        return weeks | {"demand_forecast_total": weeks["demand_forecast"]}


class Publish(Section):
    """What is kept of the scored tables."""

    keep_weeks: KeepWeeks


class Retries(Section):
    """How often and how long to wait for a warehouse that is held, or a server that does not answer."""

    attempts: Annotated[int, Field(ge=0)]
    delay_seconds: Annotated[float, Field(ge=0)]


class Logging(Section):
    """How steps are told on stderr, and what the libraries underneath may say."""

    format: Literal["text", "json"]
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
    data_checks: DataChecks
    features: Features
    recovery: Recovery
    demand: Demand
    churn: Churn
    value: Value
    work_lists: WorkLists
    audit: Audit
    tune: Tune
    lifecycle: Lifecycle
    cold_start: ColdStart
    cross_sell: CrossSell
    monitoring: Monitoring
    alerts: Alerts
    publish: Publish
    retries: Retries
    concurrency: Concurrency
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
