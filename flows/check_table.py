"""How the findings of the data checks are shown: a table for people, a JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.data_checks import Finding
from flows.console import console_for_results

_STYLES = {"error": "bold red", "warning": "yellow"}


def shown_findings(accepted: Sequence[str], *, as_json: bool) -> Callable[[Sequence[Finding]], None]:
    """Return what shows findings on stdout, as a JSON document or as a table."""

    def show(findings: Sequence[Finding]) -> None:
        if as_json:
            console_for_results().print(findings_document(findings, accepted), markup=False, soft_wrap=True)
        else:
            print_findings(findings, accepted, console_for_results())

    return show


def print_findings(findings: Sequence[Finding], accepted: Sequence[str], console: Console) -> None:
    """Print a line per check, the gravest first."""
    table = Table(title="Data checks", title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for heading in ("check", "severity", "found"):
        table.add_column(heading, overflow="fold")
    for found in findings:
        severity = "accepted" if found.severity == "error" and found.check in accepted else found.severity
        table.add_row(found.check, Text(severity, style=_STYLES.get(severity, "")), Text(found.message))
    console.print(table)


def findings_document(findings: Sequence[Finding], accepted: Sequence[str]) -> str:
    """Return the findings as a JSON document.

    >>> print(findings_document([Finding("prices", "ok", "raw.order_lines", "amount", "as usual", observed=1.0)], ["prices"]))
    {"findings": [{"check": "prices", "severity": "ok", "table": "raw.order_lines", "column": "amount", "message": "as usual", \
"rows": 0, "observed": 1.0, "expected_low": null, "expected_high": null, "accepted": false}]}
    """
    rows = [asdict(found) | {"accepted": found.severity == "error" and found.check in accepted} for found in findings]
    return json.dumps({"findings": rows}, ensure_ascii=False)
