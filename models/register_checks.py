"""Are the newest orders of retailers and SKUs that the registers know, that are open or on sale, and that ordered before?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.data_checks import QUARANTINING, Finding

UNKNOWN_STOPS = 0.01
"""Share of lines that a loaded register lacks from which on it is the wrong one; `uncap load` refuses even one, other ways in do not."""

ENDED_STOPS = 0.1
"""Share of lines after the last day of their retailer or SKU from which on the register is wrong rather than a date of it."""

NEW_WARNS, NEW_STOPS = 0.1, 0.3
"""Share of lines of retailers or SKUs never seen before: a new branch or catalogue, or identifiers that are written in another way."""

FEWEST_LINES = 30
"""Fewest such lines that stop a run."""

_REGISTERS = {"retailers": ("retailer_id", "closed_on"), "skus": ("sku_id", "delisted_on")}
_ENDED = {"retailers": "closed_retailers", "skus": "delisted_skus"}


def register_findings(counts: Mapping[str, Any], *, loaded: Mapping[str, bool]) -> list[Finding]:
    """Judge the lines that the registers contradict.

    Parameters
    ----------
    counts
        The row of ``features.data_check_registers.register_faults``.
    loaded
        Whether ``retailers`` and ``skus`` have any row.
    """
    findings = []
    for register, (key, last_day) in _REGISTERS.items():
        name, ended = f"unknown_{register}", _ENDED[register]
        if not loaded[register]:
            message = f"no register of {register} is loaded, so nobody can say which {key} is a wrong one; load one"
            findings.append(Finding(name, "info", f"raw.{register}", key, message))
        else:
            hint = f"load a register with them, or correct the {key} of the lines"
            findings.append(_contradicted(name, key, f"of {register} that are not in the register", counts, UNKNOWN_STOPS, hint))
        hint = f"correct {last_day} in {register}, or the {key} of the lines"
        findings.append(_contradicted(ended, key, f"of {register} after their {last_day}", counts, ENDED_STOPS, hint))
    return findings


def newcomer_finding(register: str, row: Mapping[str, Any], lines: int, weeks: int) -> Finding:
    """Judge the lines of those never seen before; ``row`` as ``features.data_check_registers.newcomers`` gives it.

    Parameters
    ----------
    register
        ``retailers`` or ``skus``.
    lines
        All lines of the newest week.
    weeks
        Weeks of orders before it: in a young history everybody is new.
    """
    check, key, new = f"new_{register}", _REGISTERS[register][0], int(row["lines"])
    if weeks < 8 or not lines:
        return Finding(check, "ok", "raw.order_lines", key, "too few weeks of orders to say who is new")
    share = new / lines
    severity = "error" if share >= NEW_STOPS and new >= FEWEST_LINES else "warning" if share >= NEW_WARNS and new >= FEWEST_LINES else "ok"
    message = f"{new:,} of {lines:,} lines ({share:.1%}) are of {row['newcomers']:,} {register} never ordered before"
    if severity != "ok":
        message += f", first {key}={row['first_one']}: see whether identifiers are written as before (leading zeros, prefixes)"
    return Finding(check, severity, "raw.order_lines", key, message, new, share, 0, NEW_WARNS)


def quarantine_findings(found: Sequence[Mapping[str, Any]], lines: int, share_that_stops: float) -> list[Finding]:
    """Judge the lines of the newest week that are put aside.

    Parameters
    ----------
    found
        Rows of ``features.data_check_quarantine.quarantined_lines``.
    lines
        All lines of the newest week.
    share_that_stops
        Share of them from which on it is a fault of the feed: then nothing is put aside silently, the run stops.
    """
    findings = []
    for check in QUARANTINING:
        theirs = [row for row in found if row["check_name"] == check]
        if not theirs:
            findings.append(Finding(check, "ok", "raw.order_lines", "line_id", "none is put aside", 0, 0.0, 0, share_that_stops))
            continue
        first, share = min(theirs, key=lambda row: row["line_id"]), len(theirs) / lines
        stops = share > share_that_stops and len(theirs) >= FEWEST_LINES
        usual = f" where {first['usual_units']:,.1f} are usual" if first["usual_units"] is not None else ""
        named = f"line_id={first['line_id']} ({first['retailer_id']}, {first['sku_id']}, {first['delivered_units']:,g} units{usual})"
        message = f"{len(theirs):,} of {lines:,} lines ({share:.1%}) are put aside: {first['reason']}; first {named}"
        message += (
            ": too many to go on without a look; remove them or accept the check, and they are left out"
            if stops
            else "; release what is right after all with quarantine_decisions"
        )
        severity = "error" if stops else "warning"
        findings.append(Finding(check, severity, "raw.order_lines", "line_id", message, len(theirs), share, 0, share_that_stops))
    return findings


def _contradicted(check: str, key: str, what: str, counts: Mapping[str, Any], share_that_stops: float, hint: str) -> Finding:
    count, lines = int(counts[check] or 0), int(counts["lines"])
    if not count:
        return Finding(check, "ok", "raw.order_lines", key, f"no line {what}", observed=0, expected_high=0)
    share = count / lines
    severity = "error" if share >= share_that_stops and count >= FEWEST_LINES else "warning"
    message = f"{count:,} of {lines:,} lines ({share:.1%}) {what}, first {key}={counts[f'{check}_first']}: {hint}"
    return Finding(check, severity, "raw.order_lines", key, message, count, share, 0, 0)
