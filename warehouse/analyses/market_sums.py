"""Which sums and ratios make the market indicators, whatever the period and whatever they are counted by?

Each part stands after ``cells``, ``lines`` or ``shelves``: rows with ``item`` (what is counted by) and ``period_start``.
"""

from __future__ import annotations

SUMS = """
sums AS (
    SELECT
        item, period_start,
        sum(delivered_units) AS units,
        sum(CASE WHEN delivered_units > 0 THEN 1 ELSE 0 END) AS orders,
        sum(CASE WHEN delivered_units > 0 AND censoring IN ('cap', 'band') THEN 1 ELSE 0 END) AS orders_at_cap,
        sum(CASE WHEN delivered_units > 0 AND (censoring IN ('cap', 'band') OR cap_units IS NOT NULL) THEN 1 ELSE 0 END) AS limited_orders,
        sum(CASE WHEN delivered_units > 0 AND cap_units IS NOT NULL THEN delivered_units END) AS capped_units,
        sum(CASE WHEN delivered_units > 0 THEN cap_units END) AS cap_units,
        sum(true_units) AS true_units,
        sum(CASE WHEN true_units IS NOT NULL THEN delivered_units END) AS known_units,
        sum(CASE WHEN true_units IS NOT NULL THEN least(delivered_units, true_units) END) AS met_units
    FROM cells
    GROUP BY item, period_start
),
requests AS (
    SELECT item, period_start, sum(delivered_units) AS delivered_units, sum(requested_units) AS requested_units
    FROM lines
    WHERE requested_units IS NOT NULL
    GROUP BY item, period_start
)"""

REORDERS = """
buyers AS (
    SELECT
        item, period_start, retailer_id,
        CAST(period_start + INTERVAL '{step}' AS DATE) AS next_start,
        count(DISTINCT ordered_on) AS order_days
    FROM lines
    WHERE delivered_units > 0
    GROUP BY item, period_start, retailer_id
),
buying AS (
    SELECT item, period_start, count(*) AS ordering_retailers, sum(CASE WHEN order_days > 1 THEN 1 ELSE 0 END) AS twice
    FROM buyers
    GROUP BY item, period_start
),
earlier AS (
    SELECT item, next_start, count(*) AS ordering_retailers FROM buyers GROUP BY item, next_start
),
again AS (
    SELECT before.item, before.next_start, count(*) AS retailers
    FROM buyers AS before
    JOIN buyers AS after
        ON after.item = before.item AND after.period_start = before.next_start AND after.retailer_id = before.retailer_id
    GROUP BY before.item, before.next_start
)"""

STOCK = """
last_shelves AS (
    SELECT item, period_start, max(week_start) AS last_week FROM shelves GROUP BY item, period_start
),
stock AS (
    SELECT
        shelves.item, shelves.period_start,
        sum(shelves.sold_units) AS sold_units,
        sum(shelves.stock_units) AS stock_units,
        sum(CASE WHEN shelves.week_start = last_shelves.last_week THEN shelves.stock_units END) AS last_stock_units
    FROM shelves
    JOIN last_shelves ON last_shelves.item = shelves.item AND last_shelves.period_start = shelves.period_start
    GROUP BY shelves.item, shelves.period_start
)"""

INDICATORS = """
    requests.delivered_units / nullif(requests.requested_units, 0) AS fulfilment_of_requested,
    sums.met_units / nullif(sums.true_units, 0) AS fulfilment_of_true_demand,
    CAST(sums.orders_at_cap AS DOUBLE PRECISION) / nullif(sums.orders, 0) AS share_at_cap_of_orders,
    CAST(sums.orders_at_cap AS DOUBLE PRECISION) / nullif(sums.limited_orders, 0) AS share_at_cap_of_limited_orders,
    sums.capped_units / nullif(sums.cap_units, 0) AS cap_utilisation_of_ordering,
    sums.capped_units / nullif(allocated.allocated_units, 0) AS cap_utilisation_of_allocated,
    buying.ordering_retailers, licensed.licensed_retailers, active.active_retailers,
    CAST(buying.ordering_retailers AS DOUBLE PRECISION) / nullif(licensed.licensed_retailers, 0) AS ordering_share_of_licensed,
    CAST(buying.ordering_retailers AS DOUBLE PRECISION) / nullif(active.active_retailers, 0) AS ordering_share_of_active,
    CAST(again.retailers AS DOUBLE PRECISION) / nullif(earlier.ordering_retailers, 0) AS reorder_rate_next_period,
    CAST(buying.twice AS DOUBLE PRECISION) / nullif(buying.ordering_retailers, 0) AS reorder_rate_within_period,
    sums.true_units - sums.known_units AS demand_gap_units,
    sums.true_units - sums.met_units AS unmet_units,
    stock.last_stock_units / nullif(stock.sold_units, 0) AS stock_to_sales_at_end,
    stock.stock_units / nullif(stock.sold_units, 0) AS stock_to_sales_mean"""
