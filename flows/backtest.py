"""How good the models would have been: trained as of several past Sundays, each judged on the eight weeks after it.

Quantiles are calibrated as time goes by (rolling conformal): what the model of an origin missed in the eight weeks after it is known by
the next origin, and corrects the model of that one. One model more, of eight weeks before the earliest origin, begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from contracts.errors import InputDataError, UsageError
from contracts.scored import QUANTILES
from contracts.steps import in_parts
from contracts.weeks import HORIZONS, parse_as_of
from flows.backtest_findings import ChurnFindings, Findings, by_origin, judge_demand
from flows.backtest_page import backtest_page
from flows.backtest_rows import JudgedOrigin, Surroundings, fetch_surroundings, judge_forecasts
from flows.backtest_summary import print_backtest
from flows.churn_rows import churn_origins
from flows.console import Say, narrated
from flows.country import calendar_of, with_calendar
from flows.demand_rows import gather_rows, training_cut_offs
from flows.deriving import fetch_censored, learn_recovery, recover_as_of
from flows.environment import prepare
from flows.locations import PROJECT_FOLDER
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import choose_as_of, recorded_run
from flows.register_churn import churn_calibration
from flows.rival_forecasts import beside, column_of, read_rivals
from flows.settings import Settings, read_settings
from flows.timing import Stopwatch
from flows.tracking import tracked_run
from flows.train_churn import gather_churn, train_churn
from flows.train_demand import JudgedWeeks, demand_settings, fetch_held_out, learn_calibration
from flows.training import History, derive_history
from flows.write_lock import warehouse_lock
from models.demand import DemandModel, fit_demand
from models.demand_calibration import Calibration
from models.evaluation import FORECASTS, compare_forecasts

ORIGIN_SPACING = timedelta(weeks=len(HORIZONS))

DEFAULT_PAGE = PROJECT_FOLDER / "data" / "backtest.html"


def backtest(
    settings: Settings, as_of: date | None, origins: int, *, rivals: Sequence[Path] = (), page: Path = DEFAULT_PAGE
) -> pd.DataFrame:
    """Train and judge as of several past Sundays, eight weeks apart, and write a page about it.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are, and how to train.
    as_of
        Nothing later counts; None for the newest Sunday.
    origins
        How many.
    rivals
        Parquet files with forecasts of others, see ``flows.rival_forecasts``.
    page
        HTML file to write.

    Returns
    -------
    pandas.DataFrame
        One row per origin and forecast: ``origin`` (date), ``forecast`` and ``models.breakdown.MEASURES``.

    Raises
    ------
    InputDataError
        If the history is too short for the earliest origin, or a rival's file is faulty.
    UsageError
        If there is no folder to write the page to.
    """
    if page.is_dir() or not page.parent.is_dir():
        raise UsageError(
            f"{page}: cannot be written: its folder is missing, or it is one", hint="give --page a file in a folder that exists"
        )
    return in_flow("backtest", backtest_steps, settings, as_of, origins, rivals, page)


@named_flow("backtest")
def backtest_flow(config: str | None = None, as_of: str | None = None, origins: int = 4) -> None:
    """Run a backtest as a deployment does."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    backtest_steps(settings, parse_as_of(as_of, datetime.now(UTC).date()), origins, (), DEFAULT_PAGE)


