"""How good was the forecast, against what happened: where no limit hid the demand, and against what could be delivered?"""

from __future__ import annotations

# The most specific limit wins with its row, as in features/limits.py; band limits are left out, and the page says so.
# Whole weeks only: those that end by the newest day of an order.
FORECAST_OUTCOMES = """
WITH newest AS (
    SELECT max(ordered_on) AS newest_on FROM raw.order_lines
),
limits AS (
    SELECT * FROM raw.allocation_limits WHERE sku_id IS NOT NULL
),
limited AS (
    SELECT
        forecast.as_of, forecast.retailer_id, forecast.sku_id, forecast.week_start, forecast.horizon_weeks,
        forecast.mean_units, forecast.q10, forecast.q90,
        CASE
            WHEN own.week_start IS NOT NULL THEN own.cap_units
            WHEN of_tier.week_start IS NOT NULL THEN of_tier.cap_units
            ELSE of_all.cap_units
        END AS cap_units
    FROM scored.demand_forecast AS forecast
    JOIN newest ON forecast.week_start + 6 <= newest.newest_on
    LEFT JOIN raw.retailers AS register ON register.retailer_id = forecast.retailer_id
    LEFT JOIN limits AS own
        ON own.sku_id = forecast.sku_id AND own.week_start = forecast.week_start AND own.retailer_id = forecast.retailer_id
    LEFT JOIN limits AS of_tier
        ON of_tier.sku_id = forecast.sku_id AND of_tier.week_start = forecast.week_start
        AND of_tier.retailer_id IS NULL AND of_tier.tier = register.tier
    LEFT JOIN limits AS of_all
        ON of_all.sku_id = forecast.sku_id AND of_all.week_start = forecast.week_start
        AND of_all.retailer_id IS NULL AND of_all.tier IS NULL
)
SELECT
    limited.as_of, limited.retailer_id, limited.sku_id, limited.week_start, limited.horizon_weeks,
    limited.mean_units, limited.q10, limited.q90, limited.cap_units,
    least(limited.mean_units, coalesce(limited.cap_units, limited.mean_units)) AS deliverable_units,
    coalesce(cell.censoring, 'none') AS censoring,
    coalesce(cell.delivered_units, 0) AS delivered_units
FROM limited
LEFT JOIN derived.cells AS cell
    ON cell.retailer_id = limited.retailer_id AND cell.sku_id = limited.sku_id AND cell.week_start = limited.week_start
"""

FORECAST_SUMS = """
        count(*) AS pair_weeks,
        sum(CASE WHEN censoring = 'none' THEN 1 ELSE 0 END) AS uncensored_pair_weeks,
        sum(CASE WHEN censoring = 'none' THEN delivered_units END) AS uncensored_units,
        sum(CASE WHEN censoring = 'none' THEN abs(mean_units - delivered_units) END) AS uncensored_error,
        sum(CASE WHEN censoring = 'none' THEN mean_units - delivered_units END) AS uncensored_excess,
        sum(CASE WHEN censoring = 'none' AND delivered_units BETWEEN q10 AND q90 THEN 1 ELSE 0 END) AS covered,
        sum(CASE WHEN censoring <> 'stockout' THEN delivered_units END) AS open_units,
        sum(CASE WHEN censoring <> 'stockout' THEN abs(deliverable_units - delivered_units) END) AS open_error,
        sum(CASE WHEN censoring <> 'stockout' THEN deliverable_units - delivered_units END) AS open_excess"""

FORECAST_ACCURACY = f"""
WITH sums AS (
    SELECT as_of, horizon_weeks,{FORECAST_SUMS}
    FROM analysis.forecast_outcomes
    GROUP BY as_of, horizon_weeks
)
SELECT
    as_of, horizon_weeks, pair_weeks,
    CAST(uncensored_pair_weeks AS DOUBLE PRECISION) / nullif(pair_weeks, 0) AS uncensored_share,
    uncensored_error / nullif(uncensored_units, 0) AS wape_uncensored,
    uncensored_excess / nullif(uncensored_units, 0) AS bias_uncensored,
    CAST(covered AS DOUBLE PRECISION) / nullif(uncensored_pair_weeks, 0) AS coverage_80_uncensored,
    open_error / nullif(open_units, 0) AS wape_deliverable,
    open_excess / nullif(open_units, 0) AS bias_deliverable
FROM sums
"""

FORECAST_SKU_WEEK = """
SELECT
    as_of, sku_id, week_start, horizon_weeks,
    count(*) AS retailers,
    sum(mean_units) AS mean_units,
    sum(CASE WHEN censoring <> 'stockout' THEN deliverable_units ELSE 0 END) AS deliverable_units,
    sum(CASE WHEN censoring <> 'stockout' THEN delivered_units ELSE 0 END) AS delivered_units,
    CAST(sum(CASE WHEN censoring = 'none' THEN 0 ELSE 1 END) AS DOUBLE PRECISION) / count(*) AS censored_share
FROM analysis.forecast_outcomes
GROUP BY as_of, sku_id, week_start, horizon_weeks
"""

FORECAST_VIEWS = {
    "forecast_outcomes": FORECAST_OUTCOMES,
    "forecast_accuracy": FORECAST_ACCURACY,
    "forecast_sku_week": FORECAST_SKU_WEEK,
}
