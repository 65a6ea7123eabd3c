"""Which rows of a table differ between two warehouses, beyond what the order of additions can do to a sum?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from warehouse.session import Warehouse
from warehouse.sql import listed, quoted

RELATIVE, ABSOLUTE = 1e-6, 1e-9
"""Sums are added in another order, so that their last digits differ, and so do those of whatever follows from them."""

OF_THE_RUN = ("run_id", "started_at", "finished_at", "checked_at", "host", "error")
"""Columns that tell one run from another."""


def differences(
    one: Warehouse, other: Warehouse, schema: str, name: str, keys: Sequence[str], *, relative: float = RELATIVE, but: Sequence[str] = ()
) -> list[str]:
    """Return in which columns a table or view differs, and the first row that does; empty where it is the same.

    Parameters
    ----------
    one, other
        The warehouses.
    schema, name, keys
        The table, and the columns that tell its rows apart; where there are none, all do.
    relative
        How far numbers may lie apart, as a share of the larger one.
    but
        Columns that are not compared.
    """
    here, there = (_rows(con, schema, name, [*OF_THE_RUN, *but]) for con in (one, other))
    if list(here.columns) != list(there.columns):
        return [f"columns {list(here.columns)} and {list(there.columns)}"]
    if len(here) != len(there):
        return [f"{len(here)} and {len(there)} rows"]
    by = [key for key in keys if key in here.columns] or list(here.columns)
    here, there = (rows.sort_values(by, kind="stable", ignore_index=True) for rows in (here, there))
    return [fault for column in here.columns for fault in _column_difference(here, there, column, by, relative)]


def _rows(con: Warehouse, schema: str, name: str, but: Sequence[str]) -> pd.DataFrame:
    source = f"{quoted(schema)}.{quoted(name)}"
    columns = [column for column in con.query(f"SELECT * FROM {source} LIMIT 0").column_names if column not in but]
    rows: pd.DataFrame = con.query(f"SELECT {listed(columns)} FROM {source}").to_pandas(date_as_object=False)
    # one database gives whole numbers of another width, or dates as timestamps
    wider = dict.fromkeys(rows.select_dtypes("number").columns, "float64")
    return rows.astype(wider)


def _column_difference(here: pd.DataFrame, there: pd.DataFrame, column: str, by: Sequence[str], relative: float) -> list[str]:
    left, right = here[column], there[column]
    if left.dtype == "float64" and right.dtype == "float64":
        same = np.isclose(left, right, rtol=relative, atol=ABSOLUTE, equal_nan=True)
    else:
        same = ((left == right) | (left.isna() & right.isna())).to_numpy(dtype=bool)
    if same.all():
        return []
    first = int(np.argmin(same))
    key = ", ".join(f"{name}={here[name].iloc[first]}" for name in by)
    return [f"{column}: {int((~same).sum())} of {len(same)} rows differ, first {left.iloc[first]!r} and {right.iloc[first]!r} at {key}"]
