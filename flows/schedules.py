"""Which commands are to run when: the deployments of ``prefect.yaml``, read for those who run them without a Prefect server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.server.schemas.schedules import CronSchedule
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from contracts.errors import ConfigurationError
from flows.locations import PROJECT_FOLDER

DEPLOYMENTS = PROJECT_FOLDER / "prefect.yaml"

LOOKED_BACK = tuple(timedelta(days=days) for days in (1 / 24, 1, 8, 40, 400))
"""How far back the last time of a schedule is looked for, in turn: it has few dates within the first span that holds any."""

FLOW = "_flow"


@dataclass(frozen=True, eq=False)
class Job:
    """A command and its times.

    Attributes
    ----------
    flow
        Name of the command, which is that of its flow in ``scored.runs``.
    name
        Of the deployment: with the flow it tells one from another.
    words
        What follows ``uncap`` on the command line, but for ``--config``.
    config
        The configuration file that the deployment names, if any.
    schedules
        When it is to run.
    """

    flow: str
    name: str
    words: tuple[str, ...]
    config: str | None
    schedules: tuple[CronSchedule, ...]

    def last_due(self, now: datetime) -> datetime | None:
        """Return the newest time up to now at which it was to run; None if there is none within 400 days."""
        for span in LOOKED_BACK:
            times = [time for schedule in self.schedules for time in asyncio.run(schedule.get_dates(start=now - span, end=now))]
            if times:
                return max(times).astimezone(UTC)
        return None

    def next_due(self, now: datetime) -> datetime:
        """Return the first time after now at which it is to run."""
        later = now + timedelta(seconds=1)
        return min(time for schedule in self.schedules for time in asyncio.run(schedule.get_dates(n=1, start=later))).astimezone(UTC)


def read_jobs(file: Path = DEPLOYMENTS) -> list[Job]:
    """Read the deployments that have a schedule which is not switched off, in the order of the file.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, or with all deployments of it that are no command with cron schedules.

    Examples
    --------
    >>> [" ".join(job.words) for job in read_jobs() if job.flow == "score"]
    ['score --as-of today']
    """
    try:
        deployments = YAML(typ="safe").load(file)["deployments"]
    except (OSError, YAMLError, KeyError, TypeError) as failure:
        raise ConfigurationError(
            f"{file}: no deployments can be read: {failure}", hint="give a file like the prefect.yaml of the project"
        ) from failure
    jobs, faults = [], []
    for deployment in deployments:
        try:
            jobs += _job(deployment)
        except (KeyError, ValueError, ValidationError) as fault:
            faults.append(f"{file}: deployment {deployment.get('name')!r}: {type(fault).__name__}: {fault}")
    if faults:
        raise ConfigurationError("\n".join(faults), hint="each needs entrypoint: flows/<name>.py:<command>_flow, and schedules with cron")
    return jobs


def _job(deployment: Mapping[str, Any]) -> list[Job]:
    """Return the deployment as a job; nothing if no schedule of it is active."""
    flow = deployment["entrypoint"].rpartition(":")[2]
    if not flow.endswith(FLOW):
        raise ValueError(f"entrypoint {deployment['entrypoint']}: no flow of a command")
    command = flow.removesuffix(FLOW)
    active = [schedule for schedule in deployment.get("schedules") or [] if schedule.get("active", True)]
    schedules = tuple(CronSchedule(cron=stated["cron"], timezone=stated.get("timezone", "UTC")) for stated in active)
    parameters = dict(deployment.get("parameters") or {})
    config = parameters.pop("config", None)
    return [Job(command, str(deployment["name"]), (command, *_words(parameters)), config, schedules)] if schedules else []


def _words(parameters: Mapping[str, Any]) -> list[str]:
    """Return the parameters of a flow as the words of its command.

    >>> _words({"folder": "data/incoming", "as_of": "today", "if_due": True, "models": None})
    ['data/incoming', '--as-of', 'today', '--if-due']
    """
    words: list[str] = []
    for name, value in parameters.items():
        option = f"--{name.replace('_', '-')}"
        match value:
            case None | False:
                continue
            case True:
                words.append(option)
            case _ if name == "folder":
                words.insert(0, str(value))
            case _:
                words += [option, str(value)]
    return words
