"""What do the commands of operations do: those that schedulers and the keepers of models run, beside the main job of ``flows.cli``?

Everything that takes long to import is imported inside the commands, after the environment is set.
"""

from __future__ import annotations

from getpass import getuser
from pathlib import Path
from typing import Annotated, Literal

import typer

from contracts.weeks import parse_as_of, parse_day, parse_last_day
from flows.command_options import Accept, Config, begin_server, ready, today
from flows.console import console_for_results

operations = typer.Typer()

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="demand or churn.")]
VersionNumber = Annotated[str | None, typer.Argument(metavar="[VERSION]", help="Its number, as `uncap models` lists it.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence: it is kept with the decision.")]
User = Annotated[str | None, typer.Option("--user", metavar="NAME", help="Who decides. [default: the user of this system]")]


@operations.command()
def backfill(
    config: Config = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day of the span; --missing finds it.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day of the span, else the newest due.")] = None,
    models: Annotated[
        Literal["champion", "as-of"], typer.Option("--models", help="Those that score today, or those of when each was new.")
    ] = "champion",
    missing: Annotated[bool, typer.Option("--missing", help="Leave out the Sundays that were scored.")] = False,
) -> None:
    """Score the Sundays of a span one after another; one that fails does not keep the others from being scored."""
    settings, span = ready(config), (parse_day(first, "--from"), parse_day(last, "--to"))
    begin_server()
    from flows.backfill import backfill as run_backfill

    run_backfill(settings, *span, models=models, only_missing=missing)


@operations.command()
def serve(
    config: Config = None,
    schedules: Annotated[
        Path | None, typer.Option("--schedules", metavar="FILE", help="Deployments and their times, else prefect.yaml.")
    ] = None,
) -> None:
    """Run each command at its time until told to end, without a Prefect server; one that was missed runs at once."""
    settings = ready(config)
    from flows.schedules import DEPLOYMENTS, read_jobs
    from flows.serve import serve as run_serve

    run_serve(settings, read_jobs(schedules or DEPLOYMENTS), config)


@operations.command()
def monitor(
    config: Config = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="A Sunday that was scored. [default: the newest]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON document instead of lines.")] = False,
    page: Annotated[Path | None, typer.Option("--page", metavar="FILE", help="HTML file to write, with the past of each measure.")] = None,
    fail_on: Annotated[
        Literal["watch", "alert"] | None, typer.Option("--fail-on", help="Exit with 1 where anything has this status or a graver one.")
    ] = None,
) -> None:
    """Hold matured forecasts against what came, tell what moved, and print the few exceptions, the gravest first."""
    settings, cut_off = ready(config), parse_as_of(as_of, today())
    begin_server()
    from flows.monitor import fail_on as fail_on_status
    from flows.monitor import monitor as run_monitor
    from flows.monitor_page import write_page
    from flows.monitor_summary import as_json, print_monitored

    monitored = run_monitor(settings, cut_off)
    if page is not None:
        write_page(settings, monitored, page)
    if json:
        print(as_json(monitored))
    else:
        print_monitored(monitored, console_for_results())
    if fail_on is not None:
        fail_on_status(monitored, fail_on)


@operations.command()
def models(
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="demand or churn. [default: both]")] = None,
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON document instead of tables.")] = False,
    card: Annotated[str | None, typer.Option("--card", metavar="VERSION", help="Print the card of this version, as Markdown.")] = None,
) -> None:
    """List the versions of each model, which of them scores, how each was judged, and who decided what."""
    settings = ready(config)
    from flows.models_table import as_json, list_models, print_models, read_cards

    if card is not None:
        print("\n".join(read_cards(settings, card, model)))
    elif json:
        print(as_json(list_models(settings, model)))
    else:
        print_models(list_models(settings, model), console_for_results())


@operations.command()
def promote(model: ModelName, reason: Reason, version: VersionNumber = None, user: User = None, config: Config = None) -> None:
    """Make a version the champion, the challenger if none is named; training may replace it again."""
    settings = ready(config)
    from flows.lifecycle import model_named
    from flows.lifecycle import promote as run_promote

    print(run_promote(settings, model_named(model), version, by=user or getuser(), why=reason))


@operations.command()
def rollback(model: ModelName, reason: Reason, user: User = None, config: Config = None) -> None:
    """Make the champion before this one champion again."""
    settings = ready(config)
    from flows.lifecycle import model_named, roll_back

    print(roll_back(settings, model_named(model), by=user or getuser(), why=reason))


@operations.command()
def pin(model: ModelName, reason: Reason, version: VersionNumber = None, user: User = None, config: Config = None) -> None:
    """Keep training from replacing the champion; with a version, make that one champion first."""
    settings = ready(config)
    from flows.lifecycle import model_named
    from flows.lifecycle import pin as run_pin

    print(run_pin(settings, model_named(model), version, by=user or getuser(), why=reason))


@operations.command()
def unpin(model: ModelName, reason: Reason, user: User = None, config: Config = None) -> None:
    """Let training replace the champion again."""
    settings = ready(config)
    from flows.lifecycle import model_named
    from flows.lifecycle import unpin as run_unpin

    print(run_unpin(settings, model_named(model), by=user or getuser(), why=reason))


@operations.command()
def migrate(
    config: Config = None,
    backed_up: Annotated[
        bool, typer.Option("--backed-up", help="There is a backup of the database server; of a file a copy is kept anyway.")
    ] = False,
) -> None:
    """Bring the schema of the warehouse up to this version; a file is brought up by the first command that opens it, too."""
    settings = ready(config)
    from flows.migrate import migrate as run_migrate

    print(run_migrate(settings, backed_up=backed_up))


@operations.command()
def grants(
    config: Config = None,
    role: Annotated[str, typer.Option("--role", metavar="NAME", help="The role that reads.")] = "uncap_planner",
    raw: Annotated[bool, typer.Option("--raw", help="Let it read the input tables too.")] = False,
    show: Annotated[
        bool, typer.Option("--print", help="Print SQL for an administrator instead: roles, database and least privileges.")
    ] = False,
) -> None:
    """Make a role of PostgreSQL that reads the scores and analyses and nothing else; UNCAP_PLANNER_PASSWORD gives it a password."""
    settings = ready(config)
    from flows.grants import grants as run_grants
    from flows.grants import print_granted, statements_for_an_administrator

    if show:
        print(*statements_for_an_administrator(settings, role, reads_inputs=raw), sep="\n")
    else:
        print_granted(run_grants(settings, role, reads_inputs=raw), console_for_results())


@operations.command()
def check(
    config: Config = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Last day known, or today for yesterday. [default: that of the newest order]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON document instead of a table.")] = False,
    accept: Accept = None,
) -> None:
    """Check what is loaded as train and score do before they begin; ends with 3 where they would stop."""
    settings = ready(config, accept)
    begin_server()
    from flows.check import check as run_check
    from flows.check_table import shown_findings

    run_check(settings, parse_last_day(as_of, today()), shown_findings(settings.data_checks.accept, as_json=json))
