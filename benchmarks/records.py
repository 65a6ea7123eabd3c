"""How are figures kept? As small JSON files in benchmarks/results, each with the versions and the machine it was measured on."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent
PROJECT = BENCHMARKS.parent
RESULTS = BENCHMARKS / "results"
WORK = PROJECT / "data" / "benchmarks"
"""Where warehouses, cases and caches of benchmarks are made; nothing in it is under version control."""

PACKAGES = ("uncap", "duckdb", "ibis-framework", "lightgbm", "mlflow", "numpy", "pandas", "prefect", "pyarrow")


def circumstances(command: str) -> dict[str, object]:
    """Return what a figure depends on besides the code: the command, versions, cores, memory, and what else the machine was doing.

    ``load_average_at_start`` is of the five minutes before: wall times measured beside other work (above about 0.5) are too long.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "command": without_folders(command),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
        "load_average_at_start": round(os.getloadavg()[1], 1),
        "versions": {name: version(name) for name in PACKAGES},
    }


def without_folders(command: str) -> str:
    """Return a command without the folders of this machine.

    >>> without_folders("python -m benchmarks.iowa --orders /srv/data/iowa --pairs 9")
    'python -m benchmarks.iowa --orders .../iowa --pairs 9'
    """
    return re.sub(r"(?<!\S)/\S*/", ".../", command)


def keep(name: str, figures: Mapping[str, object]) -> Path:
    """Add figures to ``results/NAME.json``: entries of the same key are replaced, the others stay.

    Parameters
    ----------
    name
        The study.
    figures
        By what was studied: an ``as_of``, a case, a folder.

    Returns
    -------
    Path
        The file.
    """
    path = RESULTS / f"{name}.json"
    stored = json.loads(path.read_text()) if path.exists() else {}
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(dict(sorted({**stored, **figures}.items())), indent=1) + "\n")
    return path


def printed_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as text in columns; numbers flush right, None as a dash.

    >>> print(printed_table(["forecast", "bias"], [["naive", 0.1], ["mean", None]]))
    forecast  bias
    naive      0.1
    mean         -
    """
    texts = [[*columns], *[["-" if value is None else str(value) for value in row] for row in rows]]
    widths = [max(len(row[position]) for row in texts) for position in range(len(columns))]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in texts)
