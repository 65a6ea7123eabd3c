"""How much longer do load and score take on PostgreSQL than on DuckDB, on real orders, and is what they write the same?

    .venv/bin/python -m benchmarks.postgres_iowa

Starts a PostgreSQL server of its own on loopback (that of the tests, with fsync), loads both warehouses, trains one champion with few
trees on DuckDB, and scores both with it. Server and commands share the machine, as DuckDB does with its command. Prints a table and keeps
the figures in results/postgres_iowa.json; ``--reuse`` goes on with the DuckDB file and the champion of the last time.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from datetime import date
from pathlib import Path

from benchmarks.measured import Cost, measure
from benchmarks.records import WORK, circumstances, keep, printed_table
from benchmarks.uncap_commands import warehouse_of
from tests.postgres.same_tables import differences
from tests.postgres.server import PostgresServer, running_server
from tests.small_county import CONFIGURATION
from warehouse.connection import connect
from warehouse.schema import STORED_TABLES

SERVER = {"fsync": "on", "shared_buffers": "2GB", "max_wal_size": "8GB", "autovacuum": "on"}
LIKE_WITH_LIKE = ("scored.true_demand", "scored.demand_forecast", "scored.churn_score", "scored.retailer_segment", "scored.cross_sell")


def server_seconds(server: PostgresServer) -> float:
    """Return the processor seconds of all sessions of a server that have ended."""
    session = server.execute("SELECT pg_backend_pid(), current_setting('data_directory')")[0]
    first_line = (Path(session[1]) / "postmaster.pid").read_text().split("\n")[0]
    # cutime and cstime of proc_pid_stat(5), places 16 and 17 of which the name in brackets is the second: those of children that ended
    fields = Path(f"/proc/{first_line}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def run_both(server: PostgresServer, folder: Path, tables: Path, as_of: date, *, reuse: bool) -> dict[str, dict[str, float]]:
    """Run the commands on both warehouses and return what each cost; on PostgreSQL with ``server_cpu_seconds``."""
    urls = {"duckdb": str(warehouse_of(folder)), "postgresql": server.new_database()}
    (folder / "urls").write_text("\n".join(urls.values()), encoding="utf-8")
    uncap, config = str(Path(sys.executable).with_name("uncap")), ["--config", str(folder / "small.toml")]
    words = {"load": [str(tables)], "train": ["--as-of", str(as_of)], "score": ["--as-of", str(as_of)]}
    steps = [("duckdb", "load"), ("duckdb", "train")] * (not reuse)
    costs: dict[str, dict[str, float]] = {}
    for database, command in (*steps, ("postgresql", "load"), ("duckdb", "score"), ("postgresql", "score")):
        print(f"uncap {command} on {database} …", end=" ", flush=True)
        environment = {"UNCAP_WAREHOUSE_URL": urls[database], "UNCAP_TRACKING_URI": str(folder / "mlruns")}
        before = server_seconds(server)
        log = folder / f"{command}_{database}.log"
        cost: Cost = measure([uncap, command, *words[command], *config], log=log, environment=environment)
        costs[f"{command} on {database}"] = cost.to_json() | {"server_cpu_seconds": round(server_seconds(server) - before, 1)}
        print(f"{cost.wall_seconds} s", flush=True)
    return costs


def compared(server_url: str, file: Path) -> dict[str, list[str]]:
    """Return in which scored tables the two differ, and how."""
    with connect(str(file), threads=2, memory_limit="4GB") as one, connect(server_url, threads=2, memory_limit="4GB") as other:
        tables = [table for table in STORED_TABLES if table.full_name in LIKE_WITH_LIKE]
        return {table.full_name: differences(one, other, table.schema, table.name, table.key) for table in tables}


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=Path("../shared/data/iowa"), help="folder of input tables")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2019, 9, 29), help="a Sunday")
    parser.add_argument("--work", type=Path, default=WORK, help="where the warehouse and the tracking store are made")
    parser.add_argument("--reuse", action="store_true", help="go on with the DuckDB file and the champion that are there")
    arguments = parser.parse_args()
    told = circumstances(shlex.join(["python", "-m", "benchmarks.postgres_iowa", *sys.argv[1:]]))
    folder = arguments.work.absolute() / f"postgres-{arguments.tables.name}"
    if not arguments.reuse:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.toml").write_text(CONFIGURATION, encoding="utf-8")
    with running_server(SERVER) as server:
        costs = run_both(server, folder, arguments.tables.absolute(), arguments.as_of, reuse=arguments.reuse)
        shown = server.execute("SELECT version()")[0][0].partition(" on ")[0]
        faults = compared((folder / "urls").read_text(encoding="utf-8").split()[1], warehouse_of(folder))
    columns = ["command", "wall s", "cpu s", "peak GB", "server cpu s"]
    print(printed_table(columns, [[name, *cost.values()] for name, cost in costs.items()]))
    ratio = costs["score on postgresql"]["wall_seconds"] / costs["score on duckdb"]["wall_seconds"]
    print(
        f"score on PostgreSQL takes {ratio:.1f} times as long as on DuckDB; tables that differ: {[name for name in faults if faults[name]]}"
    )
    figures: dict[str, object] = {
        "as_of": str(arguments.as_of),
        "server": {"version": shown, **SERVER},
        "commands": costs,
        "score_ratio": round(ratio, 2),
        "differences": faults,
    }
    print(f"kept in {keep('postgres_iowa', {f'{arguments.tables.name} as of {arguments.as_of}': figures | told})}")


if __name__ == "__main__":
    main()