def backtest_steps(settings: Settings, as_of: date | None, origins: int, rivals: Sequence[Path], page: Path) -> pd.DataFrame:
    """Run a backtest inside a Prefect flow, record it and show it."""
    with recorded_run(settings, flow="backtest", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("backtest", run) as say:
        as_of = run.as_of = with_retries(choose_as_of, settings)(settings, as_of)
        history = with_retries(fetch_history, settings)(settings, as_of, say)
        sundays = past_origins(settings, history, origins)
        theirs = read_rivals(rivals, sundays)
        with tracked_run(settings, f"backtest {as_of}", {"as_of": as_of.isoformat(), "uncap_run_id": run.run_id}) as tracked:
            judged = judge_origins(settings, history, sundays, say)
            churn = with_retries(judge_churn, settings)(settings, history, origins, say)
            findings = draw_findings(as_of, judged, theirs, churn)
            tracked.log_metrics({**findings.demand.metrics(), **churn.figures})
            for name, document in findings.demand.documents().items():
                tracked.log_document(name, document)
            written = backtest_page(findings)
            tracked.log_page("backtest.html", written)
            page.write_text(written, encoding="utf-8")
    comparison = by_origin(findings.demand)
    shown = [{str(name): value for name, value in row.items()} for row in comparison.to_dict(orient="records")]
    show_key_figures("uncap-backtest", shown, f"Forecasts of {origins} past origins against what came.")
    print_backtest(findings, page)
    return comparison


def judge_origins(settings: Settings, history: History, origins: Sequence[date], say: Say) -> dict[date, JudgedOrigin]:
    """Judge the origins from the earliest on: what one missed calibrates the next."""
    judged: dict[date, JudgedOrigin] = {}
    calibration = with_retries(calibrate_earliest, settings)(settings, history, min(origins), say)
    for origin in sorted(origins):
        judged[origin] = with_retries(judge_origin, settings)(settings, history, origin, calibration, say)
        calibration = judged[origin].calibration
    return judged


def draw_findings(as_of: date, judged: Mapping[date, JudgedOrigin], rivals: pd.DataFrame, churn: ChurnFindings) -> Findings:
    """Measure all origins together, with the rivals beside; what a rival does not name is a forecast of 0."""
    names = sorted(rivals.name.unique())
    columns = {name: column_of(name) for name in names}
    joined = beside(pd.concat([origin.weeks for origin in judged.values()], ignore_index=True), rivals)
    totals = pd.concat([origin.totals for origin in judged.values()], ignore_index=True)
    covered = {name: float(joined[column].notna().mean()) for name, column in columns.items()}
    filled = joined.fillna(dict.fromkeys(columns.values(), 0.0))
    forecasts = {name: name for name in FORECASTS} | columns
    return Findings(as_of, list(judged), list(forecasts), covered, judge_demand(filled, totals, forecasts), churn)


def past_origins(settings: Settings, history: History, origins: int) -> list[date]:
    """Return the Sundays to forecast from, newest first.

    Raises
    ------
    InputDataError
        If there is nothing to train on before the earliest.
    """
    sundays = [history.as_of - (k + 1) * ORIGIN_SPACING for k in range(origins)]
    for position, sunday in enumerate(sundays):
        if not training_cut_offs(settings, sunday, history.first_week):
            fault = f"raw.order_lines.ordered_on: too short a history before {sunday}; expected half a year before origin {position + 1}"
            raise InputDataError(
                [fault],
                hint=f"ask for at most {position} origins, or load older orders" if position else "load older orders",
            )
    return sundays


@named_task("derive cells")
def fetch_history(settings: Settings, as_of: date, say: Say) -> History:
    """Build the cells of all that is loaded."""
    with warehouse_lock(settings, "write", "backtest"), open_warehouse(settings) as con:
        return derive_history(con, settings, as_of, say)


@named_task("calibrate the earliest origin")
def calibrate_earliest(settings: Settings, history: History, earliest: date, say: Say) -> Calibration | None:
    """Train as of eight weeks before the earliest origin, and learn from the weeks up to it; None where the history is too short."""
    before = earliest - ORIGIN_SPACING
    if not training_cut_offs(settings, before, history.first_week):
        say(f"warning: as of {earliest}: too short a history to calibrate quantiles; there is no forecast of eight weeks together")
        return None
    model, judged, _ = _trained(settings, history, before, earliest, say)
    forecasts = judged.forecast(model, settings.demand.lightgbm.num_threads)
    return learn_calibration(model, forecasts, judged.unseen, settings.demand.seed)


@named_task("train and judge as of a past Sunday")
def judge_origin(settings: Settings, history: History, origin: date, calibration: Calibration | None, say: Say) -> JudgedOrigin:
    """Train on what was known as of a past Sunday, forecast, and compare with what came."""
    model, held_out, around = _trained(settings, history, origin, history.as_of, say)
    calibrated = replace(model, calibration=calibration)
    judged = judge_forecasts(calibrated, held_out, around, settings.demand.lightgbm.num_threads, settings.demand.seed)
    figures = compare_forecasts(judged.weeks, QUANTILES)
    losses = " · ".join(f"{name} {figures[f'{name}.pair_8w_wape_loss']:.3f}" for name in FORECASTS)
    say(f"as of {origin}: {losses} (WAPE of a pair's eight weeks)")
    return judged


def _trained(settings: Settings, history: History, origin: date, known: date, say: Say) -> tuple[DemandModel, JudgedWeeks, Surroundings]:
    """Train on what was known as of a past Sunday, and return what came in the eight weeks after it, as far as ``known`` tells."""
    with warehouse_lock(settings, "write", "backtest"), open_warehouse(settings) as con:
        settings = with_calendar(settings, calendar_of(con, settings, origin))
        cut_offs = training_cut_offs(settings, origin, history.first_week)
        censored = fetch_censored(con, settings, known)
        recovery = learn_recovery(settings, censored, origin, say)
        recover_as_of(con, settings, censored, in_parts([known, origin, *cut_offs], "recovering as of cut-offs", say), recovery)
        rows = gather_rows(con, settings, cut_offs, origin, origin, history.attributes, say)
        held_out = fetch_held_out(con, settings, origin, known, history.attributes)
        around = fetch_surroundings(con, held_out.pairs, origin)
    return fit_demand(rows.early, rows.space, demand_settings(settings), say), held_out, around


@named_task("judge the churn model on past origins")
def judge_churn(settings: Settings, history: History, origins: int, say: Say) -> ChurnFindings:
    """Train churn on early origins and judge it on the last ones; no figures where the history is too short."""
    with warehouse_lock(settings, "write", "backtest"), open_warehouse(settings) as con:
        censored = fetch_censored(con, settings, history.as_of)
        recovery = learn_recovery(settings, censored, history.as_of - ORIGIN_SPACING, say)
        recover_as_of(con, settings, censored, churn_origins(settings, history.as_of, history.first_week), recovery)
        rows = gather_churn(con, settings, history.as_of, history.first_week, history.attributes, say)
    if rows.empty:
        say("warning: churn: no origin with a known outcome")
        return ChurnFindings({}, None)
    trained = train_churn(rows, settings, history.as_of, history.attributes, Stopwatch(), test_origins=origins)
    if trained.note:
        say(f"warning: churn: {trained.note}")
    return ChurnFindings({f"churn.{name}": value for name, value in trained.figures.items()}, churn_calibration(trained))
