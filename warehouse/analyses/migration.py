"""How many retailers moved from one segment to another, month on month?"""

from __future__ import annotations

# The last reclassification of a month stands for it. A retailer that has none in one of the two months comes from or goes to ''.
SEGMENT_MIGRATION_MONTH = """
WITH attributes (attribute) AS (
    SELECT 'stage' UNION ALL SELECT 'value_class' UNION ALL SELECT 'abc_class' UNION ALL SELECT 'tier' UNION ALL SELECT 'suggested_tier'
),
months AS (
    SELECT CAST(date_trunc('month', as_of) AS DATE) AS month_start, max(as_of) AS as_of
    FROM scored.retailer_segment
    GROUP BY 1
),
steps AS (
    SELECT months.month_start, months.as_of, before.as_of AS as_of_before
    FROM months
    JOIN months AS before ON before.month_start = CAST(months.month_start - INTERVAL '1 month' AS DATE)
),
standings AS (
    SELECT
        segment.as_of, segment.retailer_id, attributes.attribute,
        coalesce(
            CASE attributes.attribute
                WHEN 'stage' THEN segment.stage
                WHEN 'value_class' THEN segment.value_class
                WHEN 'abc_class' THEN segment.abc_class
                WHEN 'tier' THEN segment.tier
                ELSE segment.suggested_tier
            END,
            ''
        ) AS standing
    FROM scored.retailer_segment AS segment
    CROSS JOIN attributes
    JOIN months ON months.as_of = segment.as_of
),
sides AS (
    SELECT steps.month_start, standings.attribute, standings.retailer_id, standings.standing AS to_standing, NULL AS from_standing
    FROM steps
    JOIN standings ON standings.as_of = steps.as_of
    UNION ALL
    SELECT steps.month_start, standings.attribute, standings.retailer_id, NULL, standings.standing
    FROM steps
    JOIN standings ON standings.as_of = steps.as_of_before
),
moves AS (
    SELECT
        month_start, attribute, retailer_id,
        coalesce(max(from_standing), '') AS from_standing,
        coalesce(max(to_standing), '') AS to_standing
    FROM sides
    GROUP BY month_start, attribute, retailer_id
),
counted AS (
    SELECT month_start, attribute, from_standing, to_standing, count(*) AS retailers
    FROM moves
    GROUP BY month_start, attribute, from_standing, to_standing
)
SELECT
    month_start, attribute, from_standing, to_standing, retailers,
    CAST(retailers AS DOUBLE PRECISION) / sum(retailers) OVER (PARTITION BY month_start, attribute, from_standing) AS share_of_from
FROM counted
"""

MIGRATION_VIEWS = {"segment_migration_month": SEGMENT_MIGRATION_MONTH}
