"""How the data are checked before models see them: every finding is published, and an error that nobody accepted stops the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from contracts.data_checks import DATA_CHECK, SEVERITIES, Finding
from contracts.errors import InputDataError, UsageError
from contracts.steps import counted
from contracts.weeks import parse_last_day
from flows.check_findings import data_findings
from flows.console import Say, narrated
from flows.environment import prepare
from flows.opening import open_warehouse, order_span
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import RunRecord, recorded_run
from flows.settings import Settings, read_settings
from warehouse.publish import publish

Show = Callable[[Sequence[Finding]], None]


def check(settings: Settings, as_of: date | None, show: Show) -> None:
    """Check the data as of a day, publish what is found and show it; nothing is trained or scored.

    Parameters
    ----------
    settings
        Where the warehouse is, and which checks are accepted.
    as_of
        Last day that is known, of any weekday; None for the day of the newest order.

    show
        Is handed one finding per check, the gravest first, before an error among them is raised.

    Raises
    ------
    InputDataError
        If a check finds an error that is not accepted.
    UsageError
        If no order is loaded by then.
    """
    in_flow("check", check_steps, settings, as_of, show)


@named_flow("check")
def check_flow(config: str | None = None, as_of: str | None = None) -> None:
    """Check as a deployment does: with the path of a configuration file and a day, or neither; fails where an error is found."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    check_steps(settings, parse_last_day(as_of, datetime.now(UTC).date()), show=lambda _: None)


def check_steps(settings: Settings, as_of: date | None, show: Show) -> None:
    """Check inside a Prefect flow, and record it, as failed where an error is found."""
    with recorded_run(settings, flow="check", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("check", run) as say:
        as_of = run.as_of = with_retries(choose_check_day, settings)(settings, as_of)
        findings = with_retries(publish_findings, settings)(settings, as_of, run, say)
        run.rows_written = {DATA_CHECK.full_name: len(findings)}
        show(findings)
        rows = [{"check": found.check, "severity": found.severity, "message": found.message} for found in findings]
        show_key_figures("uncap-check", rows, f"What the data checks found as of {as_of}.")
        require_passed(settings, findings)


def require_sound_data(settings: Settings, as_of: date, run: RunRecord, say: Say) -> None:
    """Check the data before a run goes on with them; what was found is published even if it stops here.

    Raises
    ------
    InputDataError
        If a check finds an error that is not accepted.
    """
    require_passed(settings, with_retries(publish_findings, settings)(settings, as_of, run, say))


@named_task("choose the day to check")
def choose_check_day(settings: Settings, as_of: date | None) -> date:
    """Return the last day that is known: the one asked for, or that of the newest order.

    Raises
    ------
    UsageError
        If no order is loaded, or none by that day.
    """
    with open_warehouse(settings) as con:
        first, last = order_span(con)
    if as_of is not None and as_of < first:
        raise UsageError(f"as_of {as_of} lies before the first order, {first}", hint=f"give a day from {first} on, or leave it out")
    return as_of or last


@named_task("check the data")
def publish_findings(settings: Settings, as_of: date, run: RunRecord, say: Say) -> list[Finding]:
    """Publish what every check finds, in a transaction of its own, tell what is not as it should be, and return all, the gravest first."""
    with open_warehouse(settings) as con:
        findings = sorted(data_findings(con, settings, as_of), key=lambda found: -SEVERITIES.index(found.severity))
        rows = finding_rows(findings, as_of, run.run_id, settings.data_checks.accept)
        publish(con, {DATA_CHECK: rows}, as_of=as_of, keep_weeks={DATA_CHECK.name: settings.data_checks.keep_weeks or None})
    for found in findings:
        if found.severity == "error" and found.check in settings.data_checks.accept:
            say(f"warning: accepted: {found.check}: {found.message}")
        elif found.severity in ("warning", "error"):
            say(f"warning: {found.severity} of the check {found.check}: {found.message}")
    grave = sum(found.severity in ("warning", "error") for found in findings)
    say(counted(len(findings), f"checks of the data up to {as_of}, {grave} of them found something"))
    return findings


def require_passed(settings: Settings, findings: Sequence[Finding]) -> None:
    """Refuse to go on with data in which a check found an error that is not accepted.

    Raises
    ------
    InputDataError
        With every such error.
    """
    stopping = [found for found in findings if found.severity == "error" and found.check not in settings.data_checks.accept]
    if stopping:
        accepting = " ".join(f"--accept {found.check}" for found in stopping)
        raise InputDataError(
            [f"{found.table}.{found.column}: {found.check}: {found.message}" for found in stopping],
            hint=f"put the data right and run again, what was scored before stays; if they are right, go on with {accepting}"
            f" (setting data_checks.accept); {DATA_CHECK.full_name} keeps the whole report, docs/data_checks.md says what each check means",
        )


def finding_rows(findings: Sequence[Finding], as_of: date, run_id: str, accepted: Sequence[str]) -> pa.Table:
    """Return findings as rows of ``scored.data_check``."""
    rows = [
        {
            "as_of": as_of,
            "check_name": found.check,
            "severity": found.severity,
            "accepted": found.severity == "error" and found.check in accepted,
            "table_name": found.table,
            "column_name": found.column,
            "rows_affected": found.rows,
            "observed": found.observed,
            "expected_low": found.expected_low,
            "expected_high": found.expected_high,
            "message": found.message,
            "run_id": run_id,
        }
        for found in findings
    ]
    return pa.Table.from_pylist(rows, schema=DATA_CHECK.arrow_schema)
