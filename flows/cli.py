"""What each command of ``uncap`` does, and which exit code it ends with.

Everything that takes long to import is imported inside the commands, after the environment is set.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer

from contracts.errors import UncapError
from contracts.weeks import parse_as_of, parse_week
from flows.command_options import Accept, AsOf, Config, begin_server, ready, today
from flows.console import console_for_results, print_crash, print_failure, print_what_cannot_be_encoded, table_of, tell
from flows.locations import DEMO_CONFIG
from flows.operations_cli import operations

app = typer.Typer(
    name="uncap",
    help="True demand and churn for wholesalers who ration: what each retailer would have ordered had nothing capped it.",
    epilog="Exit codes: 0 success, 2 bad usage or configuration, 3 bad input data, 1 any other failure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(operations)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 success, 2 bad usage or configuration, 3 bad input data, 1 anything else.

    Parameters
    ----------
    arguments
        Words after ``uncap``; those of the process if None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    print_what_cannot_be_encoded()
    try:
        app(args=words, prog_name="uncap")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except UncapError as error:
        print_failure(error)
        if _debugging(words):
            print_crash(error, with_traceback=True)
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted", "error")
        return 130
    except OSError as error:
        # of the system, not of uncap: a full disk, a file that may not be written, an address that cannot be bound
        print_failure(
            UncapError(f"{type(error).__name__}: {error}", hint="free space, or mend the rights on what it names; --debug says where")
        )
        if _debugging(words):
            print_crash(error, with_traceback=True)
        return 1
    except Exception as error:  # noqa: BLE001 - the last place where a failure can be told in plain words
        print_crash(error, with_traceback=_debugging(words))
        return 1
    return 0


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"uncap {version('uncap')}")
        raise typer.Exit


@app.callback()
def uncap(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of a failure; UNCAP_DEBUG=1 does the same.")] = False,
) -> None:
    """Options before the command."""


@app.command()
def demo(
    config: Config = None,
    small: Annotated[bool, typer.Option("--small", help="A county of 120 shops, for a first look.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated county.")] = 1,
) -> None:
    """Make a small simulated county, load it, train, score, and say where to look."""
    settings = ready(config or DEMO_CONFIG)
    begin_server()
    from flows.demo import demo as run_demo

    run_demo(settings, small=small, seed=seed)


@app.command()
def load(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with one Parquet or CSV file per input table.")],
    config: Config = None,
    replace: Annotated[bool, typer.Option("--replace", help="Let order lines that are stored get other values.")] = False,
) -> None:
    """Check the input tables of a folder and load them; loading the same rows twice changes nothing."""
    settings = ready(config)
    begin_server()
    from flows.load import load as run_load
    from flows.load import row_of

    loads = run_load(settings, folder, replace=replace)
    rows = [row_of(table) for table in loads]
    columns = list(rows[0]) if rows else []
    console_for_results().print(table_of("Loaded", columns, [list(row.values()) for row in rows], numbers=columns[1:]))


@app.command()
def train(
    config: Config = None,
    as_of: AsOf = None,
    if_due: Annotated[bool, typer.Option("--if-due", help="Train only where a champion is old or left its bounds.")] = False,
    accept: Accept = None,
) -> None:
    """Train the demand and churn models, and promote each only if it beats the current champion."""
    settings, cut_off = ready(config, accept), parse_as_of(as_of, today())
    begin_server()
    from flows.train import train as run_train

    run_train(settings, cut_off, if_due=if_due)


@app.command()
def score(
    config: Config = None,
    as_of: AsOf = None,
    models: Annotated[
        Literal["champion", "as-of"],
        typer.Option("--models", help="Those that score today, or those that did when that Sunday was the newest."),
    ] = "champion",
    accept: Accept = None,
) -> None:
    """Score with the champions and write the scored tables; running it twice leaves the same tables."""
    settings, cut_off = ready(config, accept), parse_as_of(as_of, today())
    begin_server()
    from flows.score import score as run_score

    run_score(settings, cut_off, models)


@app.command()
def backtest(
    config: Config = None,
    as_of: AsOf = None,
    origins: Annotated[int, typer.Option("--origins", min=1, help="How many past cut-offs to forecast from.")] = 4,
    rival: Annotated[
        list[Path] | None,
        typer.Option("--rival", metavar="FILE", help="Parquet file with another's forecasts; may be given several times."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="HTML file to write. [default: data/backtest.html of the project]")
    ] = None,
) -> None:
    """Evaluate the models and the baselines from several past cut-offs, and write a page about it."""
    settings, cut_off = ready(config), parse_as_of(as_of, today())
    begin_server()
    from flows.backtest import DEFAULT_PAGE
    from flows.backtest import backtest as run_backtest

    run_backtest(settings, cut_off, origins, rivals=rival or (), page=page or DEFAULT_PAGE)


@app.command()
def tune(
    config: Config = None,
    as_of: AsOf = None,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.1, help="No trial begins after so many minutes; one under way is finished.")
    ] = 30.0,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, metavar="N", help="At most so many trials. [default: as time allows]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="TOML file to write. [default: data/tuned.toml of the project]")
    ] = None,
) -> None:
    """Search better settings of the demand model; the same command again goes on where the last one stopped."""
    settings, cut_off = ready(config), parse_as_of(as_of, today())
    begin_server()
    from flows.tune import DEFAULT_OUT
    from flows.tune import tune as run_tune

    run_tune(settings, cut_off, minutes=minutes, trials=trials, config=config, out=out or DEFAULT_OUT)


@app.command()
def run(config: Config = None, as_of: AsOf = None, accept: Accept = None) -> None:
    """Train, then score."""
    settings, cut_off = ready(config, accept), parse_as_of(as_of, today())
    begin_server()
    from flows.score import score as run_score
    from flows.train import train as run_train

    run_train(settings, cut_off)
    run_score(settings, cut_off)


@app.command()
def explain(
    retailer: Annotated[str, typer.Argument(metavar="RETAILER", help="A retailer_id.")],
    sku: Annotated[str, typer.Argument(metavar="SKU", help="A sku_id.")],
    config: Config = None,
    week: Annotated[str | None, typer.Option("--week", metavar="DATE", help="Monday of one forecast week. [default: all eight]")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="A Sunday that was scored. [default: the newest]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON document instead of tables.")] = False,
) -> None:
    """Take a published forecast apart into units that add up to it, and list the caps behind what was recovered."""
    settings, cut_off, monday = ready(config), parse_as_of(as_of, today()), parse_week(week)
    from flows.explain import explain as run_explain
    from flows.explanation_text import as_json, print_explanation

    explanation = run_explain(settings, (retailer, sku), cut_off, monday)
    if json:
        print(as_json(explanation))
    else:
        print_explanation(explanation, console_for_results())


@app.command()
def worklist(
    config: Config = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="A Sunday that was scored. [default: the newest]")] = None,
    name: Annotated[
        str | None, typer.Option("--list", metavar="NAME", help="key_account, at_risk, win_back or mistaken_lost. [default: all four]")
    ] = None,
    capacity: Annotated[
        int | None, typer.Option("--capacity", min=1, metavar="N", help="At most so many retailers of a list. [default: all on it]")
    ] = None,
    file: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="CSV file to write for a spreadsheet.")] = None,
) -> None:
    """Print whom to contact: key accounts with a warning, retailers at risk, lost ones to win back, and silent ones that are not lost."""
    settings, cut_off = ready(config), parse_as_of(as_of, today())
    from flows.work_list_table import print_work_lists, read_work_lists, write_csv

    lists = read_work_lists(settings, cut_off, name, capacity)
    if file is not None:
        rows = write_csv(lists, file)
        tell(f"{rows:,} retailers written to {file}")
    print_work_lists(lists, console_for_results())


@app.command()
def reclassify(
    config: Config = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="A Sunday that was scored. [default: the newest]")] = None,
) -> None:
    """Classify every retailer again as of a Sunday that was scored, with the overrides loaded since, and audit that."""
    settings, cut_off = ready(config), parse_as_of(as_of, today())
    begin_server()
    from flows.reclassify import reclassify as run_reclassify

    run_reclassify(settings, cut_off)


@app.command()
def status(
    config: Config = None, json: Annotated[bool, typer.Option("--json", help="Print a JSON document instead of tables.")] = False
) -> None:
    """Tell what is loaded, which models are champions, and when each flow last ran and how it ended."""
    settings = ready(config)
    from flows.status import as_json, print_status, read_status

    found = read_status(settings)
    if json:
        print(as_json(found))
    else:
        print_status(found, console_for_results())


@app.command()
def features(config: Config = None) -> None:
    """List the features that the models see, with what each measures."""
    ready(config)
    from features.churn import ATTRIBUTE_FEATURES, churn_features
    from features.demand import DEMAND_FEATURES

    console = console_for_results()
    for model, described in (
        ("Demand model", DEMAND_FEATURES),
        ("Churn model", churn_features([feature.name for feature in ATTRIBUTE_FEATURES])),
    ):
        rows = [(feature.name, feature.group, feature.description) for feature in described]
        console.print(table_of(f"{model}: {len(rows)} features", ["feature", "factor", "what it measures"], rows), "")


def _debugging(words: Sequence[str]) -> bool:
    return "--debug" in words or os.environ.get("UNCAP_DEBUG", "") not in ("", "0")
