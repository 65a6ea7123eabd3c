"""Counties that the tests look at, made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo.county import County, CountyFacts, write_county


@dataclass(frozen=True)
class Written:
    """A county as it lies on disk, and what the simulator said of it."""

    county: County
    folder: Path
    facts: CountyFacts

    def table(self, name: str) -> pa.Table:
        """Read an input table as written."""
        return pq.read_table(self.folder / "input" / f"{name}.parquet")

    def rows(self, name: str) -> pd.DataFrame:
        """Read an input table, dates as datetime64."""
        return _with_times(self.table(name))

    def truth(self, name: str) -> pd.DataFrame:
        """Read a truth table, dates as datetime64."""
        return _with_times(pq.read_table(self.folder / "truth" / f"{name}.parquet"))

    def delivered_weeks(self) -> pd.Series:
        """Delivered units by retailer_id, sku_id, week_start."""
        lines = self.rows("order_lines")
        week_start = lines["ordered_on"] - pd.to_timedelta(lines["ordered_on"].dt.day_of_week, unit="D")
        return lines.groupby(["retailer_id", "sku_id", week_start.rename("week_start")])["delivered_units"].sum()


def _with_times(rows: pa.Table) -> pd.DataFrame:
    fields = [pa.field(f.name, pa.timestamp("us") if pa.types.is_date(f.type) else f.type) for f in rows.schema]
    timed: pd.DataFrame = rows.cast(pa.schema(fields)).to_pandas()
    return timed


def _write(county: County, folder: Path) -> Written:
    return Written(county, folder, write_county(county, folder))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return _write(County.small(7), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return _write(County.full(7), tmp_path_factory.mktemp("full"))
