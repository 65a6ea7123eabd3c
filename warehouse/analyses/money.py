"""What is an order line worth: its money, cost and margin, and the week and month it belongs to?"""

from __future__ import annotations

# Where a line has no amount, list price times units stands for it, as in features/margin.py.
PRICED_LINES = """
WITH valued AS (
    SELECT
        line.line_id, line.retailer_id, line.sku_id, line.ordered_on, line.delivered_units, line.requested_units,
        coalesce(sku.brand, '') AS brand,
        coalesce(sku.category, '') AS category,
        coalesce(line.amount, line.delivered_units * sku.unit_price) AS money,
        line.delivered_units * sku.unit_cost AS cost
    FROM raw.order_lines AS line
    LEFT JOIN raw.skus AS sku ON sku.sku_id = line.sku_id
)
SELECT
    line_id, retailer_id, sku_id, brand, category, ordered_on,
    CAST(date_trunc('week', ordered_on) AS DATE) AS week_start,
    CAST(date_trunc('month', ordered_on) AS DATE) AS month_start,
    delivered_units, requested_units, money, cost, money - cost AS margin
FROM valued
"""

MARGIN_SUMS = """
        sum(delivered_units) AS units,
        sum(money) AS money,
        sum(margin) AS margin_known,
        sum(CASE WHEN margin IS NOT NULL THEN money END) AS money_with_cost"""
"""Sums over priced lines from which `MARGIN_ESTIMATE` follows."""

MARGIN_ESTIMATE = "money * CASE WHEN money_with_cost > 0 THEN margin_known / money_with_cost END"
"""Margin of a group: its SKUs without a known cost are taken to bring the same share of the money as the others."""

NEWEST = "newest AS (SELECT max(ordered_on) AS newest_on FROM raw.order_lines)"
"""The day that the windows of the views end with."""

LAST_YEAR = "ordered_on > newest.newest_on - 364"
"""Condition on lines: within the 52 weeks that end with the newest day."""

MONEY_VIEWS = {"priced_lines": PRICED_LINES}
