"""The scored tables (schema ``scored``): what planners and account managers read."""

from __future__ import annotations

from contracts.tables import Column, Kind, Table
from contracts.weeks import CHURN_HORIZONS

RECOVERED_CENSORING = ("cap", "band", "floor")
"""Those of which true demand is estimated: where nothing is learned, there is nothing to estimate from."""

SCORED_BY = ("model", "btyd", "rule")
RISK_BANDS = ("low", "watch", "high", "critical")
QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)

RUN_ID = Column("run_id", Kind.TEXT, "the run that wrote the row, see runs", required=True)
AS_OF = Column("as_of", Kind.DATE, "last day that was known", required=True)
RETAILER_ID = Column("retailer_id", Kind.TEXT, "the retailer", required=True)
SKU_ID = Column("sku_id", Kind.TEXT, "the stock-keeping unit", required=True)
WEEK_START = Column("week_start", Kind.DATE, "Monday of the week", required=True)
MODEL_VERSION = Column("model_version", Kind.TEXT, "model that gave the numbers", required=True)


def quantile_column(level: float) -> str:
    """Return the column name of a quantile.

    >>> quantile_column(0.05)
    'q05'
    """
    return f"q{round(100 * level):02d}"


TRUE_DEMAND = Table(
    "scored",
    "true_demand",
    (
        RETAILER_ID,
        SKU_ID,
        WEEK_START,
        Column("as_of", Kind.DATE, "last day that was known to the estimate", required=True),
        Column("delivered_units", Kind.NUMBER, "units the retailer got", required=True),
        Column("censoring", Kind.TEXT, "cap, band or floor", required=True, choices=RECOVERED_CENSORING),
        Column("true_units", Kind.NUMBER, "expected true demand given what was seen, units", required=True),
        Column("true_units_p10", Kind.NUMBER, "10 % quantile of the true demand, at most true_units, units", required=True),
        Column("true_units_p90", Kind.NUMBER, "90 % quantile of the true demand, at least true_units, units", required=True),
        Column("identified", Kind.BOOLEAN, "false where the SKU was capped in over 90 % of the weeks", required=True),
        MODEL_VERSION,
        RUN_ID,
    ),
    key=("retailer_id", "sku_id", "week_start"),
    description="True demand of a retailer-SKU-week that a cap, a band cap or a floor censored, by the newest as_of scored.",
)

DEMAND_FORECAST = Table(
    "scored",
    "demand_forecast",
    (
        AS_OF,
        RETAILER_ID,
        SKU_ID,
        WEEK_START,
        Column("horizon_weeks", Kind.INTEGER, "weeks ahead, 1 to 8", required=True),
        Column("mean_units", Kind.NUMBER, "expected true demand of the week, units", required=True),
        *(
            Column(quantile_column(level), Kind.NUMBER, f"{level:.0%} quantile of the true demand, units", required=True)
            for level in QUANTILES
        ),
        Column("p_order", Kind.NUMBER, "probability of any demand in the week", required=True),
        Column("method", Kind.TEXT, "history, or cold_start for a pair without one", required=True, choices=("history", "cold_start")),
        MODEL_VERSION,
        RUN_ID,
    ),
    key=("as_of", "retailer_id", "sku_id", "week_start"),
    description="Forecast of the true demand of a retailer for a SKU in one of the next eight weeks.",
)

DEMAND_FORECAST_TOTAL = Table(
    "scored",
    "demand_forecast_total",
    (
        AS_OF,
        RETAILER_ID,
        SKU_ID,
        Column("mean_units", Kind.NUMBER, "expected true demand of the eight weeks, units", required=True),
        *(
            Column(quantile_column(level), Kind.NUMBER, f"{level:.0%} quantile of the eight weeks' true demand, units", required=True)
            for level in QUANTILES
        ),
        Column("low80_units", Kind.NUMBER, "lower end of the interval that holds 80 % of the totals, units", required=True),
        Column(
            "high80_units",
            Kind.NUMBER,
            "its upper end; q80 where a total of 0 is likelier than 10 %, and 0, below the mean, where 0 is likelier than 80 %; units",
            required=True,
        ),
        MODEL_VERSION,
        RUN_ID,
    ),
    key=("as_of", "retailer_id", "sku_id"),
    description="Forecast of the true demand of a retailer for a SKU over the next eight weeks; quantiles of weeks do not add up to it.",
)

