"""What did a price drop or an event do: to its week, and to the weeks around it?"""

from __future__ import annotations

# A drop is a week at under 95 % of the mean price of the SKU's last 8 weeks with orders, of which there must be 4.
PRICE_DROP_EFFECT = """
WITH sku_weeks AS (
    SELECT
        sku_id, week_start,
        sum(delivered_units) AS units,
        sum(CASE WHEN amount IS NOT NULL THEN amount END)
            / nullif(sum(CASE WHEN amount IS NOT NULL THEN delivered_units END), 0) AS unit_price,
        sum(CASE WHEN censoring IN ('cap', 'band') AND delivered_units > 0 THEN 1 ELSE 0 END) AS orders_at_cap,
        sum(CASE WHEN delivered_units > 0 THEN 1 ELSE 0 END) AS orders
    FROM derived.cells
    GROUP BY sku_id, week_start
),
priced AS (
    SELECT
        sku_weeks.*,
        avg(unit_price) OVER before AS usual_unit_price,
        count(unit_price) OVER before AS weeks_before
    FROM sku_weeks
    WHERE unit_price > 0
    WINDOW before AS (PARTITION BY sku_id ORDER BY week_start ROWS BETWEEN 8 PRECEDING AND 1 PRECEDING)
),
drops AS (
    SELECT * FROM priced WHERE weeks_before >= 4 AND unit_price < 0.95 * usual_unit_price
),
weeks AS (
    SELECT DISTINCT week_start FROM derived.cells
),
lives AS (
    SELECT sku_id, min(week_start) AS first_week FROM sku_weeks WHERE units > 0 GROUP BY sku_id
),
neighbours AS (
    SELECT
        drops.sku_id, drops.week_start,
        CASE WHEN weeks.week_start < drops.week_start THEN 1 ELSE 0 END AS is_before,
        coalesce(sku_weeks.units, 0) AS units
    FROM drops
    JOIN lives ON lives.sku_id = drops.sku_id
    JOIN weeks
        ON weeks.week_start BETWEEN drops.week_start - 28 AND drops.week_start + 28
        AND weeks.week_start <> drops.week_start AND weeks.week_start >= lives.first_week
    LEFT JOIN sku_weeks ON sku_weeks.sku_id = drops.sku_id AND sku_weeks.week_start = weeks.week_start
    WHERE NOT EXISTS (SELECT 1 FROM drops AS other WHERE other.sku_id = drops.sku_id AND other.week_start = weeks.week_start)
),
around AS (
    SELECT
        sku_id, week_start,
        count(*) AS baseline_weeks,
        avg(units) AS baseline_units,
        avg(CASE WHEN is_before = 1 THEN units END) AS units_before,
        avg(CASE WHEN is_before = 0 THEN units END) AS units_after
    FROM neighbours
    GROUP BY sku_id, week_start
)
SELECT
    drops.sku_id, drops.week_start, drops.unit_price, drops.usual_unit_price,
    drops.unit_price / drops.usual_unit_price - 1 AS price_change,
    drops.units AS delivered_units,
    coalesce(around.baseline_weeks, 0) AS baseline_weeks,
    around.baseline_units,
    drops.units / nullif(around.baseline_units, 0) AS lift,
    drops.units - around.baseline_units AS extra_units,
    around.units_after / nullif(around.units_before, 0) AS after_to_before,
    CAST(drops.orders_at_cap AS DOUBLE PRECISION) / nullif(drops.orders, 0) AS share_at_cap
FROM drops
LEFT JOIN around ON around.sku_id = drops.sku_id AND around.week_start = drops.week_start
"""

# The weeks next to the event are no baseline: shops stock up before it and have stock left after it.
EVENT_EFFECT = """
WITH concerned AS (
    SELECT event_date, name, district, CAST(date_trunc('week', event_date) AS DATE) AS week_start FROM raw.events
),
district_weeks AS (
    SELECT
        coalesce(register.district, '') AS district, cell.week_start,
        sum(cell.delivered_units) AS units,
        sum(CASE WHEN cell.censoring IN ('cap', 'band') AND cell.delivered_units > 0 THEN 1 ELSE 0 END) AS orders_at_cap,
        sum(CASE WHEN cell.delivered_units > 0 THEN 1 ELSE 0 END) AS orders
    FROM derived.cells AS cell
    LEFT JOIN raw.retailers AS register ON register.retailer_id = cell.retailer_id
    GROUP BY 1, cell.week_start
),
weeks AS (
    SELECT DISTINCT week_start FROM district_weeks
),
nearby AS (
    SELECT event.event_date, event.name, event.district, event.week_start AS event_week, weeks.week_start
    FROM concerned AS event
    JOIN weeks ON weeks.week_start BETWEEN event.week_start - 35 AND event.week_start + 35
),
judged AS (
    SELECT
        nearby.*,
        CASE
            WHEN nearby.week_start BETWEEN nearby.event_week - 7 AND nearby.event_week + 7 THEN 0
            WHEN EXISTS (
                SELECT 1 FROM concerned AS other
                WHERE other.week_start = nearby.week_start
                  AND (other.district IS NULL OR nearby.district IS NULL OR other.district = nearby.district)
            ) THEN 0
            ELSE 1
        END AS is_baseline
    FROM nearby
),
summed AS (
    SELECT
        judged.event_date, judged.name, judged.district, judged.event_week, judged.week_start, judged.is_baseline,
        sum(district_weeks.units) AS units,
        sum(district_weeks.orders_at_cap) AS orders_at_cap,
        sum(district_weeks.orders) AS orders
    FROM judged
    LEFT JOIN district_weeks
        ON district_weeks.week_start = judged.week_start
        AND (judged.district IS NULL OR district_weeks.district = judged.district)
    GROUP BY judged.event_date, judged.name, judged.district, judged.event_week, judged.week_start, judged.is_baseline
),
measured AS (
    SELECT
        event_date, name, district, event_week,
        sum(CASE WHEN week_start = event_week THEN units END) AS delivered_units,
        sum(CASE WHEN week_start = event_week - 7 THEN units END) AS units_week_before,
        sum(CASE WHEN week_start = event_week + 7 THEN units END) AS units_week_after,
        sum(is_baseline) AS baseline_weeks,
        sum(CASE WHEN is_baseline = 1 THEN coalesce(units, 0) END) / nullif(sum(is_baseline), 0) AS baseline_units,
        CAST(sum(CASE WHEN week_start = event_week THEN orders_at_cap END) AS DOUBLE PRECISION)
            / nullif(sum(CASE WHEN week_start = event_week THEN orders END), 0) AS share_at_cap
    FROM summed
    GROUP BY event_date, name, district, event_week
)
SELECT
    event_date, name, district, event_week AS week_start, delivered_units,
    CAST(baseline_weeks AS BIGINT) AS baseline_weeks,
    baseline_units,
    delivered_units / nullif(baseline_units, 0) AS lift,
    units_week_before / nullif(baseline_units, 0) AS lift_week_before,
    units_week_after / nullif(baseline_units, 0) AS lift_week_after,
    share_at_cap
FROM measured
"""

PROMOTION_VIEWS = {"price_drop_effect": PRICE_DROP_EFFECT, "event_effect": EVENT_EFFECT}
