"""A market of a hundred shops for the tests of the work lists: some order every week, some stopped, and some only seem to have stopped."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from contracts.customers import RETAILER_SEGMENT
from contracts.scored import CHURN_SCORE
from flows.deriving import build_cells
from warehouse.load import load_folder
from warehouse.session import Warehouse

AS_OF = date(2024, 9, 29)
WEEKS = 130
STOPPED, STARVED, SEASONAL, CLOSED, REPLACED = "R-stopped", "R-starved", "R-seasonal", "R-closed", "R-replaced"
ACTIVE = [f"R{number:03d}" for number in range(100)]
KEYS = ACTIVE[:10]

# weeks ago of the first week without an order and of the last one, and the SKU
SILENCES = {
    STOPPED: ("S1", [(0, 12)]),
    STARVED: ("S2", [(0, 10)]),
    SEASONAL: ("S1", [(0, 11), (52, 64), (104, 116)]),
    CLOSED: ("S1", [(0, 12)]),
    REPLACED: ("S1", [(0, 12)]),
}


def write_listed_market(folder: Path) -> Path:
    """Write order lines of so many weeks, on Sundays, with registers, stock-outs and a few contacts."""
    folder.mkdir(parents=True)
    lines = ["line_id,retailer_id,sku_id,ordered_on,delivered_units,amount"]
    for ago in range(WEEKS):
        day = AS_OF - timedelta(weeks=ago)
        lines += [f"L{ago}-{name},{name},S1,{day},{1 + number % 7},{10 * (1 + number % 7)}" for number, name in enumerate(ACTIVE)]
        lines += [
            f"L{ago}-{name},{name},{sku},{day},50,500"
            for name, (sku, pauses) in SILENCES.items()
            if not any(first <= ago <= last for first, last in pauses)
        ]
        lines += [f"L{ago}-next,R-next,S1,{day},5,50"] if ago <= 9 else []
    closed_on = AS_OF - timedelta(weeks=11)
    registered = {CLOSED: f"{closed_on},", REPLACED: ",R-next"}
    retailers = ["retailer_id,name,account_manager,closed_on,successor_id"]
    retailers += [f"{name},Shop {name},M{len(name) % 2},{registered.get(name, ',')}" for name in [*ACTIVE, *SILENCES, "R-next"]]
    supply = ["week_start,sku_id,available_units"]
    supply += [f"{AS_OF - timedelta(days=6 + 7 * ago)},S2,0" for ago in range(10)]
    _write(folder / "order_lines.csv", lines)
    _write(folder / "retailers.csv", retailers)
    _write(folder / "skus.csv", ["sku_id,unit_cost,unit_price", "S1,8,10", "S2,8,10"])
    _write(folder / "supply.csv", supply)
    return folder


def load_into(con: Warehouse, folder: Path) -> None:
    """Load a folder and derive the cells anew."""
    load_folder(con, folder, on_step=lambda _step: None)
    build_cells(con)


def scores_of(as_of: date, p_churn_13w: float = 0.3, margin: float = 40.0) -> pd.DataFrame:
    """Scores of the active retailers; the first is the likeliest to stop."""
    falling = [p_churn_13w * (1 - 0.005 * number) for number in range(len(ACTIVE))]
    rows = pd.DataFrame({"retailer_id": ACTIVE, "p_churn_13w": falling, "weekly_margin": margin}).assign(
        as_of=as_of, p_decline_13w=None, reason_1="No order for 5 weeks", reason_2=None
    )
    return rows.reindex(columns=[*CHURN_SCORE.column_names, "weekly_margin"])


def segments_of(as_of: date) -> pd.DataFrame:
    """Segments of everybody: the first ten are key accounts."""
    names = [*ACTIVE, *SILENCES]
    rows = pd.DataFrame({"retailer_id": names, "value_class": ["key" if name in KEYS else "ordinary" for name in names]})
    rows = rows.assign(as_of=as_of, lifetime_value=1000.0, margin_52w=520.0)
    return rows.reindex(columns=list(RETAILER_SEGMENT.column_names))


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
