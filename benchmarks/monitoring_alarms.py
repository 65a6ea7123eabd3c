"""How often does monitoring speak of a county in which nothing happened, and how soon of a district that orders more?

    .venv/bin/python -m benchmarks.monitoring_alarms

A county is simulated, trained once, and scored and monitored Sunday by Sunday: what monitoring says of these is a false alarm, but for
what the simulated shops really do. Then the orders of one district after the other are made 1.6 times as many from some Monday on (of which
caps hide a part), and the forecasts of the quiet county are held against them: that is what monitoring sees, but for what forecasts would
have learned in between. Noticed is a district by a measure of it that was within its bounds on the same Sunday of the quiet county.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from benchmarks.arriving_tables import monday_of
from benchmarks.eight_weeks import CONFIGURATION
from benchmarks.measured import measure
from benchmarks.records import WORK, circumstances, keep, printed_table
from contracts.monitoring import MONITORING
from contracts.raw import ORDER_LINES, RETAILERS
from demo.county import County, write_county
from flows.deriving import build_cells
from flows.environment import prepare
from flows.monitor import law_of
from flows.monitor_demand import LawOf, demand_measures
from flows.monitor_judging import judge, monitoring_rows, past_of
from flows.monitor_persistence import persistent_measures
from flows.opening import open_warehouse
from flows.settings import Settings, read_settings
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

LAST_SUNDAY = date(2025, 9, 28)
TIMES = 1.6
WEEKS_WATCHED = 3
SINCE_WEEKS_AGO = (11, 8, 5)
"""Sundays before the last one whose week is the first with more orders: by then forecasts of most horizons have matured."""

KEPT = "main.quiet_lines"

CONFIG = "county.toml"


@dataclass(frozen=True)
class Watched:
    """A district whose orders grew, and in which week from then on it was noticed (watched or worse) and alerted to; None is never."""

    district: str
    shops: int
    since: date
    noticed: int | None
    alerted: int | None


def make_quiet_county(folder: Path, retailers: int, sundays: int, seed: int) -> dict[str, float]:
    """Simulate a county, train once, and score and monitor each Sunday; return the processor seconds of the commands."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_county(County(retailers, round(0.22 * retailers), 50, 112, LAST_SUNDAY, seed), folder / "county")
    (folder / CONFIG).write_text(CONFIGURATION, encoding="utf-8")
    first = LAST_SUNDAY - timedelta(weeks=sundays - 1)
    commands = {
        "load": [str(folder / "county" / "input")],
        "train": ["--as-of", str(first)],
        "backfill": ["--from", str(first), "--to", str(LAST_SUNDAY)],
    }
    uncap, seconds = str(Path(sys.executable).with_name("uncap")), {}
    for command, words in commands.items():
        cost = measure(
            [uncap, command, *words, "--config", str(folder / CONFIG)], log=folder / f"{command}.log", environment=stores(folder)
        )
        seconds[command] = cost.cpu_seconds
        print(f"uncap {command}: {cost.cpu_seconds} s of computing", flush=True)
    return seconds


def stores(folder: Path) -> dict[str, str]:
    """Return the environment variables that lead commands to the county's stores."""
    return {"UNCAP_WAREHOUSE_URL": str(folder / "warehouse.duckdb"), "UNCAP_TRACKING_URI": str(folder / "mlruns")}


