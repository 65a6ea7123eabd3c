"""Is the forecast of ``uncap`` ahead of seasonal naive, recent means and mlforecast on real orders that nobody capped?

    uncap load ../shared/data/iowa && uncap run --as-of 2019-09-29
    .venv/bin/python -m benchmarks.iowa --as-of 2019-09-29

Compares on the eight weeks after each ``as_of``: all forecasters on one seeded sample of pairs, because mlforecast needs a row for every
pair and week; ``uncap`` and the plain baselines on all pairs too. Prints tables and keeps the figures in results/iowa.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.forecast_figures import FIGURES, QUANTILE_COLUMNS, Forecast, figures_by_forecast, points_of
from benchmarks.pair_weeks import PAIR, judged_weeks, newest_judged_as_of, orders_of, sample_of_pairs, units_after, weekly_orders
from benchmarks.records import BENCHMARKS, PROJECT, WORK, circumstances, keep, printed_table
from benchmarks.uncap_commands import scored_by, trained_as_of
from contracts.weeks import last_week, require_sunday
from flows.settings import read_settings

BASELINES = ("seasonal_naive", "recent_mean_13w", "recent_mean_8w")
SHARED_PARAMETERS = ("num_iterations", "learning_rate", "num_leaves", "min_data_in_leaf", "feature_fraction", "max_bin")
"""Parameters of conf/base.toml [demand.lightgbm] that mean the same to any LightGBM regression."""

Figures = dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Study:
    """What is compared with what.

    Attributes
    ----------
    warehouse
        DuckDB file that ``uncap score`` wrote; None leaves ``uncap`` out.
    benchmark_python
        Interpreter of the environment that has mlforecast; None leaves mlforecast out.
    pairs, seed
        Size and seed of the sample.
    work
        Folder where forecasts of mlforecast are kept, so that they are made once.
    """

    warehouse: Path | None
    benchmark_python: Path | None
    pairs: int
    seed: int
    work: Path


@dataclass(frozen=True)
class Comparison:
    """Figures by forecaster on the sampled and on all pairs, and the facts that belong to them."""

    facts: dict[str, object]
    sample: Figures
    all_pairs: Figures


def shared_lightgbm_parameters() -> dict[str, object]:
    """Return the LightGBM parameters of the demand model that mlforecast is given too, and its seed."""
    demand = read_settings().demand
    parameters = demand.lightgbm.model_dump()
    return {name: parameters[name] for name in SHARED_PARAMETERS} | {"seed": demand.seed}


def public_forecast(study: Study, known_orders: pd.DataFrame, as_of: date) -> tuple[pd.DataFrame, dict[str, object]]:
    """Let mlforecast forecast the pairs of ``known_orders``, or take the forecast it made of them before.

    Returns
    -------
    tuple
        ``retailer_id``, ``sku_id``, ``week_start``, ``mean_units``, ``q05`` … ``q95``; and what it cost, with its versions.
    """
    parameters = json.dumps(shared_lightgbm_parameters(), sort_keys=True)
    recipe = (BENCHMARKS / "public_forecaster.py").read_bytes() + (BENCHMARKS / "requirements.lock").read_bytes() + parameters.encode()
    known = hashlib.sha256(pd.util.hash_pandas_object(known_orders).to_numpy().tobytes() + recipe).hexdigest()[:12]
    out = study.work / f"mlforecast-{as_of}-{known}.parquet"
    if not out.with_suffix(".json").exists():
        study.work.mkdir(parents=True, exist_ok=True)
        orders, lightgbm = study.work / "weekly_orders.parquet", study.work / "lightgbm.json"
        known_orders.to_parquet(orders, index=False)
        lightgbm.write_text(parameters)
        files = ["--orders", str(orders), "--lightgbm", str(lightgbm), "--out", str(out)]
        command = [str(study.benchmark_python), "-m", "benchmarks.public_forecaster", "--as-of", str(as_of), *files]
        # with any other load on the machine LightGBM's threads would spin while they wait
        subprocess.run(["/usr/bin/env", "OMP_WAIT_POLICY=PASSIVE", *command], check=True, cwd=PROJECT)
    return pd.read_parquet(out), json.loads(out.with_suffix(".json").read_text())


def uncap_forecast(warehouse: Path, as_of: date) -> pd.DataFrame:
    """Read what ``uncap score`` left: ``retailer_id``, ``sku_id``, ``horizon_weeks``, ``method``, ``mean_units``, ``q05`` … ``q95``."""
    columns = ", ".join([*PAIR, "horizon_weeks", "method", "mean_units", *QUANTILE_COLUMNS])
    with duckdb.connect(str(warehouse), read_only=True) as con:
        rows = con.execute(f"select {columns} from scored.demand_forecast where as_of = ?", [as_of]).df()
    if rows.empty:
        raise SystemExit(f"{warehouse}: no forecast as of {as_of}; run `uncap score --as-of {as_of}` first")
    return rows


def aligned(weeks: pd.DataFrame, rows: pd.DataFrame) -> tuple[Forecast, float]:
    """Put a forecast in the order of ``weeks``; a week it does not have is a forecast of 0. Also returns the share of such weeks."""
    key = [*PAIR, "horizon_weeks"]
    joined = weeks[key].merge(rows[[*key, "mean_units", *QUANTILE_COLUMNS]], how="left", on=key, validate="one_to_one")
    missing = float(joined.mean_units.isna().mean())
    filled = joined.fillna(dict.fromkeys(["mean_units", *QUANTILE_COLUMNS], 0.0))
    return Forecast(filled.mean_units.to_numpy(), filled[list(QUANTILE_COLUMNS)]), round(missing, 6)


def compare(con: duckdb.DuckDBPyConnection, study: Study, as_of: date) -> Comparison:
    """Compare the forecasters on the weeks after one ``as_of``."""
    weeks = judged_weeks(con, as_of)
    pairs = sample_of_pairs(weeks, study.pairs, study.seed)
    sample = weeks.merge(pairs, on=PAIR)
    on_sample, on_all = points_of(sample, BASELINES), points_of(weeks, BASELINES)
    facts: dict[str, object] = {
        "pairs": len(weeks) // 8,
        "sampled_pairs": len(pairs),
        "seed": study.seed,
        "weeks_without_demand": round(float((weeks.actual == 0).mean()), 4),
        "units_of_pairs_not_ordered_in_52_weeks": round(1 - float(weeks.actual.sum()) / units_after(con, as_of), 4),
    }
    if study.benchmark_python is not None:
        rows, facts["mlforecast"] = public_forecast(study, orders_of(con, pairs, as_of), as_of)
        horizon = (pd.to_datetime(rows.week_start) - pd.Timestamp(last_week(as_of))).dt.days // 7
        on_sample["mlforecast"], facts["mlforecast_weeks_missing"] = aligned(sample, rows.assign(horizon_weeks=horizon))
    if study.warehouse is not None:
        rows = uncap_forecast(study.warehouse, as_of)
        facts["scored_by"], facts["trained_as_of"] = scored_by(study.warehouse, as_of), str(trained_as_of(study.warehouse, as_of))
        on_sample["uncap"], _ = aligned(sample, rows)
        on_all["uncap"], facts["uncap_weeks_missing"] = aligned(weeks, rows)
        facts["cold_start"] = cold_start_figures(con, rows[rows.method == "cold_start"], as_of)
    return Comparison(facts, figures_by_forecast(sample, on_sample), figures_by_forecast(weeks, on_all))


def cold_start_figures(con: duckdb.DuckDBPyConnection, rows: pd.DataFrame, as_of: date) -> dict[str, object]:
    """Measure the forecasts of pairs that had no orders in 52 weeks; WAPE of a forecast of 0 is 1 there."""
    con.register("cold_pairs", rows[[*PAIR, "horizon_weeks"]].assign(last_week=pd.Timestamp(last_week(as_of))))
    weeks = con.execute(
        """
        select cold.retailer_id, cold.sku_id, cold.horizon_weeks, coalesce(units, 0) as actual from cold_pairs as cold
        left join weekly_orders as came on came.retailer_id = cold.retailer_id and came.sku_id = cold.sku_id
            and came.week_start = cold.last_week::date + 7 * cold.horizon_weeks::int
        order by 1, 2, 3
        """
    ).df()
    con.unregister("cold_pairs")
    if not weeks.actual.sum():
        return {"pairs": len(weeks) // 8, "units": 0.0}
    forecast, _ = aligned(weeks, rows)
    return {"pairs": len(weeks) // 8, "units": float(weeks.actual.sum()), "uncap": figures_by_forecast(weeks, {"uncap": forecast})["uncap"]}


def show(title: str, figures: Mapping[str, Mapping[str, float | None]]) -> None:
    """Print one row per forecaster."""
    rows = [[name, *[row[figure] for figure in FIGURES]] for name, row in figures.items()]
    print(f"\n{title}\n{printed_table(['forecast', *FIGURES], rows)}")


def main() -> None:
    """Compare as of each date given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--as-of", type=date.fromisoformat, nargs="+", default=[date(2019, 9, 29)], help="Sundays that were scored")
    parser.add_argument("--orders", type=Path, default=Path("../shared/data/iowa"), help="folder with order_lines.parquet")
    parser.add_argument("--warehouse", type=Path, default=Path("data/warehouse.duckdb"), help="what `uncap score` wrote")
    parser.add_argument("--benchmark-python", type=Path, default=Path(".venv-benchmark/bin/python"), help="made by `make benchmark-setup`")
    parser.add_argument("--without", nargs="*", default=[], choices=["uncap", "mlforecast"], help="forecasters to leave out")
    parser.add_argument("--pairs", type=int, default=30_000, help="pairs in the sample")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--work", type=Path, default=WORK, help="where forecasts of mlforecast are kept")
    arguments = parser.parse_args()
    study = Study(
        None if "uncap" in arguments.without else arguments.warehouse,
        None if "mlforecast" in arguments.without else arguments.benchmark_python.absolute(),
        arguments.pairs,
        arguments.seed,
        arguments.work.absolute(),
    )
    con = weekly_orders(arguments.orders)
    newest = newest_judged_as_of(con)
    told = circumstances(shlex.join(["python", "-m", "benchmarks.iowa", *sys.argv[1:]]))
    for as_of in map(require_sunday, arguments.as_of):
        if as_of > newest:
            raise SystemExit(f"as of {as_of} eight weeks of orders have not come yet; the newest to judge is {newest}")
        comparison = compare(con, study, as_of)
        show(f"as of {as_of}, {comparison.facts['sampled_pairs']:,} sampled pairs", comparison.sample)
        show(f"as of {as_of}, all {comparison.facts['pairs']:,} pairs", comparison.all_pairs)
        if not arguments.without:
            entry = {**comparison.facts, "sample": comparison.sample, "all": comparison.all_pairs, **told}
            print(f"\nkept in {keep('iowa', {str(as_of): entry})}")


if __name__ == "__main__":
    main()
