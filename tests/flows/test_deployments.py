"""Whether prefect.yaml names flows that are there, with schedules that run when they say, and steps that a scheduler can read."""

from __future__ import annotations

import asyncio
import pkgutil
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from prefect import Flow, Task
from prefect.flows import load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule
from ruamel.yaml import YAML

import flows
from flows.locations import PROJECT_FOLDER

DEPLOYMENTS: dict[str, Any] = {
    f"{deployment['entrypoint'].rpartition(':')[2].removesuffix('_flow')}/{deployment['name']}": deployment
    for deployment in YAML(typ="safe").load(PROJECT_FOLDER / "prefect.yaml")["deployments"]
}
SCHEDULED = {
    "load/weekly": ["Sun 2026-11-01 22:30", "Sun 2026-11-08 22:30", "Sun 2026-11-15 22:30"],
    "score/weekly": ["Sun 2026-11-01 23:00", "Sun 2026-11-08 23:00", "Sun 2026-11-15 23:00"],
    "check/daily": ["Sun 2026-11-01 06:00", "Mon 2026-11-02 06:00", "Tue 2026-11-03 06:00"],
    "train/monthly": ["Sat 2026-11-07 22:00", "Sat 2026-12-05 22:00", "Sat 2027-01-02 22:00"],
    "train/if-due": ["Mon 2026-11-02 02:00", "Mon 2026-11-09 02:00", "Mon 2026-11-16 02:00"],
    "reclassify/monthly": ["Mon 2026-11-02 05:00", "Mon 2026-12-07 05:00", "Mon 2027-01-04 05:00"],
}


def test_what_has_to_be_done_every_week_and_month_is_deployed() -> None:
    assert set(DEPLOYMENTS) == set(SCHEDULED)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_entry_point_is_a_flow_that_takes_the_parameters(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT_FOLDER)
    flow: Flow[..., Any] = load_flow_from_entrypoint(DEPLOYMENTS[name]["entrypoint"])
    assert isinstance(flow, Flow)
    assert set(DEPLOYMENTS[name]["parameters"]) <= set(flow.parameters.properties)
    flow.validate_parameters(DEPLOYMENTS[name]["parameters"])


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_schedule_starts_when_its_description_says(name: str) -> None:
    (stated,) = DEPLOYMENTS[name]["schedules"]
    schedule = CronSchedule(**stated)
    dates = asyncio.run(schedule.get_dates(3, start=datetime(2026, 11, 1, tzinfo=UTC)))
    assert [f"{day:%a %Y-%m-%d %H:%M}" for day in dates] == SCHEDULED[name]


def test_no_deployment_runs_beside_itself() -> None:
    assert {name: deployment["concurrency_limit"] for name, deployment in DEPLOYMENTS.items()} == dict.fromkeys(DEPLOYMENTS, 1)


def test_every_step_has_a_name_in_words() -> None:
    modules = [import_module(f"flows.{module.name}") for module in pkgutil.iter_modules(flows.__path__) if module.name != "served_model"]
    tasks = {value.fn: value.name for module in modules for value in vars(module).values() if isinstance(value, Task)}
    assert {"train the demand model", "train the churn model", "find the models", "publish the scored tables"} <= set(tasks.values())
    assert [name for function, name in tasks.items() if " " not in name or name == function.__name__] == []
