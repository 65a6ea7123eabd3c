"""Which data checks are there, and what does each ask? Without anything that is slow to import: the settings name them."""

from __future__ import annotations

CHECKS = {
    "late_days": "days at the end on which orders are usual and none is loaded",
    "missing_days": "days in between on which orders are usual and none is loaded",
    "weekly_volume": "order lines of the newest seven days against those of the weeks before and the same week of last year",
    "daily_volume": "order lines of each of these days against the same weekday before",
    "duplicate_lines": "lines that are there again under other ids",
    "implausible_lines": "lines of over a hundred times the usual size",
    "line_sizes": "units of a line against what is usual of its SKU",
    "prices": "money per unit against what is usual of the SKU",
    "unknown_retailers": "lines of retailers that are not in the register",
    "unknown_skus": "lines of SKUs that are not in the register",
    "new_retailers": "lines of retailers that never ordered before",
    "new_skus": "lines of SKUs that were never ordered before",
    "closed_retailers": "lines of retailers after their last day",
    "delisted_skus": "lines of SKUs after their last day on sale",
    "silent_districts": "districts that ordered every week and do not now",
    "silent_skus": "SKUs that were ordered every week and are not now, with no stock-out",
    "above_requested": "lines that delivered more than was requested",
    "above_cap": "retailer-SKU-weeks above their cap",
    "missing_limits": "limits of the newest week, where every week before had them",
    "zero_caps": "share of the limits of the newest week that are caps of 0",
    "caps_without_orders": "orders of the SKUs that have a cap this week, against those of the weeks before",
    "far_limits": "limits of weeks far ahead",
    "missing_supply": "supply of the newest week, where every week before had it",
}
"""Every check by name, with what it looks at. Thresholds and their reasons stand where each is judged, and in docs/data_checks.md."""
