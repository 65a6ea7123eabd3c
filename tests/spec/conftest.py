"""What the rules of a week are read with: tables as text, and the cells that raw rows make."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from features.cells import retailer_sku_weeks
from tests.statements import Rows, Statement


@pytest.fixture(scope="session")
def cells_of() -> Callable[..., Rows]:
    """Cells of raw rows, one keyword per raw table, in the order of their keys."""
    return Statement(retailer_sku_weeks, "order_lines", "retailers", "skus", "allocation_limits", "supply").rows


@pytest.fixture(scope="session")
def rows_of() -> Callable[[str], Rows]:
    """Rows of a text table by the names in its first line: ``.`` is null, numbers are numbers, ``|`` is for the reader."""

    def rows(table: str) -> Rows:
        lines = [line.replace("|", " ").split() for line in table.strip().splitlines()]
        return [dict(zip(lines[0], map(_value, line), strict=True)) for line in lines[1:]]

    return rows


def _value(text: str) -> str | float | None:
    if text == ".":
        return None
    return float(text) if text.replace(".", "").isdigit() else text
