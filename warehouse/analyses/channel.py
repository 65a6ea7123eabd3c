"""How do the channels perform, month by month and against the year before?"""

from __future__ import annotations

from warehouse.analyses.money import MARGIN_ESTIMATE, MARGIN_SUMS

# A retailer counts as licensed in a month when it was so on any day of it; without dates, always.
CHANNEL_MONTH = f"""
WITH placed AS (
    SELECT coalesce(register.channel, '') AS channel, line.*
    FROM analysis.priced_lines AS line
    LEFT JOIN raw.retailers AS register ON register.retailer_id = line.retailer_id
),
orders AS (
    SELECT channel, month_start, count(*) AS orders
    FROM (SELECT DISTINCT channel, month_start, retailer_id, ordered_on FROM placed) AS retailer_days
    GROUP BY channel, month_start
),
counted AS (
    SELECT channel, month_start, count(DISTINCT retailer_id) AS ordering_retailers, count(DISTINCT sku_id) AS skus,{MARGIN_SUMS}
    FROM placed
    GROUP BY channel, month_start
),
sums AS (
    SELECT counted.*, {MARGIN_ESTIMATE} AS margin_estimated FROM counted
),
months AS (
    SELECT DISTINCT month_start, CAST(month_start + INTERVAL '1 month' AS DATE) AS next_month FROM sums
),
licensed AS (
    SELECT coalesce(register.channel, '') AS channel, months.month_start, count(*) AS licensed_retailers
    FROM raw.retailers AS register
    JOIN months
        ON (register.opened_on IS NULL OR register.opened_on < months.next_month)
        AND (register.closed_on IS NULL OR register.closed_on >= months.month_start)
    GROUP BY 1, months.month_start
)
SELECT
    sums.channel, sums.month_start, licensed.licensed_retailers, sums.ordering_retailers, orders.orders, sums.skus,
    sums.units,
    sums.units / nullif(sum(sums.units) OVER (PARTITION BY sums.month_start), 0) AS share_of_units,
    sums.money,
    sums.money / nullif(sum(sums.money) OVER (PARTITION BY sums.month_start), 0) AS share_of_money,
    sums.margin_estimated,
    sums.units / nullif(sums.ordering_retailers, 0) AS units_per_ordering_retailer,
    sums.money / nullif(orders.orders, 0) AS money_per_order,
    before.units AS units_year_before,
    sums.units / nullif(before.units, 0) - 1 AS units_growth
FROM sums
JOIN orders ON orders.channel = sums.channel AND orders.month_start = sums.month_start
LEFT JOIN licensed ON licensed.channel = sums.channel AND licensed.month_start = sums.month_start
LEFT JOIN sums AS before ON before.channel = sums.channel AND before.month_start = CAST(sums.month_start - INTERVAL '1 year' AS DATE)
"""

CHANNEL_VIEWS = {"channel_month": CHANNEL_MONTH}
