"""Is the churn model ahead of silence, own gaps, RFM, Pareto/NBD and a regression on all its features, on real stores?

    .venv/bin/python -m benchmarks.iowa_churn

Trains on origins whose windows end before 2019 and tests on origins every four weeks of 2019: active stores, 13 weeks, lost and decline,
all stores and those silent for at most two weeks. Prints tables and keeps the figures in results/iowa_churn.json.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.churn_comparison import Comparison, compared, told
from benchmarks.measured import measure
from benchmarks.records import WORK, circumstances, keep
from contracts.cells import CELLS
from contracts.churn_targets import DECLINE_WEEKS, DECLINES, NO_ORDER, ORDERED_AGAIN, VOID_FROM
from flows.churn_rows import fetch_labelled, fetch_retailers, retailer_attributes
from flows.deriving import build_cells, usable_attributes
from flows.opening import as_of_or_newest, open_warehouse
from flows.order_histories import fetch_order_histories
from flows.settings import Settings, read_settings
from flows.timing import Stopwatch
from flows.train_churn import ChurnRows, TrainedChurn, gather_churn, train_churn
from models.baseline_scores import ALL_FEATURES
from models.churn import DECLINE, ChurnModel
from models.churn_baselines import Baselines, fit_baselines
from models.churn_fit import TARGET_CALIBRATE_ORIGINS
from models.churn_origins import OriginSplit, split_origins
from models.promotion_gate import MODEL
from models.reasons import churn_reasons
from models.repeat_orders import ORDER_COLUMNS
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch, has_rows

FloatArray = npt.NDArray[np.float64]

TRAINED_AS_OF = date(2018, 12, 30)
FIRST_TEST, SPACING_WEEKS = date(2019, 1, 6), 4
WEEKS = DECLINE_WEEKS
EARLY_SILENCE = 2
SCORED = 5000
MONEY = "amount_52w"


@dataclass(frozen=True)
class Gathered:
    """Labelled rows to train on and to test on, what they rest on, and the seconds each took."""

    train: ChurnRows
    test: pd.DataFrame
    attributes: tuple[str, ...]
    newest: pd.DataFrame
    seconds: dict[str, float]


def loaded_warehouse(tables: Path, folder: Path) -> Settings:
    """Return the settings of a warehouse with the tables, loading them if it is not there."""
    warehouse = folder / "warehouse.duckdb"
    environment = {"UNCAP_WAREHOUSE_URL": str(warehouse), "UNCAP_TRACKING_URI": str(folder / "mlruns")}
    if not warehouse.exists():
        measure([str(Path(sys.executable).with_name("uncap")), "load", str(tables)], log=folder / "load.log", environment=environment)
    return read_settings(environment=environment)


def gathered(settings: Settings) -> Gathered:
    """Fetch all that the study needs from the warehouse."""
    seconds = {}
    with open_warehouse(settings) as con:
        if not has_rows(con, CELLS):
            build_cells(con)
        newest_day = as_of_or_newest(con, None)
        cells = contract_table(CELLS)
        first_week = fetch(con, cells.aggregate(first=cells.week_start.min())).to_pylist()[0]["first"]
        attributes = usable_attributes(con, settings, TRAINED_AS_OF)
        started = time.perf_counter()
        train = gather_churn(con, settings, TRAINED_AS_OF, first_week, attributes, lambda _: None)
        seconds["rows_to_train_on"] = time.perf_counter() - started
        test = tested_rows(con, newest_day, attributes)
        started = time.perf_counter()
        newest = fetch_retailers(con, newest_day, retailer_attributes(attributes))
        newest = newest.merge(fetch_order_histories(con, [newest_day]).drop(columns="as_of"), on="retailer_id", how="left")
        seconds["rows_to_score"] = time.perf_counter() - started
    return Gathered(train, test, attributes, newest, seconds)


def tested_rows(con: Warehouse, newest_day: date, attributes: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of 13 weeks of all test origins whose window is over, without those that came out to be no churn."""
    last = newest_day - timedelta(weeks=WEEKS)
    origins = [FIRST_TEST + timedelta(weeks=SPACING_WEEKS * k) for k in range(52 // SPACING_WEEKS)]
    origins = [origin for origin in origins if origin <= last]
    rows = fetch_labelled(con, origins, newest_day, retailer_attributes(attributes))
    rows = rows[(rows["horizon_weeks"] == WEEKS) & rows[VOID_FROM].isna()]
    return rows.merge(fetch_order_histories(con, origins), on=["retailer_id", "as_of"], how="left")


def learned_baselines(split: OriginSplit, rows: ChurnRows, features: tuple[str, ...], outcome: str) -> Baselines:
    """Return the baselines, fitted on the rows the model was fitted on."""
    histories = rows.histories
    population = histories.loc[histories["as_of"] == split.calibrate["as_of"].min(), list(ORDER_COLUMNS)]
    return fit_baselines(split, features, population, outcome)


def decline_split(split: OriginSplit) -> OriginSplit:
    """Return the rows with an answer on decline, parted as the model parts them: see `models.churn_fit`."""
    rows = split.learn[(split.learn["horizon_weeks"] == WEEKS) & split.learn[DECLINES].notna()]
    return split_origins(rows, TRAINED_AS_OF, calibrate_origins=TARGET_CALIBRATE_ORIGINS, test_origins=0)


def comparisons(study: Gathered, trained: TrainedChurn, settings: Settings) -> tuple[dict[str, Comparison], dict[str, float]]:
    """Compare the model with the baselines on lost and decline, on all stores and those silent for two weeks at most."""
    model = replace(trained.model, promoted=None)
    split = split_origins(study.train.labelled, TRAINED_AS_OF, calibrate_origins=settings.churn.calibration_origins, test_origins=0)
    sections: dict[str, Comparison] = {}
    seconds = {}
    for name, outcome, learned in (("lost", NO_ORDER, split), ("decline", DECLINES, decline_split(split))):
        started = time.perf_counter()
        baselines = learned_baselines(learned, study.train, model.features, outcome)
        seconds[f"baselines_{name}"] = time.perf_counter() - started
        rows, p_model = judged_rows(model, study.test, outcome)
        forecasts = {MODEL: p_model} | {rival: baseline.probabilities(rows) for rival, baseline in baselines.fitted.items()}
        silent = rows["recency_weeks"].to_numpy(dtype=np.float64) <= EARLY_SILENCE
        for part, chosen in ((name, np.ones(len(rows), dtype=bool)), (f"{name}_silent_2w", silent)):
            values = rows[MONEY].to_numpy(dtype=np.float64)[chosen]
            sections[part] = compared(rows[chosen], outcome, {rival: p[chosen] for rival, p in forecasts.items()}, values)
        print(f"{name}: penalty of {ALL_FEATURES} {getattr(baselines.fitted[ALL_FEATURES], 'penalty', None)}, missing {baselines.missing}")
    return sections, seconds


def judged_rows(model: ChurnModel, test: pd.DataFrame, outcome: str) -> tuple[pd.DataFrame, FloatArray]:
    """Return the test rows with an answer that the model was asked of, and its probabilities."""
    rows = test[test[outcome].notna()]
    if outcome == NO_ORDER:
        return rows, model.predict(rows)[f"p_churn_{WEEKS}w"].to_numpy(dtype=np.float64)
    p = model.target_probabilities(DECLINE, rows)
    asked = np.isfinite(p)
    print(f"decline: {int((~asked).sum())} of {len(rows)} rows with an answer are not asked of the model and left out for all")
    return rows[asked], p[asked]


def scoring_seconds(model: ChurnModel, retailers: pd.DataFrame) -> float:
    """Return the seconds that probabilities, bounds and reasons of so many retailers take, drawn from those of the newest day."""
    many = retailers.sample(SCORED, replace=True, random_state=1).reset_index(drop=True)
    many["retailer_id"] = many.index.astype(str)
    started = time.perf_counter()
    model.predict(many)
    churn_reasons(many, model.contributions(many))
    return time.perf_counter() - started


def came_back(study: Gathered) -> dict[str, object]:
    """Return what became of the lost rows: how many ordered again within 26 weeks after the window."""
    again = study.test.loc[study.test[NO_ORDER].astype(bool), ORDERED_AGAIN]
    known = again.dropna()
    return {
        "lost_rows": len(again),
        "lost_rows_with_26_weeks_after": len(known),
        "of_these_ordered_again": None if known.empty else round(float(known.mean()), 4),
    }


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=Path("../shared/data/iowa"), help="folder of input tables")
    parser.add_argument("--work", type=Path, default=WORK / "iowa-churn", help="where the warehouse is made, or is")
    arguments = parser.parse_args()
    context = circumstances(shlex.join(["python", "-m", "benchmarks.iowa_churn", *sys.argv[1:]]))
    settings = loaded_warehouse(arguments.tables.absolute(), arguments.work.absolute())
    study = gathered(settings)
    watch, started = Stopwatch(), time.perf_counter()
    trained = train_churn(study.train, settings, TRAINED_AS_OF, study.attributes, watch, test_origins=settings.churn.test_origins)
    seconds = study.seconds | {"training_twin_model_and_gate": time.perf_counter() - started}
    sections, more = comparisons(study, trained, settings)
    seconds |= more | {f"scoring_{SCORED}_retailers": scoring_seconds(trained.model, study.newest)}
    facts: dict[str, object] = {
        "trained_as_of": str(TRAINED_AS_OF),
        "test_origins": sorted(str(day) for day in pd.to_datetime(study.test["as_of"]).dt.date.unique()),
        "gate_before_2019": None if trained.gate is None else trained.gate.verdict,
        "lost_rows": came_back(study),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
    }
    for name, section in sections.items():
        print(f"\n{told(name, section)}")
    print("\n".join(f"{name}: {fact}" for name, fact in facts.items()))
    print(f"kept in {keep('iowa_churn', {'iowa 2019': facts | sections | context})}")


if __name__ == "__main__":
    main()
