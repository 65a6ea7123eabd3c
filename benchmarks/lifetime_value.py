"""Is lifetime value what retailers bring? The value of the 52 weeks after past Sundays, against the margin that came.

The warehouse must hold what `uncap run --as-of DATE` wrote for each date, by models trained on nothing later, and the orders of the year
after it; ``--without-models`` values with the returns of earlier retailers and the margins of 52 weeks alone, which needs no score.
The warehouse is copied, not changed. Costs to serve and discount are left out of both sides.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.records import WORK, circumstances, keep, printed_table
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST
from contracts.tables import Table
from contracts.weeks import require_sunday
from flows.deriving import build_cells, fetch_censored, recover_as_of
from flows.opening import open_warehouse
from flows.segment_rows import PAIR_FORECAST, SCORES, gather_evidence, value_settings
from flows.settings import Settings, read_settings
from models.lifetime_value import lifetime_values, survival
from models.ranks import quintiles
from models.retailer_margins import season_ahead, yearly_margins
from models.segments import Evidence, outlook
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

FloatArray = npt.NDArray[np.float64]

YEAR_WEEKS = 52
DECILES = 10

MARGINS_AFTER = """
    with lines as (
        select retailer_id, coalesce(amount, delivered_units * unit_price) as money, delivered_units * unit_cost as cost, ordered_on
        from raw.order_lines left join raw.skus using (sku_id)
    ), share as (
        select coalesce(1 - sum(cost) / nullif(sum(money), 0), ?) as of_money from lines
        where cost is not null and ordered_on <= ?
    )
    select retailer_id, sum(coalesce(money - cost, money * of_money)) as margin, max(ordered_on) as last_order
    from lines, share where ordered_on > ? and ordered_on <= ? group by retailer_id
"""


def main() -> None:
    """Value the retailers as of each date and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--as-of", type=date.fromisoformat, nargs="+", required=True, help="Sundays with a year of orders after them")
    parser.add_argument("--warehouse", type=Path, default=Path("data/warehouse.duckdb"), help="what `uncap run` wrote")
    parser.add_argument("--name", default="warehouse", help="what the figures are kept under, such as iowa")
    parser.add_argument("--without-models", action="store_true", help="leave scores and forecasts out")
    arguments = parser.parse_args()
    told = circumstances(shlex.join(["python", "-m", "benchmarks.lifetime_value", *sys.argv[1:]]))
    copy = WORK / "lifetime_value.duckdb"
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments.warehouse, copy)
    settings = read_settings(environment={"UNCAP_WAREHOUSE_URL": str(copy)})
    with open_warehouse(settings) as con:
        build_cells(con)
        for as_of in map(require_sunday, arguments.as_of):
            valued = valued_retailers(con, settings, as_of, models=not arguments.without_models)
            figures, deciles = figures_of(valued), mean_of_deciles(valued)
            show(as_of, figures, deciles)
            name = f"{arguments.name} {as_of}{' without models' if arguments.without_models else ''}"
            keep("lifetime_value", {name: {**figures, "deciles": deciles, "circumstances": told}})
    copy.unlink()


