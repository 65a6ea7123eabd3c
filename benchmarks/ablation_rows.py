"""What is a row of an ablation, and how is a county made for it?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from demo.county import County, write_county
from flows.deriving import build_cells
from warehouse.connection import connect
from warehouse.load import load_folder
from warehouse.session import Warehouse

KEY = ["retailer_id", "sku_id", "week_start"]
COLUMNS = ("county", "where", "recovery", "orders", "bias", "wape_loss")


@dataclass(frozen=True)
class AblationRow:
    """How well one way of recovery found the true demand of some orders.

    Attributes
    ----------
    county, where, recovery
        In words: what is simulated, which orders are judged, and what recovery does.
    orders
        Judged.
    bias, wape_loss
        Of true demand, relative to its sum.
    """

    county: str
    where: str
    recovery: str
    orders: int
    bias: float
    wape_loss: float

    def cells(self) -> list[object]:
        """Return the row as printed."""
        return [self.county, self.where, self.recovery, self.orders, round(self.bias, 4), round(self.wape_loss, 4)]


@contextmanager
def loaded(county: County) -> Iterator[tuple[Warehouse, pd.DataFrame]]:
    """Simulate a county and load it; gives the warehouse with its cells, and the true demand."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_county(county, folder)
        truth = pd.read_parquet(folder / "truth" / "weekly_demand.parquet")
        with connect(str(folder / "warehouse.duckdb"), threads=2, memory_limit="2GB") as con:
            load_folder(con, folder / "input", on_step=lambda _: None)
            build_cells(con)
            yield con, truth.assign(week_start=pd.to_datetime(truth.week_start))


def judged(county: str, where: str, recovery: str, estimates: pd.DataFrame, truth: pd.DataFrame, column: str = "true_units") -> AblationRow:
    """Hold estimates against the truth; a week that is not in it had no demand."""
    named = estimates.astype({"retailer_id": str, "sku_id": str}).merge(truth, how="left", on=KEY)
    wanted = named.demand_units.fillna(0.0).to_numpy(dtype=float)
    error = named[column].to_numpy(dtype=float) - wanted
    total = max(float(wanted.sum()), 1e-9)
    return AblationRow(county, where, recovery, len(named), float(error.sum()) / total, float(np.abs(error).sum()) / total)
