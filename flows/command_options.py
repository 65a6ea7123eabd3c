"""Which options do all commands share, and how does a command get its settings?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

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


def ready(config: Path | None) -> Settings:
    """Read the settings and set the environment; comes before every heavy import."""
    settings = read_settings(config)
    prepare(settings)
    require_openmp()
    return settings


def today() -> date:
    """Return the day it is, UTC."""
    return datetime.now(UTC).date()
