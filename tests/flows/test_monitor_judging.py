"""Whether findings become few exceptions, gravest first, that know since when they last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from flows.monitor_judging import Finding, Past, exceptions_of, judge, monitoring_rows, past_of
from flows.monitor_persistence import persistent_measures
from flows.settings import Settings
from models.estimates import Estimate, Measured

FIRST = date(2025, 6, 1)
NOTHING = Past({}, {}, {})


def bias(value: float, kind: str = "all", part: str = "all", error: float = 0.01) -> Measured:
    return Measured("demand", "bias" if kind == "all" else "relative_bias", kind, part, Estimate(value, error, 1000))


def stored(weeks: Sequence[Sequence[Finding]]) -> pd.DataFrame:
    days = [FIRST + timedelta(weeks=week) for week in range(len(weeks))]
    rows: pd.DataFrame = pd.concat(
        [monitoring_rows(findings, day, f"run-{day}").to_pandas() for day, findings in zip(days, weeks, strict=True)]
    )
    return rows


def test_what_is_watched_three_weeks_in_a_row_becomes_an_alert_that_knows_since_when(settings: Settings) -> None:
    weeks: list[list[Finding]] = []
    for week, value in enumerate([0.0, -0.2, -0.2, -0.2]):
        day = FIRST + timedelta(weeks=week)
        past = past_of(stored(weeks), day, 13) if weeks else NOTHING
        weeks.append(judge([bias(value)], past, settings.monitoring, day))
    assert [week[0].status for week in weeks] == ["ok", "watch", "watch", "alert"]
    assert weeks[-1][0].since == FIRST + timedelta(weeks=1)


def test_a_week_within_bounds_ends_the_run(settings: Settings) -> None:
    weeks: list[list[Finding]] = []
    for week, value in enumerate([-0.2, -0.2, 0.0, -0.2]):
        day = FIRST + timedelta(weeks=week)
        past = past_of(stored(weeks), day, 13) if weeks else NOTHING
        weeks.append(judge([bias(value)], past, settings.monitoring, day))
    assert (weeks[-1][0].status, weeks[-1][0].since) == ("watch", FIRST + timedelta(weeks=3))


def test_a_sunday_that_was_not_monitored_ends_what_counts_in_a_row(settings: Settings) -> None:
    rows, last = pd.DataFrame({"as_of": []}), FIRST + timedelta(weeks=3)
    for day in (FIRST, FIRST + timedelta(weeks=1), last):
        past = past_of(rows, day, 13) if len(rows) else NOTHING
        measured = [bias(-0.2), bias(-0.35, "district", "Mill", error=0.075)]
        measured += persistent_measures(measured, past, settings.monitoring)
        found = judge(measured, past, settings.monitoring, day)
        rows = pd.concat([rows, monitoring_rows(found, day, f"run-{day}").to_pandas()])
    assert (found[0].status, found[0].since) == ("watch", last)
    added_up = rows[(rows.measure == "persistent_bias") & (rows.slice_value == "Mill")].set_index("as_of").value
    assert added_up[last] == added_up[FIRST] > added_up[FIRST + timedelta(weeks=1)]


def test_many_parts_out_of_bounds_are_one_exception_that_names_the_worst(settings: Settings) -> None:
    measured = [bias(-0.5, "district", "Mill"), bias(-0.6, "district", "Hill"), bias(0.0, "district", "Gate"), bias(-0.2)]
    exceptions = exceptions_of(judge(measured, NOTHING, settings.monitoring, FIRST), 10)
    assert [(each.status, each.measure, each.others) for each in exceptions] == [("alert", "relative_bias", 1), ("watch", "bias", 0)]
    assert exceptions[0].finding.startswith("district Hill: forecasts -60 % against what came")
    assert "To do: " in exceptions[0].sentence


def test_there_are_no_more_exceptions_than_asked_for(settings: Settings) -> None:
    measured = [bias(-0.5, kind, "x") for kind in ("district", "tier", "velocity", "cap")] + [bias(-0.5)]
    assert len(exceptions_of(judge(measured, NOTHING, settings.monitoring, FIRST), 3)) == 3


def test_only_the_whole_of_a_model_asks_for_a_training(settings: Settings) -> None:
    rows = monitoring_rows(judge([bias(-0.5), bias(-0.5, "district", "Mill")], NOTHING, settings.monitoring, FIRST), FIRST, "run")
    assert rows.select(["measure", "retrains", "status"]).to_pylist() == [
        {"measure": "bias", "retrains": True, "status": "alert"},
        {"measure": "relative_bias", "retrains": False, "status": "alert"},
    ]


def test_a_loss_is_held_against_the_weeks_before_once_there_are_enough(settings: Settings) -> None:
    loss = Measured("demand", "pinball_loss", "all", "all", Estimate(0.5, 0.0, 1000))
    few, enough = (Past({loss.key: [0.3] * weeks}, {}, {}) for weeks in (3, 4))
    assert judge([loss], few, settings.monitoring, FIRST)[0].bounds.upper is None
    assert judge([loss], enough, settings.monitoring, FIRST)[0].status == "alert"


def test_a_bias_too_small_to_prove_in_a_week_is_proven_by_the_second(settings: Settings) -> None:
    weeks: list[list[Finding]] = []
    for week, value in enumerate([0.1, 0.0, -0.35, -0.35]):
        day = FIRST + timedelta(weeks=week)
        past = past_of(stored(weeks), day, 13) if weeks else NOTHING
        measured = [bias(value, "district", "Mill", error=0.075)]
        measured += persistent_measures(measured, past, settings.monitoring)
        weeks.append(judge(measured, past, settings.monitoring, day))
    assert [[finding.status for finding in week] for week in weeks] == [["ok", "ok"], ["ok", "ok"], ["ok", "ok"], ["ok", "watch"]]
    assert "district Mill: forecasts off the same way in a row (-35 % on average in 2 weeks)" in weeks[-1][1].message


def test_a_harmless_bias_never_adds_up_however_exact_it_is(settings: Settings) -> None:
    measured = [bias(-0.15, "district", "Mill", error=0.001)]
    past = Past({}, {measured[0].key: [(-0.15, 0.001)] * 12}, {})
    assert persistent_measures(measured, past, settings.monitoring)[0].estimate.value == 0.0
