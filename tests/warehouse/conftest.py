"""A warehouse of its own for each test, and a folder to put input tables into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.connection import connect
from warehouse.load import TableLoad, load_folder
from warehouse.session import Warehouse

ORDERS = """
line_id, retailer_id, sku_id, ordered_on, delivered_units, requested_units, amount
L1,      R1,          S1,     2019-09-02, 6,               ,                30.0
L2,      R2,          S1,     2019-09-03, 12,              20,              60.5
L3,      R1,          S2,     2019-09-09, 0,               4,
"""


def without_padding(table: str) -> str:
    """Turn a table that is aligned for the reader into CSV."""
    lines = [line for line in table.strip().splitlines() if line.strip()]
    return "\n".join(",".join(cell.strip() for cell in line.split(",")) for line in lines) + "\n"


@dataclass
class InputFolder:
    """A folder of input tables, and what loading it said."""

    path: Path
    con: Warehouse
    steps: list[str] = field(default_factory=list)

    def csv(self, name: str, table: str) -> InputFolder:
        (self.path / f"{name}.csv").write_text(without_padding(table))
        return self

    def bytes(self, file_name: str, content: bytes) -> InputFolder:
        (self.path / file_name).write_bytes(content)
        return self

    def parquet(self, name: str, columns: dict[str, Any]) -> InputFolder:
        pq.write_table(pa.table(columns), self.path / f"{name}.parquet")
        return self

    def load(self, *, replace: bool = False) -> dict[str, TableLoad]:
        self.steps.clear()
        return {load.table: load for load in load_folder(self.con, self.path, replace=replace, on_step=self.steps.append)}

    def rows(self, table: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.con.query(f"SELECT * FROM raw.{table} ORDER BY ALL").to_pylist()
        return rows

    @property
    def warnings(self) -> list[str]:
        return [step for step in self.steps if step.startswith("warning:")]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A warehouse that does not exist yet."""
    return str(tmp_path / "warehouse.duckdb")


@pytest.fixture
def con(url: str) -> Iterator[Warehouse]:
    """An empty warehouse."""
    with connect(url, threads=2, memory_limit="1GB") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path, con: Warehouse) -> InputFolder:
    """An empty input folder beside an empty warehouse."""
    path = tmp_path / "input"
    path.mkdir()
    return InputFolder(path, con)


@pytest.fixture
def new_folder(tmp_path: Path, con: Warehouse) -> Callable[[], InputFolder]:
    """More input folders for the same warehouse, each empty."""

    def make() -> InputFolder:
        path = tmp_path / f"input{len(list(tmp_path.glob('input*')))}"
        path.mkdir()
        return InputFolder(path, con)

    return make


@pytest.fixture
def orders() -> str:
    """Three order lines of two retailers and two SKUs, as an aligned table."""
    return ORDERS