CHURN_SCORE = Table(
    "scored",
    "churn_score",
    (
        AS_OF,
        RETAILER_ID,
        Column("p_churn_4w", Kind.NUMBER, "probability of no order in the next 4 weeks", required=True),
        Column("p_churn_8w", Kind.NUMBER, "probability of no order in the next 8 weeks", required=True),
        Column("p_churn_13w", Kind.NUMBER, "probability of no order in the next 13 weeks", required=True),
        Column("p_churn_26w", Kind.NUMBER, "probability of no order in the next 26 weeks", required=True),
        *(
            Column(f"p_churn_{weeks}w_{end}", Kind.NUMBER, f"{word} end of the 90 % interval of p_churn_{weeks}w")
            for weeks in CHURN_HORIZONS
            for end, word in (("low", "lower"), ("high", "upper"))
        ),
        Column(
            "p_decline_13w",
            Kind.NUMBER,
            "probability of at most half the units of the same 13 weeks a year before; null where it has no year",
        ),
        Column(
            "p_category_loss_13w", Kind.NUMBER, "probability of dropping a category it buys for 13 weeks; null where categories are unknown"
        ),
        Column("risk_band", Kind.TEXT, "low, watch, high or critical", required=True, choices=RISK_BANDS),
        Column("risk_band_prev", Kind.TEXT, "the band of the as_of before; null the first time", choices=RISK_BANDS),
        Column("margin_at_risk", Kind.NUMBER, "money expected to be lost over 26 weeks; null where no prices are known"),
        Column("reason_1", Kind.TEXT, "what raises the risk most, in a plain sentence", required=True),
        Column("reason_2", Kind.TEXT, "second reason"),
        Column("reason_3", Kind.TEXT, "third reason"),
        Column("scored_by", Kind.TEXT, "model; btyd or rule where the history is too short for it", required=True, choices=SCORED_BY),
        Column("definition_version", Kind.TEXT, "version of the definition of churn"),
        MODEL_VERSION,
        RUN_ID,
    ),
    key=("as_of", "retailer_id"),
    description="How likely an active retailer is to stop ordering, and why.",
)

RUNS = Table(
    "scored",
    "runs",
    (
        RUN_ID,
        Column("flow", Kind.TEXT, "load, train, score, monitor, reclassify, backtest or tune", required=True),
        Column("as_of", Kind.DATE, "last day that was known; null where the flow has none"),
        Column("started_at", Kind.TIMESTAMP, "when it began, UTC", required=True),
        Column("finished_at", Kind.TIMESTAMP, "when it ended, UTC; null while it runs or if it was killed"),
        Column("status", Kind.TEXT, "running, succeeded, failed or died", required=True),
        Column("code_version", Kind.TEXT, "version of uncap, and its commit where known", required=True),
        Column("demand_model_version", Kind.TEXT, "demand model trained or used"),
        Column("churn_model_version", Kind.TEXT, "churn model trained or used"),
        Column("rows_written", Kind.TEXT, "JSON: rows written by table", required=True),
        Column("error", Kind.TEXT, "why it failed"),
        Column("host", Kind.TEXT, "machine that ran it; null where an older version did"),
        Column("deployment", Kind.TEXT, "deployment whose time it was, such as weekly; null where it was started otherwise"),
    ),
    key=("run_id",),
    description="One run of a flow, failed ones too.",
)

SCORED_TABLES = (TRUE_DEMAND, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, CHURN_SCORE, RUNS)
