"""Cells as a test writes them down: weeks counted back from one Sunday."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from contracts.weeks import last_week

AS_OF = date(2019, 9, 29)


def week(weeks_ago: int) -> date:
    """The Monday of a week; 0 is the last known one, below 0 lies ahead.

    >>> week(0), week(-1)
    (datetime.date(2019, 9, 23), datetime.date(2019, 9, 30))
    """
    return last_week(AS_OF) - timedelta(weeks=weeks_ago)


def cell(retailer_id: str, sku_id: str, weeks_ago: int, delivered: float, *, true: float | None = None, **more: object) -> dict[str, Any]:
    """One retailer-SKU-week: an open one whose delivery was the demand, unless ``more`` says otherwise."""
    row = {"retailer_id": retailer_id, "sku_id": sku_id, "week_start": week(weeks_ago), "delivered_units": delivered}
    row |= {"true_units": delivered if true is None else true, "lower_units": delivered, "upper_units": delivered}
    return row | {"censoring": "none"} | more


def closed(retailer_id: str, sku_id: str, weeks_ago: int, delivered: float = 0.0) -> dict[str, Any]:
    """One week in which the pair could not order."""
    return cell(retailer_id, sku_id, weeks_ago, delivered, lower_units=0.0, upper_units=None, censoring="stockout")


def at_cap(retailer_id: str, sku_id: str, weeks_ago: int, delivered: float, true: float) -> dict[str, Any]:
    """One week at a cap."""
    return cell(retailer_id, sku_id, weeks_ago, delivered, true=true, upper_units=None, cap_units=delivered, censoring="cap")
