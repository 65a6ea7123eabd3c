"""Whether the deployments of prefect.yaml become commands that are due when they should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from prefect.server.schemas.schedules import CronSchedule

from contracts.errors import ConfigurationError
from flows.cli import app
from flows.schedules import Job, read_jobs
from flows.serve import Served

SUNDAY_NIGHT = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)


def job_at(cron: str, flow: str = "score", timezone: str = "UTC") -> Job:
    """Return a job with one schedule."""
    return Job(flow, "weekly", (flow,), None, (CronSchedule(cron=cron, timezone=timezone),))


@pytest.mark.parametrize("job", read_jobs(), ids=lambda job: " ".join(job.words))
def test_every_deployment_is_a_command_with_options_that_it_has(job: Job) -> None:
    commands: Any = typer.main.get_command(app)
    chosen = commands.commands[job.flow].make_context(job.flow, [*job.words[1:], "--config", "some.toml"]).params
    assert str(chosen["config"]) == "some.toml"


def test_the_last_and_the_next_time_of_a_schedule_are_found_however_rare_it_is() -> None:
    now = SUNDAY_NIGHT + timedelta(minutes=5)
    found = {
        cron: (job_at(cron).last_due(now), job_at(cron).next_due(now)) for cron in ("* * * * *", "0 23 * * 0", "0 22 * * 6#1", "0 4 29 2 *")
    }
    assert found == {
        "* * * * *": (now, now + timedelta(minutes=1)),
        "0 23 * * 0": (SUNDAY_NIGHT, SUNDAY_NIGHT + timedelta(weeks=1)),
        "0 22 * * 6#1": (datetime(2026, 11, 7, 22, 0, tzinfo=UTC), datetime(2026, 12, 5, 22, 0, tzinfo=UTC)),
        # a leap day: none within 400 days before
        "0 4 29 2 *": (None, datetime(2028, 2, 29, 4, 0, tzinfo=UTC)),
    }


def test_a_schedule_keeps_the_time_of_its_zone_when_the_clocks_change() -> None:
    in_berlin = job_at("0 23 * * 0", timezone="Europe/Berlin")
    assert in_berlin.next_due(datetime(2026, 10, 20, tzinfo=UTC)) == datetime(2026, 10, 25, 22, 0, tzinfo=UTC)
    assert in_berlin.next_due(datetime(2026, 10, 14, tzinfo=UTC)) == datetime(2026, 10, 18, 21, 0, tzinfo=UTC)


def test_of_several_that_are_due_the_one_due_for_longest_comes_first_and_each_once() -> None:
    score, load = job_at("0 23 * * 0"), job_at("30 22 * * 0", "load")
    before = SUNDAY_NIGHT - timedelta(weeks=3)
    served = Served({score: before, load: before})
    order = []
    while (found := served.due(SUNDAY_NIGHT + timedelta(hours=1))) is not None:
        order.append(found)
        served.until[found[1]] = found[0]
    # three weeks went by: each runs once, for the newest of them
    assert order == [(SUNDAY_NIGHT - timedelta(minutes=30), load), (SUNDAY_NIGHT, score)]
    assert served.due(SUNDAY_NIGHT + timedelta(days=6)) is None
    assert served.due(SUNDAY_NIGHT + timedelta(days=7)) == (SUNDAY_NIGHT - timedelta(minutes=30) + timedelta(weeks=1), load)


def test_a_clock_that_ran_a_year_ahead_and_was_set_right_delays_nothing_for_a_year() -> None:
    score = job_at("0 23 * * 0")
    served = Served({score: SUNDAY_NIGHT + timedelta(days=364)})
    assert served.due(SUNDAY_NIGHT - timedelta(days=2)) is None
    assert served.due(SUNDAY_NIGHT + timedelta(minutes=1)) == (SUNDAY_NIGHT, score)


def test_a_clock_set_back_by_a_second_starts_nothing_twice() -> None:
    score = job_at("0 23 * * 0")
    served = Served({score: SUNDAY_NIGHT})
    assert served.due(SUNDAY_NIGHT - timedelta(seconds=1)) is None
    assert served.due(SUNDAY_NIGHT) is None


def test_all_deployments_that_are_no_command_with_cron_are_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "prefect.yaml"
    file.write_text(
        "deployments:\n"
        "- {name: often, entrypoint: 'flows/score.py:score_flow', schedules: [{interval: 600}]}\n"
        "- {name: strange, entrypoint: 'flows/score.py:score', schedules: [{cron: '0 1 * * *'}]}\n"
        "- {name: misspelt, entrypoint: 'flows/load.py:load_flow', schedules: [{cron: '99 1 * * *'}]}\n"
        "- {name: switched off, entrypoint: 'flows/load.py:load_flow', schedules: [{cron: '0 1 * * *', active: false}]}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as refused:
        read_jobs(file)
    assert [name for name in ("often", "strange", "misspelt", "switched off") if f"deployment '{name}'" in refused.value.message] == [
        "often",
        "strange",
        "misspelt",
    ]
    with pytest.raises(ConfigurationError, match="no deployments can be read"):
        read_jobs(tmp_path / "missing.yaml")
