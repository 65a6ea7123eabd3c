"""How is the market, week by week and month by month: are orders filled, are caps used up, who orders, and what is still wanted?"""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.analyses.market_sums import INDICATORS, REORDERS, STOCK, SUMS

# A week in which a censored cell waits for its estimate is unknown as a whole: the cells that are known in it are those of low demand.
MARKET_CELLS = """
WITH unknown_weeks AS (
    SELECT DISTINCT cell.week_start
    FROM derived.cells AS cell
    LEFT JOIN scored.true_demand AS estimate
        ON estimate.retailer_id = cell.retailer_id AND estimate.sku_id = cell.sku_id AND estimate.week_start = cell.week_start
    WHERE cell.censoring IN ('cap', 'band', 'floor') AND estimate.true_units IS NULL
)
SELECT
    cell.retailer_id, cell.sku_id,
    coalesce(register.district, '') AS district,
    cell.week_start,
    CAST(date_trunc('month', cell.week_start) AS DATE) AS month_start,
    cell.delivered_units, cell.cap_units, cell.censoring,
    CASE
        WHEN cell.censoring = 'stockout' OR unknown_weeks.week_start IS NOT NULL THEN NULL
        ELSE coalesce(estimate.true_units, cell.delivered_units)
    END AS true_units
FROM derived.cells AS cell
LEFT JOIN raw.retailers AS register ON register.retailer_id = cell.retailer_id
LEFT JOIN scored.true_demand AS estimate
    ON estimate.retailer_id = cell.retailer_id AND estimate.sku_id = cell.sku_id AND estimate.week_start = cell.week_start
LEFT JOIN unknown_weeks ON unknown_weeks.week_start = cell.week_start
"""

WHOLE = "'market'"

MARKET = f"""
WITH cells AS (
    SELECT {{item}} AS item, {{period}}_start AS period_start, cell.*
    FROM analysis.market_cells AS cell
),
lines AS (
    SELECT
        {{of_line}} AS item,
        CAST(date_trunc('{{period}}', date_trunc('week', line.ordered_on)) AS DATE) AS period_start,
        line.retailer_id, line.ordered_on, line.delivered_units, line.requested_units
    FROM raw.order_lines AS line
    LEFT JOIN raw.retailers AS register ON register.retailer_id = line.retailer_id
),{SUMS},{REORDERS},
retailer_weeks AS (
    SELECT DISTINCT {{of_cell_place}} AS place, retailer_id, week_start
    FROM analysis.market_cells
    WHERE delivered_units > 0
),
periods AS (
    SELECT period_start, max(week_start) AS last_week, CAST(period_start + INTERVAL '{{step}}' AS DATE) AS next_start
    FROM cells
    GROUP BY period_start
),
active AS (
    SELECT retailer_weeks.place, periods.period_start, count(DISTINCT retailer_weeks.retailer_id) AS active_retailers
    FROM periods
    JOIN retailer_weeks ON retailer_weeks.week_start > periods.last_week - 56 AND retailer_weeks.week_start <= periods.last_week
    GROUP BY retailer_weeks.place, periods.period_start
),
licensed AS (
    SELECT {{licence_place}} AS place, periods.period_start, count(*) AS licensed_retailers
    FROM raw.retailers AS register
    JOIN periods
        ON (register.opened_on IS NULL OR register.opened_on < periods.next_start)
        AND (register.closed_on IS NULL OR register.closed_on >= periods.period_start)
    GROUP BY 1, periods.period_start
),
allocated AS (
    SELECT item, period_start, sum(allocated_units) AS allocated_units
    FROM (
        SELECT {{item}} AS item, CAST(date_trunc('{{period}}', week_start) AS DATE) AS period_start, allocated_units
        FROM analysis.allocated_caps
    ) AS caps
    GROUP BY item, period_start
),
shelves AS (
    SELECT
        {{of_shelf}} AS item,
        CAST(date_trunc('{{period}}', shelf.week_start) AS DATE) AS period_start,
        shelf.week_start, shelf.sold_units, shelf.stock_units
    FROM raw.sell_through AS shelf
    LEFT JOIN raw.retailers AS register ON register.retailer_id = shelf.retailer_id
    WHERE shelf.stock_units IS NOT NULL
),{STOCK}
SELECT
    sums.period_start AS {{period}}_start,{{item_column}}
    sums.units, CAST(sums.orders AS BIGINT) AS orders,{INDICATORS}
FROM sums
LEFT JOIN requests ON requests.item = sums.item AND requests.period_start = sums.period_start
LEFT JOIN buying ON buying.item = sums.item AND buying.period_start = sums.period_start
LEFT JOIN earlier ON earlier.item = sums.item AND earlier.next_start = sums.period_start
LEFT JOIN again ON again.item = sums.item AND again.next_start = sums.period_start
LEFT JOIN active ON active.place = {{sums_place}} AND active.period_start = sums.period_start
LEFT JOIN licensed ON licensed.place = {{sums_place}} AND licensed.period_start = sums.period_start
LEFT JOIN allocated ON allocated.item = sums.item AND allocated.period_start = sums.period_start
LEFT JOIN stock ON stock.item = sums.item AND stock.period_start = sums.period_start
"""


def market(period: str, item: str) -> str:
    """Return the view of the indicators by period and, where one is named, by SKU or district.

    Parameters
    ----------
    period
        ``week`` or ``month``; a week belongs to the month of its Monday.
    item
        ``sku_id``, ``district``, or empty for the market as a whole.
    """
    by_district = item == "district"
    district = "coalesce(register.district, '')"
    parts = {
        "item": item or WHOLE,
        "of_line": {"sku_id": "line.sku_id", "district": district}.get(item, WHOLE),
        "of_shelf": {"sku_id": "shelf.sku_id", "district": district}.get(item, WHOLE),
        # no retailer is licensed for a SKU: SKUs share the market's denominators
        "of_cell_place": "district" if by_district else WHOLE,
        "licence_place": district if by_district else WHOLE,
        "sums_place": "sums.item" if by_district else WHOLE,
        "item_column": f" sums.item AS {item}," if item else "",
    }
    return MARKET.format(period=period, step=f"1 {period}", **parts)


def market_views() -> Mapping[str, str]:
    """Return the views by name."""
    items = {"market": "", "market_sku": "sku_id", "market_district": "district"}
    return {
        "market_cells": MARKET_CELLS,
        **{f"{name}_{period}": market(period, item) for name, item in items.items() for period in ("week", "month")},
    }
