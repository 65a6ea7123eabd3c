"""Where does the margin come from: which retailers and SKUs, in which months, and how concentrated is it?"""

from __future__ import annotations

from warehouse.analyses.money import LAST_YEAR, MARGIN_ESTIMATE, MARGIN_SUMS, NEWEST

RETAILER_PROFIT_MONTH = f"""
WITH sums AS (
    SELECT retailer_id, month_start, count(DISTINCT ordered_on) AS orders,{MARGIN_SUMS}
    FROM analysis.priced_lines
    GROUP BY retailer_id, month_start
)
SELECT
    retailer_id, month_start, orders, units, money, margin_known,
    {MARGIN_ESTIMATE} AS margin_estimated,
    margin_known / nullif(money_with_cost, 0) AS margin_rate,
    coalesce(money_with_cost, 0) / nullif(money, 0) AS cost_known_share,
    money / nullif(orders, 0) AS money_per_order
FROM sums
"""

SKU_PROFIT_MONTH = f"""
WITH sums AS (
    SELECT sku_id, brand, category, month_start, count(DISTINCT retailer_id) AS retailers,{MARGIN_SUMS}
    FROM analysis.priced_lines
    GROUP BY sku_id, brand, category, month_start
)
SELECT
    sku_id, brand, category, month_start, retailers, units, money, margin_known AS margin,
    money / nullif(units, 0) AS money_per_unit,
    margin_known / nullif(money_with_cost, 0) AS margin_rate
FROM sums
"""

# Retailers of whose SKUs no cost is known are left out: the page says so.
PROFIT_CONCENTRATION = f"""
WITH {NEWEST},
sums AS (
    SELECT line.retailer_id,{MARGIN_SUMS}
    FROM analysis.priced_lines AS line
    CROSS JOIN newest
    WHERE {LAST_YEAR}
    GROUP BY line.retailer_id
),
valued AS (
    SELECT retailer_id, {MARGIN_ESTIMATE} AS margin_52w FROM sums
),
ranked AS (
    SELECT
        retailer_id, margin_52w,
        row_number() OVER (ORDER BY margin_52w DESC, retailer_id) AS place,
        count(*) OVER () AS retailers,
        sum(margin_52w) OVER () AS everybody,
        sum(margin_52w) OVER (ORDER BY margin_52w DESC, retailer_id ROWS UNBOUNDED PRECEDING) AS running
    FROM valued
    WHERE margin_52w IS NOT NULL
)
SELECT
    retailer_id, place, margin_52w,
    CASE WHEN everybody > 0 THEN margin_52w / everybody END AS margin_share,
    CAST(place AS DOUBLE PRECISION) / retailers AS retailers_so_far_share,
    CASE WHEN everybody > 0 THEN running / everybody END AS margin_so_far_share
FROM ranked
"""

PROFIT_VIEWS = {
    "retailer_profit_month": RETAILER_PROFIT_MONTH,
    "sku_profit_month": SKU_PROFIT_MONTH,
    "profit_concentration": PROFIT_CONCENTRATION,
}
