"""Where the buy-till-you-die models' rows come from: how often every retailer ordered again, when last, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

import ibis.expr.types as ir
import pandas as pd

from contracts.cells import CELLS, RECOVERED
from contracts.weeks import require_sunday
from features.cells import with_true_units
from features.churn_history import retailer_weeks
from features.repeat_orders import repeat_orders
from warehouse.session import Warehouse
from warehouse.statements import Statement, compiled
from warehouse.tables import contract_table, fetch_for


def fetch_order_histories(con: Warehouse, days: Sequence[date]) -> pd.DataFrame:
    """Return one row per Sunday and retailer that had ordered by it, those that stopped too; cells must be built.

    Returns
    -------
    pandas.DataFrame
        as_of (date), retailer_id, and what ``features.repeat_orders`` gives.
    """
    statement = order_history_statement()
    fetched = [fetch_for(con, statement, {"as_of": require_sunday(day)}).to_pandas().assign(as_of=day) for day in days]
    histories: pd.DataFrame = pd.concat(fetched, ignore_index=True)
    return histories


@cache
def order_history_statement() -> Statement:
    """Return the statement of the order histories as of one day, compiled when it is asked for first."""

    def histories(as_of: date) -> ir.Table:
        cells = with_true_units(contract_table(CELLS), contract_table(RECOVERED), as_of)
        return repeat_orders(retailer_weeks(cells, as_of), as_of).order_by("retailer_id")

    return compiled(histories, "as_of")