def valued_retailers(con: Warehouse, settings: Settings, as_of: date, *, models: bool) -> pd.DataFrame:
    """Return per retailer its value of a year, the margin of the year before, and the margin and the survival that came."""
    recover_as_of(con, settings, fetch_censored(con, settings, as_of), [as_of], None)
    scores = scored(con, CHURN_SCORE, SCORES, as_of, models=models).to_pandas()
    forecasts = scored(con, DEMAND_FORECAST, PAIR_FORECAST, as_of, models=models)
    evidence: Evidence = gather_evidence(con, settings, as_of, scores.astype({"retailer_id": "str"}), forecasts)
    history, share = evidence.history, settings.value.share_without_costs
    margin = yearly_margins(history, share)
    p_stopped = scores.set_index("retailer_id").p_churn_26w.reindex(history.retailer_id).to_numpy(dtype=np.float64)
    expected = outlook(evidence, p_stopped, margin, share)
    plain = replace(value_settings(settings), horizon_weeks=YEAR_WEEKS, yearly_discount_rate=0.0, cost_per_order=0.0, cost_per_visit=0.0)
    lives = survival(expected.p_stopped, expected.weekly_hazard, YEAR_WEEKS)
    until = as_of + timedelta(weeks=YEAR_WEEKS)
    came = con.query(MARGINS_AFTER, [share, as_of, as_of, until]).to_pandas().set_index("retailer_id").reindex(history.retailer_id)
    return pd.DataFrame(
        {
            "value": lifetime_values(expected, season_ahead(history), plain),
            "margin_before": margin,
            "margin_after": came.margin.fillna(0.0).to_numpy(dtype=np.float64),
            "alive_after_half": lives[:, 25],
            "ordered_after_half": (came.last_order > pd.Timestamp(as_of + timedelta(weeks=26))).to_numpy(dtype=bool),
            "active": (history.recency_weeks < 8).to_numpy(dtype=bool),
        }
    )


def scored(con: Warehouse, described: Table, columns: tuple[str, ...], as_of: date, *, models: bool) -> pa.Table:
    """Return what was scored as of a Sunday; no rows where models are left out."""
    stored = contract_table(described)
    rows = fetch(con, stored.filter(stored.as_of == as_of).select(*columns))
    if models and not rows.num_rows:
        raise SystemExit(f"{described.full_name}: nothing as of {as_of}; run `uncap run --as-of {as_of}` first, or give --without-models")
    return rows if models else rows.slice(0, 0)


def figures_of(valued: pd.DataFrame) -> dict[str, object]:
    """Return the calibration of all, of active and of silent retailers, and how well value ranks and hits."""
    came = [pair[1] for pair in mean_of_deciles(valued).values()]
    return {
        "retailers": len(valued),
        "calibration": ratio(valued.value, valued.margin_after),
        "calibration_of_last_years_margin": ratio(valued.margin_before, valued.margin_after),
        "calibration_active": ratio(valued.value[valued.active], valued.margin_after[valued.active]),
        "calibration_silent": ratio(valued.value[~valued.active], valued.margin_after[~valued.active]),
        "ordering_after_half_a_year": ratio(valued.alive_after_half, valued.ordered_after_half.astype(float)),
        "rank_correlation": round(float(valued.value.corr(valued.margin_after, method="spearman")), 4),
        "rank_correlation_of_last_years_margin": round(float(valued.margin_before.corr(valued.margin_after, method="spearman")), 4),
        "wape": round(float((valued.value - valued.margin_after).abs().sum() / valued.margin_after.sum()), 4),
        "wape_of_last_years_margin": round(float((valued.margin_before - valued.margin_after).abs().sum() / valued.margin_after.sum()), 4),
        "deciles_monotone": came == sorted(came),
    }


def mean_of_deciles(valued: pd.DataFrame) -> dict[str, list[int]]:
    """Return mean value and mean margin that came by decile of value, 1 the lowest."""
    means = valued.groupby(quintiles(valued.value, DECILES))[["value", "margin_after"]].mean().round()
    return {str(place): [int(pair[0]), int(pair[1])] for place, pair in zip(means.index, means.to_numpy(), strict=True)}


def ratio(expected: pd.Series, came: pd.Series) -> float | None:
    """Sum expected over sum that came."""
    return round(float(expected.sum() / came.sum()), 4) if float(came.sum()) else None


def show(as_of: date, figures: dict[str, object], deciles: dict[str, list[int]]) -> None:
    """Print the figures and the deciles."""
    plain = [[name, value] for name, value in figures.items()]
    print(f"\nas of {as_of}\n{printed_table(['figure', 'value'], plain)}")
    print(printed_table(["decile", "value", "margin that came"], [[place, *pair] for place, pair in deciles.items()]))


if __name__ == "__main__":
    main()
