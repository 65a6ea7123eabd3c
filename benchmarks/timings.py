"""How long do load, train and score take on a folder of input tables, with how much memory, and what share of training is LightGBM?

    .venv/bin/python -m benchmarks.timings --tables ../shared/data/iowa --as-of 2019-09-29

Prints a table and keeps the figures in results/timings.json.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.records import WORK, circumstances, keep, printed_table
from benchmarks.uncap_commands import logged_seconds, run_commands, scored_by, warehouse_of
from contracts.weeks import require_sunday


def lightgbm_share(seconds: dict[str, dict[str, float]], train_seconds: float) -> float | None:
    """Return the share of the ``train`` command that was spent inside LightGBM; None where no run logged it."""
    logged = [run["lightgbm"] for run in seconds.values() if "lightgbm" in run]
    return round(sum(logged) / train_seconds, 3) if logged else None


def order_line_count(tables: Path) -> int | None:
    """Return the rows of ``order_lines.parquet``; None where the lines are not Parquet."""
    lines = tables / "order_lines.parquet"
    return pq.read_metadata(lines).num_rows if lines.exists() else None


def main() -> None:
    """Measure the three commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, default=Path("../shared/data/iowa"), help="folder of input tables")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2019, 9, 29), help="a Sunday")
    parser.add_argument("--config", type=Path, help="TOML file laid over conf/base.toml")
    parser.add_argument("--work", type=Path, default=WORK, help="where the warehouse is made")
    arguments = parser.parse_args()
    told = circumstances(shlex.join(["python", "-m", "benchmarks.timings", *sys.argv[1:]]))
    folder = arguments.work.absolute() / f"timings-{arguments.tables.name}"
    costs = run_commands(arguments.tables.absolute(), require_sunday(arguments.as_of), folder, arguments.config)
    seconds = logged_seconds(folder)
    share = lightgbm_share(seconds, costs["train"].wall_seconds)
    figures: dict[str, object] = {
        "as_of": str(arguments.as_of),
        "scored_by": scored_by(warehouse_of(folder), arguments.as_of),
        "order_lines": order_line_count(arguments.tables),
        "commands": {command: cost.to_json() for command, cost in costs.items()},
        "training_seconds": seconds,
        "lightgbm_share_of_train": share,
        "warehouse_gb": round(warehouse_of(folder).stat().st_size / 1e9, 2),
    }
    print(printed_table(["command", "wall s", "cpu s", "peak GB"], [[name, *cost.to_json().values()] for name, cost in costs.items()]))
    for run, parts in seconds.items():
        print(f"{run}: " + ", ".join(f"{part} {value} s" for part, value in parts.items()))
    print(f"share of LightGBM in train: {'not logged' if share is None else f'{share:.0%}'}")
    print(f"kept in {keep('timings', {f'{arguments.tables.name} as of {arguments.as_of}': figures | told})}")


if __name__ == "__main__":
    main()
