"""How much might be ordered under the caps on SKUs: the caps of all licensed retailers, whether they order or not?"""

from __future__ import annotations

# Caps of tiers and of everybody count once per licensed retailer that no more specific limit covers, without a row for each of them.
ALLOCATED_CAPS = """
WITH limits AS (
    SELECT week_start, sku_id, retailer_id, tier, cap_units FROM raw.allocation_limits WHERE sku_id IS NOT NULL
),
limit_weeks AS (
    SELECT DISTINCT week_start FROM limits
),
licences AS (
    SELECT retailer_id, coalesce(district, '') AS district, coalesce(tier, '') AS tier, opened_on, closed_on FROM raw.retailers
),
licensed AS (
    SELECT limit_weeks.week_start, licences.retailer_id, licences.district, licences.tier
    FROM limit_weeks
    JOIN licences
        ON (licences.opened_on IS NULL OR licences.opened_on <= limit_weeks.week_start + 6)
        AND (licences.closed_on IS NULL OR licences.closed_on >= limit_weeks.week_start)
),
counted AS (
    SELECT week_start, district, tier, count(*) AS retailers FROM licensed GROUP BY week_start, district, tier
),
own AS (
    SELECT limits.week_start, limits.sku_id, licensed.district, licensed.tier, sum(limits.cap_units) AS cap_units, count(*) AS retailers
    FROM limits
    JOIN licensed ON licensed.week_start = limits.week_start AND licensed.retailer_id = limits.retailer_id
    GROUP BY limits.week_start, limits.sku_id, licensed.district, licensed.tier
),
shared AS (
    SELECT limits.week_start, limits.sku_id, counted.district, counted.tier, limits.cap_units, counted.retailers
    FROM limits
    JOIN counted ON counted.week_start = limits.week_start AND (limits.tier = counted.tier OR limits.tier IS NULL)
    WHERE limits.retailer_id IS NULL
      AND (limits.tier IS NOT NULL OR NOT EXISTS (
          SELECT 1 FROM limits AS closer
          WHERE closer.retailer_id IS NULL AND closer.tier = counted.tier
            AND closer.sku_id = limits.sku_id AND closer.week_start = limits.week_start
      ))
),
caps AS (
    SELECT week_start, sku_id, district, cap_units FROM own
    UNION ALL
    SELECT shared.week_start, shared.sku_id, shared.district, shared.cap_units * (shared.retailers - coalesce(own.retailers, 0))
    FROM shared
    LEFT JOIN own
        ON own.week_start = shared.week_start AND own.sku_id = shared.sku_id
        AND own.district = shared.district AND own.tier = shared.tier
)
SELECT week_start, sku_id, district, sum(cap_units) AS allocated_units
FROM caps
GROUP BY week_start, sku_id, district
HAVING sum(cap_units) IS NOT NULL
"""

ALLOCATED_VIEWS = {"allocated_caps": ALLOCATED_CAPS}
