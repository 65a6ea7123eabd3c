"""The whole of uncap on a simulated county, whose true demand is known: make it, load it, train, score, and tell how well it went."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from contracts.errors import UsageError
from contracts.raw import ORDER_LINES, RETAILERS
from contracts.steps import counted
from demo.county import County, write_county
from flows.console import console_for_results, narrated
from flows.demo_summary import print_summary
from flows.load import load_steps
from flows.locations import PROJECT_FOLDER
from flows.opening import open_warehouse
from flows.orchestration import in_flow
from flows.score import score_steps
from flows.settings import Settings
from flows.train import train_steps
from warehouse.addresses import shown
from warehouse.tables import contract_table, fetch

COUNTY_FOLDER = PROJECT_FOLDER / "data" / "demo"


def demo(settings: Settings, *, small: bool, seed: int) -> None:
    """Make a county and run load, train and score on it, then print what came of it.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are.
    small
        A county of 120 shops instead of 3,637.
    seed
        Of the county.

    Raises
    ------
    UsageError
        If the warehouse holds orders of somebody else.
    """
    county = County.small(seed) if small else County.full(seed)
    folder = COUNTY_FOLDER / f"{'small' if small else 'full'}-{seed}"
    with narrated("demo") as say:
        facts = write_county(county, folder)
        lines = facts.rows[ORDER_LINES.name]
        say(counted(lines, f"order lines of {facts.rows[RETAILERS.name]:,} retailers simulated"))
        require_own_warehouse(settings, folder)
    in_flow("demo", demo_steps, settings, folder, county)
    print_summary(settings, folder, county.as_of, facts, console_for_results())


def demo_steps(settings: Settings, folder: Path, county: County) -> None:
    """Load, train and score the county inside one Prefect flow."""
    load_steps(settings, folder / "input", replace=False)
    train_steps(settings, county.as_of)
    score_steps(settings, county.as_of)


def require_own_warehouse(settings: Settings, folder: Path) -> None:
    """Refuse to mix a simulated county with other orders.

    Raises
    ------
    UsageError
        If the warehouse holds a retailer that the county does not have.
    """
    own = set(pq.read_table(folder / "input" / f"{RETAILERS.name}.parquet", columns=["retailer_id"])["retailer_id"].to_pylist())
    with open_warehouse(settings) as con:
        stored = fetch(con, contract_table(ORDER_LINES).select("retailer_id").distinct())["retailer_id"].to_pylist()
    strangers = [retailer for retailer in stored if retailer not in own]
    if strangers:
        raise UsageError(
            f"{shown(settings.warehouse.url)}: holds orders of {len(strangers):,} retailers that are not of this county,"
            f" such as {strangers[0]}",
            hint="give the demo a warehouse of its own: UNCAP_WAREHOUSE_URL=data/demo.duckdb UNCAP_TRACKING_URI=mlruns/demo uncap demo",
        )
