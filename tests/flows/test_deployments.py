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
    deployment["name"]: deployment for deployment in YAML(typ="safe").load(PROJECT_FOLDER / "prefect.yaml")["deployments"]
}


def test_scoring_is_deployed_weekly_and_training_monthly() -> None:
    entrypoints = {name: deployment["entrypoint"] for name, deployment in DEPLOYMENTS.items()}
    assert entrypoints == {"weekly": "flows/score.py:score_flow", "monthly": "flows/train.py:train_flow"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_entry_point_is_a_flow_that_takes_the_parameters(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT_FOLDER)
    flow: Flow[..., Any] = load_flow_from_entrypoint(DEPLOYMENTS[name]["entrypoint"])
    assert isinstance(flow, Flow)
    assert set(DEPLOYMENTS[name]["parameters"]) == set(flow.parameters.properties)
    flow.validate_parameters(DEPLOYMENTS[name]["parameters"])


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("weekly", ["Sun 2026-11-01 23:00", "Sun 2026-11-08 23:00", "Sun 2026-11-15 23:00"]),
        ("monthly", ["Sat 2026-11-07 22:00", "Sat 2026-12-05 22:00", "Sat 2027-01-02 22:00"]),
    ],
)
def test_a_schedule_starts_when_its_comment_says(name: str, starts: list[str]) -> None:
    (stated,) = DEPLOYMENTS[name]["schedules"]
    schedule = CronSchedule(**stated)
    dates = asyncio.run(schedule.get_dates(3, start=datetime(2026, 11, 1, tzinfo=UTC)))
    assert [f"{day:%a %Y-%m-%d %H:%M}" for day in dates] == starts


def test_every_step_has_a_name_in_words() -> None:
    modules = [import_module(f"flows.{module.name}") for module in pkgutil.iter_modules(flows.__path__) if module.name != "served_model"]
    tasks = {value.fn: value.name for module in modules for value in vars(module).values() if isinstance(value, Task)}
    assert {"train the demand model", "train the churn model", "find the champions", "publish the scored tables"} <= set(tasks.values())
    assert [name for function, name in tasks.items() if " " not in name or name == function.__name__] == []
