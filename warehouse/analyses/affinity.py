"""Which SKUs go together: in one order week, and in one range?"""

from __future__ import annotations

from collections.abc import Mapping

ORDER_SUPPORT = 0.01
"""Pairs of fewer order weeks than this share are left out: the number of pairs grows with the square of the SKUs."""

RANGE_SUPPORT = 0.1
"""The same for ranges, of which there are fewer and larger ones."""

# No pair is more frequent than its rarer SKU, so rare SKUs go first (Agrawal and Srikant 1994, Fast algorithms for mining association
# rules).
PAIRS = """
WITH newest AS (
    SELECT max(week_start) AS newest_week FROM derived.cells WHERE delivered_units > 0
),
entries AS (
    SELECT DISTINCT {basket}, cell.sku_id
    FROM derived.cells AS cell
    CROSS JOIN newest
    WHERE cell.delivered_units > 0 AND cell.week_start > newest.newest_week - 7 * {weeks}
),
baskets AS (
    SELECT row_number() OVER (ORDER BY {basket}) AS basket, {basket} FROM (SELECT DISTINCT {basket} FROM entries AS cell) AS cell
),
total AS (
    SELECT count(*) AS baskets FROM baskets
),
sku_baskets AS (
    SELECT entries.sku_id, count(*) AS baskets
    FROM entries
    CROSS JOIN total
    GROUP BY entries.sku_id, total.baskets
    HAVING count(*) >= {least_support} * total.baskets
),
frequent AS (
    SELECT baskets.basket, cell.sku_id
    FROM entries AS cell
    JOIN sku_baskets ON sku_baskets.sku_id = cell.sku_id
    JOIN baskets ON {same_basket}
),
pairs AS (
    SELECT first.sku_id AS first_sku_id, second.sku_id AS second_sku_id, count(*) AS baskets
    FROM frequent AS first
    JOIN frequent AS second ON second.basket = first.basket AND second.sku_id > first.sku_id
    GROUP BY first.sku_id, second.sku_id
),
directed AS (
    SELECT first_sku_id AS sku_id, second_sku_id AS with_sku_id, baskets FROM pairs
    UNION ALL
    SELECT second_sku_id, first_sku_id, baskets FROM pairs
)
SELECT
    directed.sku_id, directed.with_sku_id, directed.baskets,
    CAST(directed.baskets AS DOUBLE PRECISION) / total.baskets AS support,
    CAST(directed.baskets AS DOUBLE PRECISION) / given.baskets AS confidence,
    CAST(directed.baskets AS DOUBLE PRECISION) * total.baskets / (CAST(given.baskets AS DOUBLE PRECISION) * other.baskets) AS lift
FROM directed
CROSS JOIN total
JOIN sku_baskets AS given ON given.sku_id = directed.sku_id
JOIN sku_baskets AS other ON other.sku_id = directed.with_sku_id
WHERE directed.baskets >= {least_support} * total.baskets
"""


def affinity(basket: tuple[str, ...], weeks: int, least_support: float) -> str:
    """Return the view of ordered pairs of SKUs that are in enough baskets together.

    Parameters
    ----------
    basket
        Columns of ``derived.cells`` that make a basket.
    weeks
        How many of the newest weeks count.
    least_support
        Share of all baskets that a pair must be in.
    """
    columns = ", ".join(f"cell.{column}" for column in basket)
    same = " AND ".join(f"cell.{column} = baskets.{column}" for column in basket)
    return PAIRS.format(basket=columns, same_basket=same, weeks=weeks, least_support=least_support)


def affinity_views() -> Mapping[str, str]:
    """Return the views by name."""
    return {
        "affinity_orders": affinity(("retailer_id", "week_start"), 13, ORDER_SUPPORT),
        "affinity_ranges": affinity(("retailer_id",), 26, RANGE_SUPPORT),
    }
