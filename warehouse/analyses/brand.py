"""What did each retailer buy of each brand in a month and a quarter, and how does that compare with before?"""

from __future__ import annotations

from collections.abc import Mapping


def brand_statistics(period: str, step: str) -> str:
    """Return the view of retailer, brand and period.

    Parameters
    ----------
    period
        ``month`` or ``quarter``.
    step
        Its length as an SQL interval: ``1 month`` or ``3 months``.
    """
    return f"""
WITH sums AS (
    SELECT
        retailer_id, brand,
        CAST(date_trunc('{period}', ordered_on) AS DATE) AS {period}_start,
        count(DISTINCT ordered_on) AS orders,
        count(DISTINCT sku_id) AS skus,
        sum(delivered_units) AS units,
        sum(money) AS money,
        sum(margin) AS margin
    FROM analysis.priced_lines
    GROUP BY 1, 2, 3
)
SELECT
    sums.retailer_id, sums.brand, sums.{period}_start, sums.orders, sums.skus, sums.units, sums.money, sums.margin,
    sums.units / nullif(sum(sums.units) OVER (PARTITION BY sums.retailer_id, sums.{period}_start), 0) AS share_of_units,
    sums.units / nullif(sums.orders, 0) AS units_per_order,
    coalesce(before.units, 0) AS units_before,
    sums.units / nullif(before.units, 0) - 1 AS growth_on_before,
    coalesce(last_year.units, 0) AS units_year_before,
    sums.units / nullif(last_year.units, 0) - 1 AS growth_on_year_before
FROM sums
LEFT JOIN sums AS before
    ON before.retailer_id = sums.retailer_id AND before.brand = sums.brand
    AND before.{period}_start = CAST(sums.{period}_start - INTERVAL '{step}' AS DATE)
LEFT JOIN sums AS last_year
    ON last_year.retailer_id = sums.retailer_id AND last_year.brand = sums.brand
    AND last_year.{period}_start = CAST(sums.{period}_start - INTERVAL '1 year' AS DATE)
"""


def brand_views() -> Mapping[str, str]:
    """Return the views by name."""
    return {"brand_month": brand_statistics("month", "1 month"), "brand_quarter": brand_statistics("quarter", "3 months")}
