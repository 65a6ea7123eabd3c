"""How faithful are the retailers: do they come regularly, do they keep their range, and how many of a cohort still order?"""

from __future__ import annotations

from warehouse.analyses.money import NEWEST

# A week is one of 7 days counted back from the newest day, so that the last one is whole.
RETAILER_LOYALTY = f"""
WITH {NEWEST},
days AS (
    SELECT DISTINCT retailer_id, ordered_on FROM raw.order_lines
),
gaps AS (
    SELECT
        retailer_id, ordered_on,
        ordered_on - lag(ordered_on) OVER (PARTITION BY retailer_id ORDER BY ordered_on) AS gap_days
    FROM days
),
rhythm AS (
    SELECT
        gaps.retailer_id,
        min(newest.newest_on) AS newest_on,
        min(gaps.ordered_on) AS first_order_on,
        max(gaps.ordered_on) AS last_order_on,
        count(DISTINCT CASE WHEN gaps.ordered_on > newest.newest_on - 364
            THEN CAST(floor((newest.newest_on - gaps.ordered_on) / 7.0) AS INTEGER) END) AS order_weeks_52w,
        avg(CASE WHEN gaps.ordered_on > newest.newest_on - 364 THEN CAST(gaps.gap_days AS DOUBLE PRECISION) END) AS gap_days,
        stddev_samp(CASE WHEN gaps.ordered_on > newest.newest_on - 364 THEN CAST(gaps.gap_days AS DOUBLE PRECISION) END) AS gap_spread
    FROM gaps
    CROSS JOIN newest
    GROUP BY gaps.retailer_id
),
carried AS (
    SELECT
        line.retailer_id, line.sku_id,
        max(CASE WHEN line.ordered_on > newest.newest_on - 182 THEN 1 ELSE 0 END) AS carried_now,
        max(CASE WHEN line.ordered_on <= newest.newest_on - 182 THEN 1 ELSE 0 END) AS carried_before
    FROM raw.order_lines AS line
    CROSS JOIN newest
    WHERE line.ordered_on > newest.newest_on - 364
    GROUP BY line.retailer_id, line.sku_id
),
breadth AS (
    SELECT
        retailer_id,
        sum(carried_now) AS skus_26w,
        sum(carried_before) AS skus_26w_before,
        sum(carried_now * carried_before) AS skus_kept
    FROM carried
    GROUP BY retailer_id
),
tenures AS (
    SELECT rhythm.*, CAST(floor((newest_on - first_order_on) / 7.0) AS BIGINT) + 1 AS tenure_weeks FROM rhythm
)
SELECT
    tenures.retailer_id,
    tenures.tenure_weeks,
    tenures.order_weeks_52w,
    CAST(tenures.order_weeks_52w AS DOUBLE PRECISION) / least(tenures.tenure_weeks, 52) AS order_week_share,
    tenures.gap_days AS gap_days_52w,
    tenures.gap_spread / nullif(tenures.gap_days, 0) AS gap_variation_52w,
    (tenures.newest_on - tenures.last_order_on) / nullif(tenures.gap_days, 0) AS silence_in_gaps,
    CAST(coalesce(breadth.skus_26w, 0) AS BIGINT) AS skus_26w,
    CAST(coalesce(breadth.skus_26w_before, 0) AS BIGINT) AS skus_26w_before,
    CAST(breadth.skus_kept AS DOUBLE PRECISION) / nullif(breadth.skus_26w_before, 0) AS breadth_kept
FROM tenures
LEFT JOIN breadth ON breadth.retailer_id = tenures.retailer_id
"""

# The first and the newest quarter of the orders may be cut off: the page says so.
LOYALTY_COHORTS = """
WITH active AS (
    SELECT DISTINCT retailer_id, CAST(date_trunc('quarter', ordered_on) AS DATE) AS quarter_start FROM raw.order_lines
),
cohorts AS (
    SELECT retailer_id, min(quarter_start) AS cohort_quarter, max(quarter_start) AS last_quarter FROM active GROUP BY retailer_id
),
sizes AS (
    SELECT cohort_quarter, count(*) AS cohort_retailers FROM cohorts GROUP BY cohort_quarter
),
quarters AS (
    SELECT DISTINCT quarter_start FROM active
),
reached AS (
    SELECT
        cohorts.cohort_quarter, quarters.quarter_start,
        count(active.retailer_id) AS ordering_retailers,
        sum(CASE WHEN cohorts.last_quarter >= quarters.quarter_start THEN 1 ELSE 0 END) AS kept_retailers
    FROM cohorts
    JOIN quarters ON quarters.quarter_start >= cohorts.cohort_quarter
    LEFT JOIN active ON active.retailer_id = cohorts.retailer_id AND active.quarter_start = quarters.quarter_start
    GROUP BY cohorts.cohort_quarter, quarters.quarter_start
)
SELECT
    reached.cohort_quarter, reached.quarter_start,
    CAST(4 * (extract(year FROM reached.quarter_start) - extract(year FROM reached.cohort_quarter))
        + extract(quarter FROM reached.quarter_start) - extract(quarter FROM reached.cohort_quarter) AS BIGINT) AS quarters_since,
    sizes.cohort_retailers, reached.ordering_retailers,
    CAST(reached.ordering_retailers AS DOUBLE PRECISION) / sizes.cohort_retailers AS retention_in_quarter,
    CAST(reached.kept_retailers AS DOUBLE PRECISION) / sizes.cohort_retailers AS retention_so_far
FROM reached
JOIN sizes ON sizes.cohort_quarter = reached.cohort_quarter
"""

LOYALTY_VIEWS = {"retailer_loyalty": RETAILER_LOYALTY, "loyalty_cohorts": LOYALTY_COHORTS}
