"""What does the terminal, or a program, get of a monitored Sunday: the exceptions, ranked and few?"""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console

from flows.console import table_of
from flows.monitor import Monitored


def print_monitored(monitored: Monitored, console: Console) -> None:
    """Print the exceptions, the gravest first, or that there are none."""
    measures = f"{len(monitored.findings):,} measures as of {monitored.as_of}"
    if not monitored.exceptions:
        console.print(f"{measures}: all within their bounds", markup=False)
        return
    rows = [
        (each.status, each.area, each.finding + (f" (and {each.others} more like it)" if each.others else ""), str(each.since), each.advice)
        for each in monitored.exceptions
    ]
    title = f"{measures}: {monitored.count('alert')} alerts, {monitored.count('watch')} to watch"
    console.print(table_of(title, ["status", "area", "what", "since", "what to do"], rows))


def as_json(monitored: Monitored) -> str:
    """Return the exceptions and all measures as a JSON document; dates are ISO texts."""
    document = {
        "as_of": monitored.as_of,
        "alerts": monitored.count("alert"),
        "watched": monitored.count("watch"),
        "exceptions": [asdict(each) for each in monitored.exceptions],
        "measures": [
            {
                "area": finding.measured.area,
                "measure": finding.measured.measure,
                "slice_kind": finding.measured.slice_kind,
                "slice_value": finding.measured.slice_value,
                "value": finding.measured.estimate.value,
                "n": finding.measured.estimate.n,
                "baseline": finding.measured.estimate.baseline,
                **asdict(finding.bounds),
                "status": finding.status,
                "since": finding.since,
                "message": finding.message,
            }
            for finding in monitored.findings
        ],
    }
    return json.dumps(document, indent=2, default=str, ensure_ascii=False)
