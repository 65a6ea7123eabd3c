"""Who are the retailers: what does each buy, and how do districts, areas, channels, tiers and segments differ?"""

from __future__ import annotations

from warehouse.analyses.money import LAST_YEAR, MARGIN_ESTIMATE, MARGIN_SUMS, NEWEST

RETAILER_PROFILE = f"""
WITH {NEWEST},
spans AS (
    SELECT retailer_id, min(ordered_on) AS first_order_on, max(ordered_on) AS last_order_on
    FROM raw.order_lines
    GROUP BY retailer_id
),
known AS (
    SELECT retailer_id FROM raw.retailers
    UNION
    SELECT retailer_id FROM spans
),
recent AS (
    SELECT line.* FROM analysis.priced_lines AS line CROSS JOIN newest WHERE {LAST_YEAR}
),
sums AS (
    SELECT
        retailer_id,
        count(DISTINCT ordered_on) AS orders,
        count(DISTINCT sku_id) AS skus,
        count(DISTINCT nullif(brand, '')) AS brands,
        count(DISTINCT nullif(category, '')) AS categories,{MARGIN_SUMS}
    FROM recent
    GROUP BY retailer_id
),
sku_units AS (
    SELECT retailer_id, sku_id, sum(delivered_units) AS units FROM recent GROUP BY retailer_id, sku_id
),
ranked AS (
    SELECT retailer_id, sku_id, units, row_number() OVER (PARTITION BY retailer_id ORDER BY units DESC, sku_id) AS place
    FROM sku_units
    WHERE units > 0
),
segments AS (
    SELECT retailer_id, stage, value_class, abc_class
    FROM scored.retailer_segment
    WHERE as_of = (SELECT max(as_of) FROM scored.retailer_segment)
),
churn AS (
    SELECT retailer_id, p_churn_13w, risk_band FROM scored.churn_score WHERE as_of = (SELECT max(as_of) FROM scored.churn_score)
)
SELECT
    known.retailer_id,
    register.name, register.district, register.area, register.channel, register.tier, register.account_manager,
    register.opened_on, register.closed_on,
    spans.first_order_on, spans.last_order_on,
    newest.newest_on - spans.last_order_on AS days_since_order,
    coalesce(sums.orders, 0) AS orders_52w,
    coalesce(sums.skus, 0) AS skus_52w,
    coalesce(sums.brands, 0) AS brands_52w,
    coalesce(sums.categories, 0) AS categories_52w,
    coalesce(sums.units, 0) AS units_52w,
    sums.units / nullif(sums.orders, 0) AS units_per_order_52w,
    sums.money AS money_52w,
    {MARGIN_ESTIMATE} AS margin_52w,
    ranked.sku_id AS top_sku_id,
    ranked.units / nullif(sums.units, 0) AS top_sku_share,
    segments.stage, segments.value_class, segments.abc_class, churn.p_churn_13w, churn.risk_band
FROM known
CROSS JOIN newest
LEFT JOIN raw.retailers AS register ON register.retailer_id = known.retailer_id
LEFT JOIN spans ON spans.retailer_id = known.retailer_id
LEFT JOIN sums ON sums.retailer_id = known.retailer_id
LEFT JOIN ranked ON ranked.retailer_id = known.retailer_id AND ranked.place = 1
LEFT JOIN segments ON segments.retailer_id = known.retailer_id
LEFT JOIN churn ON churn.retailer_id = known.retailer_id
"""

# A retailer is active when it ordered in the last 8 weeks: contracts.weeks.ACTIVE_WEEKS.
GROUP_PROFILE = """
WITH groupings (grouping_name) AS (
    SELECT 'district' UNION ALL SELECT 'area' UNION ALL SELECT 'channel' UNION ALL SELECT 'tier' UNION ALL SELECT 'stage'
    UNION ALL SELECT 'value_class'
),
placed AS (
    SELECT
        groupings.grouping_name,
        coalesce(
            CASE groupings.grouping_name
                WHEN 'district' THEN profile.district
                WHEN 'area' THEN profile.area
                WHEN 'channel' THEN profile.channel
                WHEN 'tier' THEN profile.tier
                WHEN 'stage' THEN profile.stage
                ELSE profile.value_class
            END,
            ''
        ) AS group_name,
        profile.*
    FROM analysis.retailer_profile AS profile
    CROSS JOIN groupings
),
sums AS (
    SELECT
        grouping_name, group_name,
        count(*) AS retailers,
        sum(CASE WHEN days_since_order < 56 THEN 1 ELSE 0 END) AS active_retailers,
        sum(units_52w) AS units_52w,
        sum(money_52w) AS money_52w,
        sum(margin_52w) AS margin_52w,
        sum(orders_52w) AS orders_52w,
        sum(skus_52w) AS skus_52w
    FROM placed
    GROUP BY grouping_name, group_name
)
SELECT
    grouping_name, group_name, retailers,
    CAST(active_retailers AS BIGINT) AS active_retailers,
    CAST(retailers AS DOUBLE PRECISION) / sum(retailers) OVER (PARTITION BY grouping_name) AS share_of_retailers,
    units_52w,
    units_52w / nullif(sum(units_52w) OVER (PARTITION BY grouping_name), 0) AS share_of_units,
    money_52w,
    money_52w / nullif(sum(money_52w) OVER (PARTITION BY grouping_name), 0) AS share_of_money,
    margin_52w,
    CAST(orders_52w AS DOUBLE PRECISION) / nullif(active_retailers, 0) AS orders_per_active_retailer,
    CAST(skus_52w AS DOUBLE PRECISION) / nullif(active_retailers, 0) AS skus_per_active_retailer,
    units_52w / nullif(active_retailers, 0) AS units_per_active_retailer
FROM sums
"""

PROFILE_VIEWS = {"retailer_profile": RETAILER_PROFILE, "group_profile": GROUP_PROFILE}
