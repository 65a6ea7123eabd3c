"""On the demo county, where causes are known: is the true cause of a flagged churner among its three reasons?

The model knows nothing of the last 13 weeks of the history; in these it scores every second Sunday. A retailer is flagged in the band high
or critical, or in the highest tenth. What it is judged by comes from ``truth/churn.parquet``, which nothing else reads.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.reason_figures import reason_figures
from benchmarks.records import circumstances, keep, printed_table
from demo.county import County, write_county
from flows.churn_rows import churn_origins, fetch_retailers, retailer_attributes
from flows.deriving import build_cells, fetch_censored, recover_as_of, usable_attributes
from flows.order_histories import fetch_order_histories
from flows.settings import read_settings
from flows.timing import Stopwatch
from flows.train_churn import gather_churn, train_churn
from models.churn import ChurnModel
from models.reasons import ranked_reasons
from models.risk import risk_bands
from warehouse.connection import connect
from warehouse.load import load_folder
from warehouse.session import Warehouse

UNSEEN_WEEKS, EVERY_WEEKS = 13, 2
TOP_SHARE = 0.1
FIGURES = ("churners", "flagged_churners", "at_first_flag", "at_first_flag_with_a_sign", "at_last_flag", "by_chance", "causes_named")


def county_of(retailers: int, seed: int) -> County:
    """Return the demo county, or one with fewer shops."""
    full = County.full(seed)
    if retailers == full.n_retailers:
        return full
    return County(retailers, round(0.2186 * retailers), full.n_skus, full.n_weeks, full.as_of, seed)


def measure(county: County, folder: Path) -> dict[str, object]:
    """Simulate, train and score a county, and hold its reasons against its truth."""
    write_county(county, folder)
    known = county.as_of - timedelta(weeks=UNSEEN_WEEKS)
    sundays = [known + timedelta(weeks=weeks) for weeks in range(0, UNSEEN_WEEKS, EVERY_WEEKS)]
    settings = read_settings(None)
    with connect(str(folder / "warehouse.duckdb"), threads=2, memory_limit="3GB") as con:
        load_folder(con, folder / "input", on_step=lambda _: None)
        build_cells(con)
        first_week = county.as_of - timedelta(weeks=county.n_weeks, days=-1)
        attributes = usable_attributes(con, settings, known)
        cut_offs = sorted({*churn_origins(settings, known, first_week), *sundays}, reverse=True)
        recover_as_of(con, settings, fetch_censored(con, settings, known), cut_offs, None)
        rows = gather_churn(con, settings, known, first_week, attributes, lambda _: None)
        trained = train_churn(rows, settings, known, attributes, Stopwatch(), test_origins=0)
        scores = pd.concat([_scored(con, trained.model, sunday, retailer_attributes(attributes)) for sunday in sundays])
    return reason_figures(_with_truth(scores, folder / "truth" / "churn.parquet"))


def _scored(con: Warehouse, model: ChurnModel, sunday: date, attributes: tuple[str, ...]) -> pd.DataFrame:
    """Who is flagged as of a Sunday, and for which factors."""
    retailers = fetch_retailers(con, sunday, attributes)
    retailers = retailers.merge(fetch_order_histories(con, [sunday]).drop(columns="as_of"), on="retailer_id", how="left")
    p_churn = model.predict(retailers).p_churn_13w.to_numpy()
    reasons = ranked_reasons(retailers, model.contributions(retailers))
    flagged = np.isin(risk_bands(p_churn), ("high", "critical")) | (p_churn >= np.quantile(p_churn, 1 - TOP_SHARE))
    factors = [{reason.factor for reason in those} for those in reasons]
    return pd.DataFrame({"retailer_id": retailers.retailer_id, "as_of": pd.Timestamp(sunday), "flagged": flagged, "factors": factors})


def _with_truth(scores: pd.DataFrame, path: Path) -> pd.DataFrame:
    joined = scores.merge(pd.read_parquet(path), on="retailer_id", how="left")
    return joined.assign(weeks_to_stop=(pd.to_datetime(joined.stopped_on) - joined.as_of).dt.days / 7)


def main() -> None:
    """Measure the counties asked for, print a table and keep it in ``results/churn_reasons.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retailers", type=int, default=County.full(1).n_retailers)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    asked = parser.parse_args()
    table = []
    for seed in asked.seeds:
        noted = circumstances(f"python -m benchmarks.churn_reasons --retailers {asked.retailers} --seeds {seed}")
        with TemporaryDirectory() as folder:
            figures = measure(county_of(asked.retailers, seed), Path(folder))
        keep("churn_reasons", {f"{asked.retailers} retailers, seed {seed}": {**figures, **noted}})
        table.append([seed, *(figures[name] for name in FIGURES)])
        print(printed_table(["seed", *FIGURES], table), flush=True)


if __name__ == "__main__":
    main()
