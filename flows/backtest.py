"""How good the models would have been: trained as of several past Sundays, each judged on the eight weeks after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from contracts.errors import InputDataError
from contracts.scored import QUANTILES
from contracts.weeks import HORIZONS, parse_as_of
from flows.churn_rows import churn_origins
from flows.console import Say, console_for_results, narrated, table_of
from flows.demand_rows import gather_rows, training_cut_offs
from flows.deriving import recover_as_of
from flows.environment import prepare
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import choose_as_of, recorded_run
from flows.settings import Settings, read_settings
from flows.timing import Stopwatch
from flows.tracking import tracked_run
from flows.train_churn import gather_churn, train_churn
from flows.train_demand import demand_settings, fetch_held_out
from flows.training import History, derive_history
from models.demand import fit_demand
from models.evaluation import FORECASTS, compare_forecasts

ORIGIN_SPACING = timedelta(weeks=len(HORIZONS))
MEASURES = ("pair_8w_wape_loss", "sku_week_wape_loss", "sku_8w_wape_loss", "bias", "pinball_loss")


def backtest(settings: Settings, as_of: date | None, origins: int) -> pd.DataFrame:
    """Train and judge as of several past Sundays, eight weeks apart.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are, and how to train.
    as_of
        Nothing later counts; None for the newest Sunday.
    origins
        How many.

    Returns
    -------
    pandas.DataFrame
        One row per origin and forecast, the figures of ``compare_forecasts``.

    Raises
    ------
    InputDataError
        If the history is too short for the earliest origin.
    """
    return in_flow("backtest", backtest_steps, settings, as_of, origins)


@named_flow("backtest")
def backtest_flow(config: str | None = None, as_of: str | None = None, origins: int = 4) -> None:
    """Run a backtest as a deployment does."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    backtest_steps(settings, parse_as_of(as_of, datetime.now(UTC).date()), origins)


def backtest_steps(settings: Settings, as_of: date | None, origins: int) -> pd.DataFrame:
    """Run a backtest inside a Prefect flow, record it and show it."""
    with recorded_run(settings, flow="backtest", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("backtest") as say:
        as_of = run.as_of = with_retries(choose_as_of, settings)(settings, as_of)
        history = with_retries(fetch_history, settings)(settings, as_of, say)
        sundays = past_origins(settings, history, origins)
        with tracked_run(settings, f"backtest {as_of}", {"as_of": as_of.isoformat(), "uncap_run_id": run.run_id}) as tracked:
            rows = [with_retries(judge_origin, settings)(settings, history, origin, say) for origin in sundays]
            comparison = pd.concat(rows, ignore_index=True)
            churn = with_retries(judge_churn, settings)(settings, history, origins, say)
            tracked.log_document("demand.json", comparison.to_dict(orient="records"))
            means = comparison.groupby("forecast")[list(MEASURES)].mean()
            tracked.log_metrics({f"{name}.{measure}": float(means[measure][name]) for name in FORECASTS for measure in MEASURES} | churn)
    shown = [{str(name): value for name, value in row.items()} for row in comparison.to_dict(orient="records")]
    show_key_figures("uncap-backtest", shown, f"Forecasts of {origins} past origins against what came.")
    print_backtest(comparison, churn)
    return comparison


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
    with open_warehouse(settings) as con:
        return derive_history(con, settings, as_of, say)


@named_task("train and judge as of a past Sunday")
def judge_origin(settings: Settings, history: History, origin: date, say: Say) -> pd.DataFrame:
    """Train on what was known as of a past Sunday, forecast, and compare with what came."""
    with open_warehouse(settings) as con:
        cut_offs = training_cut_offs(settings, origin, history.first_week)
        recover_as_of(con, settings, [history.as_of, origin, *cut_offs])
        rows = gather_rows(con, settings, cut_offs, origin, origin, history.attributes)
        held_out = fetch_held_out(con, settings, origin, history.as_of, history.attributes)
    model = fit_demand(rows.early, rows.space, demand_settings(settings))
    figures = compare_forecasts(held_out.judge(model, settings.demand.lightgbm.num_threads), QUANTILES)
    compared = [
        {"origin": origin, "forecast": name, **{measure: figures[f"{name}.{measure}"] for measure in MEASURES}} for name in FORECASTS
    ]
    losses = " · ".join(f"{row['forecast']} {row['pair_8w_wape_loss']:.3f}" for row in compared)
    say(f"as of {origin}: {losses} (WAPE of a pair's eight weeks)")
    return pd.DataFrame(compared)


@named_task("judge the churn model on past origins")
def judge_churn(settings: Settings, history: History, origins: int, say: Say) -> dict[str, float]:
    """Train churn on early origins and judge it on the last ones; no figures where the history is too short."""
    with open_warehouse(settings) as con:
        recover_as_of(con, settings, churn_origins(settings, history.as_of, history.first_week))
        rows = gather_churn(con, settings, history.as_of, history.first_week, history.attributes)
    if rows.empty:
        say("warning: churn: no origin with a known outcome")
        return {}
    trained = train_churn(rows, settings, history.as_of, history.attributes, Stopwatch(), test_origins=origins)
    if trained.note:
        say(f"warning: churn: {trained.note}")
    return {f"churn.{name}": value for name, value in trained.figures.items()}


def print_backtest(comparison: pd.DataFrame, churn: dict[str, float]) -> None:
    """Print the figures by origin and forecast, then those of churn by horizon."""
    console = console_for_results()
    columns = ["origin", "forecast", *(measure.removesuffix("_loss").replace("_", " ") for measure in MEASURES)]
    console.print(
        table_of("Demand: lower is better, bias below 0 is too little", columns, comparison.to_numpy().tolist(), numbers=columns[2:]), ""
    )
    metrics = ("auc_score", "average_precision_score", "brier_skill_score", "calibration_loss", "top_decile_lift_score")
    rows = [
        [f"{horizon} weeks", name, *(churn.get(f"churn.{name}.{metric}_{horizon}w") for metric in metrics)]
        for horizon in (4, 8, 13, 26)
        for name in ("model", "recency")
        if f"churn.{name}.brier_loss_{horizon}w" in churn
    ]
    if rows:
        names = ["no order in", "forecast", *(metric.removesuffix("_score").replace("_", " ") for metric in metrics)]
        console.print(table_of("Churn: the model against the weeks since the last order", names, rows, numbers=names[2:]))