def demand_rows(con: Warehouse, settings: Settings, law: LawOf, told: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Hold the matured forecasts of a Sunday against what came, after what was told of the Sundays before; cells must be built."""
    past = past_of(told[told.as_of < as_of], as_of, settings.monitoring.history_weeks)
    measured = demand_measures(con, as_of, law)
    measured += persistent_measures(measured, past, settings.monitoring)
    rows: pd.DataFrame = monitoring_rows(judge(measured, past, settings.monitoring, as_of), as_of, "benchmark").to_pandas()
    return rows


def quiet_findings(con: Warehouse, settings: Settings, law: LawOf, *, again: bool) -> pd.DataFrame:
    """Return what was measured on every Sunday that had matured forecasts; ``again`` holds those against what came as the rules are now."""
    stored: pd.DataFrame = fetch(con, contract_table(MONITORING).order_by("as_of")).to_pandas()
    sundays = sorted(stored.loc[stored.area == "demand", "as_of"].unique())
    if again:
        build_cells(con, LAST_SUNDAY)
        stored = stored[stored.area != "demand"]
        for as_of in sundays:
            stored = pd.concat([stored, demand_rows(con, settings, law, stored, as_of)])
    return stored[stored.as_of.isin(sundays)]


def watch_district(
    con: Warehouse, settings: Settings, law: LawOf, quiet: pd.DataFrame, district_and_shops: tuple[str, int], since: date
) -> Watched:
    """Let a district order more from the week that ends on a Sunday on, and monitor it and the next Sundays."""
    district, shops = district_and_shops
    grow_orders(con, district, monday_of(since), TIMES)
    build_cells(con, since + timedelta(weeks=WEEKS_WATCHED - 1))
    told, statuses = quiet[quiet.as_of < since], []
    for week in range(WEEKS_WATCHED):
        as_of = since + timedelta(weeks=week)
        rows = demand_rows(con, settings, law, told, as_of)
        told = pd.concat([told, rows])
        statuses.append(set(_new(rows, quiet[quiet.as_of == as_of], district)))
    grow_orders(con, district, monday_of(since), 1.0)
    first = {status: next((n for n, found in enumerate(statuses, start=1) if status in found), None) for status in ("watch", "alert")}
    noticed = min((n for n in first.values() if n is not None), default=None)
    return Watched(district, shops, since, noticed, first["alert"])


def _new(rows: pd.DataFrame, quiet: pd.DataFrame, district: str) -> pd.Series:
    """Statuses of the measures of a district that are out, and were not in the quiet county."""
    key = ["measure", "slice_kind", "slice_value"]
    ok = quiet.loc[quiet.status == "ok", key]
    out = rows[(rows.slice_kind == "district") & (rows.slice_value == district) & (rows.status != "ok")]
    statuses: pd.Series = out.merge(ok, on=key).status
    return statuses


def grow_orders(con: Warehouse, district: str, since: date, times: float) -> None:
    """Make the orders of a district so many times what they are in the quiet county; 1.0 puts them back."""
    con.execute(
        f"UPDATE {ORDER_LINES.full_name} AS lines SET delivered_units = round(kept.delivered_units * {times})"
        f" FROM {KEPT} AS kept JOIN {RETAILERS.full_name} AS shops USING (retailer_id)"
        f" WHERE kept.line_id = lines.line_id AND shops.district = ? AND kept.ordered_on >= ?",
        [district, since],
    )


def watch_districts(con: Warehouse, settings: Settings, law: LawOf, quiet: pd.DataFrame) -> list[Watched]:
    """Watch every district that monitoring looks at, grown from each of several Sundays on."""
    con.execute(f"CREATE OR REPLACE TABLE {KEPT} AS SELECT line_id, retailer_id, ordered_on, delivered_units FROM {ORDER_LINES.full_name}")
    judged = quiet[(quiet.measure == "relative_bias") & (quiet.slice_kind == "district")]
    forecast = con.execute(
        f"SELECT district, count(DISTINCT retailer_id) FROM scored.demand_forecast JOIN {RETAILERS.full_name} USING (retailer_id)"
        " WHERE as_of = ? GROUP BY district",
        [LAST_SUNDAY],
    )
    shops: dict[str, int] = {str(district): int(count) for district, count in forecast}
    watched = []
    for ago in SINCE_WEEKS_AGO:
        since = LAST_SUNDAY - timedelta(weeks=ago)
        for district in sorted(judged.loc[judged.as_of == since, "slice_value"]):
            watched.append(watch_district(con, settings, law, quiet, (district, shops[district]), since))
            print(watched[-1], flush=True)
    con.execute(f"DROP TABLE {KEPT}")
    return watched


def figures_of(quiet: pd.DataFrame, watched: list[Watched]) -> dict[str, object]:
    """Count false alarms by area and kind of part, and noticed districts by week."""
    out = quiet[quiet.status != "ok"]
    kinds = out.groupby(["area", "measure", "slice_kind", "status"]).size()
    noticed: Mapping[str, list[int | None]] = {"noticed": [w.noticed for w in watched], "alerted": [w.alerted for w in watched]}
    return {
        "sundays": int(quiet.as_of.nunique()),
        "measures_a_sunday": round(len(quiet) / quiet.as_of.nunique()),
        "alerts": int((out.status == "alert").sum()),
        "watched": int((out.status == "watch").sum()),
        "sundays_without_any": int(quiet.as_of.nunique() - out.as_of.nunique()),
        "district_weeks": int(((quiet.measure == "relative_bias") & (quiet.slice_kind == "district")).sum()),
        "out_by_kind": {" ".join(kind): int(n) for kind, n in zip(kinds.index.tolist(), kinds, strict=True)},
        "districts_grown": len(watched),
        "shops_of_a_district": f"{min(w.shops for w in watched)} to {max(w.shops for w in watched)}",
        **{
            f"{what}_by_week": {str(by): sum(n is not None and n <= by for n in weeks) for by in range(1, WEEKS_WATCHED + 1)}
            for what, weeks in noticed.items()
        },
    }


def main() -> int:
    """Make the county, print the figures and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retailers", type=int, default=600, help="of the county")
    parser.add_argument("--sundays", type=int, default=18, help="scored, the last ones of its history")
    parser.add_argument("--seed", type=int, default=1, help="of the county")
    parser.add_argument(
        "--again", action="store_true", help="keep the last county and its scores; hold its forecasts against what came again"
    )
    parser.add_argument("--work", type=Path, default=WORK, help="where the warehouse is made")
    arguments = parser.parse_args()
    told = circumstances(shlex.join(["python", "-m", "benchmarks.monitoring_alarms", *sys.argv[1:]]))
    prepare(read_settings())
    folder = arguments.work.absolute() / "monitoring_alarms"
    seconds = {} if arguments.again else make_quiet_county(folder, arguments.retailers, arguments.sundays, arguments.seed)
    settings = read_settings(folder / CONFIG, environment=stores(folder))
    law = law_of(settings, print)
    with open_warehouse(settings) as con:
        quiet = quiet_findings(con, settings, law, again=arguments.again)
        watched = watch_districts(con, settings, law, quiet)
    figures = figures_of(quiet, watched)
    print(printed_table(["figure", "value"], [[name, figure] for name, figure in figures.items()]))
    entry = {f"{arguments.retailers} retailers, seed {arguments.seed}": figures | {"cpu_seconds": seconds} | told}
    print(f"kept in {keep('monitoring_alarms', entry)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
