"""What a person wants to read after the demo: how near the truth it came, who is at risk, and where to look."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from rich.console import Console

from contracts.cells import CELLS
from contracts.customers import ASSIGNMENTS, WORK_LIST, WORK_LISTS
from contracts.errors import WarehouseError
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, TRUE_DEMAND
from contracts.weeks import HORIZONS, PAIR_WEEKS, target_week
from demo.county import CountyFacts
from flows.console import table_of
from flows.locations import database_of
from flows.opening import open_warehouse
from flows.settings import Settings
from models.metrics import bias, grouped_wape_loss, wape_loss
from warehouse.addresses import shown
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

KEY = ["retailer_id", "sku_id", "week_start"]
SHOWN_RETAILERS = 5


def print_summary(settings: Settings, folder: Path, as_of: date, facts: CountyFacts, console: Console) -> None:
    """Print the summary of a demo that has been scored as of a Sunday."""
    truth = pq.read_table(folder / "truth" / "weekly_demand.parquet").to_pandas()
    with open_warehouse(settings) as con:
        recovery = _recovery_rows(con, as_of, truth)
        forecast = _forecast_rows(con, as_of, truth)
        at_risk = _at_risk_rows(con, as_of)
        lists = _list_rows(con, as_of)
    console.print(
        f"\nA county of {facts.rows['retailers']:,} retailers and {facts.rows['skus']} SKUs,"
        f" {facts.rows['order_lines']:,} order lines up to {as_of}."
        f"\nLimits stopped {facts.share_of_orders_at_cap:.0%} of the orders and hid {facts.share_of_demand_lost:.0%} of the demand.\n"
    )
    console.print(
        table_of("Demand in the weeks that a cap, a band cap or a floor hid, against the truth", *recovery, numbers=recovery[0][1:]), ""
    )
    console.print(table_of(f"Forecast of the true demand of the 8 weeks after {as_of}", *forecast, numbers=forecast[0][1:]), "")
    console.print(table_of("Retailers most at risk", *at_risk, numbers=at_risk[0][1:3]), "")
    console.print(table_of("Work lists", *lists, numbers=lists[0][1:]), "")
    console.print("Where to look")
    for what, where in _places(settings, folder):
        console.print(f"  {what:<10} {where}", soft_wrap=True)


def _recovery_rows(con: Warehouse, as_of: date, truth: pd.DataFrame) -> tuple[list[str], list[list[object]]]:
    stored = contract_table(TRUE_DEMAND)
    estimates = fetch(con, stored.filter(stored.as_of == as_of).select(*KEY, "delivered_units", "true_units", "censoring")).to_pandas()
    cells = estimates.merge(truth, how="left", on=KEY).fillna({"demand_units": 0.0})
    rows: list[list[object]] = []
    for name in ("cap", "band", "floor"):
        part = cells[cells.censoring == name]
        if len(part) and part.demand_units.sum() > 0:
            actual = part.demand_units.to_numpy(dtype=float)
            taken, recovered = part.delivered_units.to_numpy(), part.true_units.to_numpy()
            rows.append(
                [
                    name,
                    len(part),
                    _percent(bias(actual, taken)),
                    _percent(bias(actual, recovered)),
                    wape_loss(actual, taken),
                    wape_loss(actual, recovered),
                ]
            )
    return ["hidden by", "weeks", "bias: orders as demand", "bias: uncap", "WAPE: orders as demand", "WAPE: uncap"], rows


def _forecast_rows(con: Warehouse, as_of: date, truth: pd.DataFrame) -> tuple[list[str], list[list[object]]]:
    """Pairs with a history: the naive forecasts have nothing to say of the others, and take orders for demand."""
    stored = contract_table(DEMAND_FORECAST)
    forecast = fetch(
        con, stored.filter(stored.as_of == as_of, stored.method == "history").select(*KEY, "horizon_weeks", "mean_units")
    ).to_pandas()
    cells = contract_table(CELLS)
    since = target_week(as_of, 1) - timedelta(weeks=PAIR_WEEKS)
    orders = fetch(con, cells.filter(cells.week_start >= since).select(*KEY, "delivered_units")).to_pandas()
    year_before = orders.assign(week_start=orders.week_start + timedelta(weeks=PAIR_WEEKS)).rename(columns={"delivered_units": "naive"})
    recent = orders[orders.week_start > as_of - timedelta(weeks=13)].groupby(KEY[:2]).delivered_units.sum().div(13).rename("recent")
    weeks = forecast.merge(truth, how="left", on=KEY).merge(year_before, how="left", on=KEY).join(recent, on=KEY[:2])
    weeks = weeks.fillna({"demand_units": 0.0, "naive": 0.0, "recent": 0.0})
    actual, pair = weeks.demand_units.to_numpy(dtype=float), [weeks.retailer_id, weeks.sku_id]
    rows: list[list[object]] = []
    for name, column in (
        ("uncap", "mean_units"),
        ("same weeks last year, as ordered", "naive"),
        ("mean of the last 13 weeks, as ordered", "recent"),
    ):
        units = weeks[column].to_numpy(dtype=float)
        sku = grouped_wape_loss(actual, units, [weeks.sku_id, weeks.horizon_weeks])
        rows.append([name, _percent(bias(actual, units)), grouped_wape_loss(actual, units, pair), sku])
    if set(weeks.horizon_weeks) != set(HORIZONS):
        found = sorted(set(weeks.horizon_weeks))
        raise WarehouseError(f"scored.demand_forecast.horizon_weeks: {found}; expected 1 to 8", hint="run `uncap score` again")
    return ["forecast", "bias", "WAPE: pair over 8 weeks", "WAPE: SKU and week"], rows


def _at_risk_rows(con: Warehouse, as_of: date) -> tuple[list[str], list[list[object]]]:
    stored = contract_table(CHURN_SCORE)
    scores = fetch(con, stored.filter(stored.as_of == as_of)).to_pandas().sort_values("margin_at_risk", ascending=False)
    columns = ["retailer", "no order in 13 weeks", "margin at risk", "band", "why"]
    rows: list[list[object]] = [
        [row.retailer_id, f"{row.p_churn_13w:.0%}", round(row.margin_at_risk), row.risk_band, row.reason_1]
        for row in scores.head(SHOWN_RETAILERS).itertuples()
    ]
    return columns, rows


def _list_rows(con: Warehouse, as_of: date) -> tuple[list[str], list[list[object]]]:
    stored = contract_table(WORK_LIST)
    listed = fetch(con, stored.filter(stored.as_of == as_of).select("list", "assignment", "expected_margin_saved")).to_pandas()
    contacts, left_alone = (listed[listed.assignment == assignment] for assignment in ASSIGNMENTS)
    rows: list[list[object]] = [
        [name, int((contacts.list == name).sum()), int((left_alone.list == name).sum()), round(saved)]
        for name in WORK_LISTS
        for saved in [contacts.expected_margin_saved[contacts.list == name].sum()]
    ]
    return ["list", "to contact", "left alone", "margin saved, expected"], rows


def _places(settings: Settings, folder: Path) -> list[tuple[str, str]]:
    database, file = database_of(settings.tracking.uri), database_of(settings.warehouse.url)
    stored, client = (_relative(file), "DuckDB") if file else (shown(settings.warehouse.url), "PostgreSQL")
    return [
        ("tables", f"{stored} (schemas scored, analysis; any {client} client, or `uncap status`)"),
        ("lists", "uncap worklist"),
        ("MLflow", f"mlflow ui --backend-store-uri {'sqlite:///' + _relative(database) if database else shown(settings.tracking.uri)}"),
        ("county", f"{_relative(folder)} (input/ as loaded, truth/ as it was)"),
    ]


def _relative(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.as_posix()


def _percent(share: float) -> str:
    return f"{share:+.1%}"
