"""Which options do all commands share, and how does a command get its settings?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import UsageError
from flows.data_check_settings import known_checks
from flows.environment import prepare, require_openmp
from flows.settings import Settings, read_settings

Config = Annotated[Path | None, typer.Option("--config", metavar="PATH", help="TOML file laid over conf/base.toml key by key.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Last day known: a Sunday, or today for the last one. [default: the last up to the newest order]",
    ),
]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="CHECK", help="Go on though this check of the data finds an error; may be given several times."),
]


def ready(config: Path | None, accept: Sequence[str] | None = None) -> Settings:
    """Read the settings, add what is accepted of the data checks, and set the environment; comes before every heavy import."""
    settings = _accepting(read_settings(config), accept or ())
    prepare(settings)
    require_openmp()
    return settings


def begin_server() -> None:
    """Let the Prefect server that a flow reports to start while the flow is imported; comes between ``ready`` and that import."""
    from flows.prefect_server import begin_server as begin

    begin()


def _accepting(settings: Settings, checks: Sequence[str]) -> Settings:
    try:
        accepted = known_checks([*settings.data_checks.accept, *checks])
    except ValueError as error:
        raise UsageError(f"--accept: {error}", hint="`uncap check` lists what each of them finds") from error
    return settings.model_copy(update={"data_checks": settings.data_checks.model_copy(update={"accept": accepted})})


def today() -> date:
    """Return the day it is, UTC."""
    return datetime.now(UTC).date()
