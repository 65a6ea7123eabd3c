"""How much of the demand that caps hide does ``uncap`` find again, on real orders that were rationed on purpose?

    .venv/bin/python -m benchmarks.capped_cases                # seed1
    .venv/bin/python -m benchmarks.capped_cases --cases all
    .venv/bin/python -m benchmarks.capped_cases --requests 1    # a third of the retailers record what they ask for

Makes each case, runs load, train and score on what a rationing wholesaler would know, lets the benchmark's own scorer judge the
warehouse, prints a table and keeps the figures in results/capped_cases.json.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.recorded_requests import record_requests
from benchmarks.records import WORK, circumstances, keep, printed_table
from benchmarks.truth_coverage import truth_coverage
from benchmarks.uncap_commands import run_commands, scored_by, warehouse_of

Report = dict[str, Any]
COLUMNS = (
    *("case", "gap tier", "gap pair", "wape tier", "wape pair", "bias", "pinball", "cover80", "free bias", "rec bias", "rec wape"),
    *("all <= q90", "all <= q95", "all totals in 80 %"),
    *("load s", "train s", "score s", "peak GB"),
)


def make_case(bench: Path, orders: Path, reference: Path, case: Path) -> None:
    """Make the capped case that a reference belongs to, with the reference beside its truth."""
    shutil.rmtree(case, ignore_errors=True)
    made_with = shlex.split(json.loads(reference.read_text())["arguments"])
    maker = [sys.executable, str(bench / "make_capped_case.py"), "--orders", str(orders), "--out", str(case), *made_with]
    subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)
    (case / "truth" / "references.json").write_bytes(reference.read_bytes())


def score_case(bench: Path, case: Path, warehouse: Path) -> Report:
    """Return what the benchmark's scorer says of a warehouse."""
    scorer = [sys.executable, str(bench / "score_case.py"), str(case), "--warehouse", str(warehouse)]
    report: Report = json.loads(subprocess.run(scorer, check=True, capture_output=True, text=True).stdout)
    return report


def study_case(bench: Path, orders: Path, name: str, work: Path, config: Path | None, requests: float | None) -> Report:
    """Make a case, run the commands on its input and score them; ``commands`` in the report tells what they cost.

    ``requests`` is None, or what a third of the retailers ask for (``record_requests``).
    """
    case, folder = work / "cases" / name, work / f"case-{name}"
    make_case(bench, orders, bench / "references" / f"{name}.json", case)
    if requests is not None:
        record_requests(case, requests)
    as_of = date.fromisoformat(json.loads((case / "truth" / "facts.json").read_text())["as_of"])
    costs = run_commands(case / "input", as_of, folder, config)
    report = score_case(bench, case, warehouse_of(folder))
    commands = {command: cost.to_json() for command, cost in costs.items()}
    coverage = truth_coverage(case, warehouse_of(folder))
    return report | {"coverage": coverage, "commands": commands, "scored_by": scored_by(warehouse_of(folder), as_of)}


def row_of(name: str, report: Mapping[str, Any]) -> list[object]:
    """Return a report as one row of ``COLUMNS``."""
    gap, rationed, recovered, costs = report["gap_closed"], report["rationed"], report.get("recovered_at_cap", {}), report["commands"]
    return [
        *(name, gap["wape_tier"], gap["wape_pair"], rationed["wape_tier"], rationed["wape_pair"], rationed["bias"]),
        *(rationed.get("pinball"), rationed.get("cover80"), report["free"]["bias"], recovered.get("bias"), recovered.get("wape")),
        *(report["coverage"]["all"][share] for share in ("at_most_q90", "at_most_q95", "total_coverage_80")),
        *(costs[command]["wall_seconds"] for command in ("load", "train", "score")),
        max(cost["peak_memory_gb"] for cost in costs.values()),
    ]


def main() -> None:
    """Study the cases asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=["seed1"], help="names of references, or all")
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"), help="folder of the benchmark")
    parser.add_argument("--orders", type=Path, default=Path("../shared/data/iowa"), help="folder with order_lines.parquet and skus.parquet")
    parser.add_argument("--requests", type=float, metavar="TIMES", help="a third asks for TIMES what it wants beyond what it gets")
    parser.add_argument("--config", type=Path, help="TOML file laid over conf/base.toml")
    parser.add_argument("--work", type=Path, default=WORK, help="where cases and warehouses are made")
    arguments = parser.parse_args()
    known = sorted(path.stem for path in (arguments.bench / "references").glob("*.json"))
    if not known:
        raise SystemExit(f"no references in {arguments.bench}; say with --bench where the benchmark is")
    names = known if arguments.cases == ["all"] else arguments.cases
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"no reference for {', '.join(unknown)}; there are {', '.join(known)}")
    told = circumstances(shlex.join(["python", "-m", "benchmarks.capped_cases", *sys.argv[1:]]))
    rows = []
    bench, orders, work = (path.absolute() for path in (arguments.bench, arguments.orders, arguments.work))
    for name in names:
        report = study_case(bench, orders, name, work, arguments.config, arguments.requests)
        title = name if arguments.requests is None else f"{name}, requests {arguments.requests:g}"
        rows.append(row_of(title, report))
        kept = keep("capped_cases", {title: report | told})
    print(f"{printed_table(COLUMNS, rows)}\n\nkept in {kept}")


if __name__ == "__main__":
    main()
