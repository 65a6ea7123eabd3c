"""Does each part of recovery help? The simulated county, where the truth is known, with a part and without it.

A study of one part is a function of the shops to simulate and a seed that returns its rows; ``STUDIES`` names them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks.ablation_limits import hoarding_rows, limit_rows
from benchmarks.ablation_rows import COLUMNS, AblationRow
from benchmarks.records import circumstances, keep, printed_table

STUDIES: dict[str, Callable[[int, int], list[AblationRow]]] = {"hoarding": hoarding_rows, "limits": limit_rows}
"""By name; each takes retailers and seed."""


def main() -> None:
    """Run the studies asked for, print a table and keep it in ``results/ablations.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", nargs="+", choices=sorted(STUDIES), default=sorted(STUDIES))
    parser.add_argument("--retailers", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for name in asked.studies:
        command = f"python -m benchmarks.ablations --studies {name} --retailers {asked.retailers} --seed {asked.seed}"
        noted = circumstances(command)
        rows = STUDIES[name](asked.retailers, asked.seed)
        print(f"{name}\n{printed_table(COLUMNS, [row.cells() for row in rows])}\n")
        keep("ablations", {name: {"rows": [dict(zip(COLUMNS, row.cells(), strict=True)) for row in rows], **noted}})


if __name__ == "__main__":
    main()
