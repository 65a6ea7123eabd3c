"""What the data checks tell: which checks there are, what one finds, and the tables that keep the findings and the lines put aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.data_check_names import CHECKS
from contracts.tables import Column, Kind, Reference, Table

SEVERITIES = ("ok", "info", "warning", "error")
"""From harmless to stopping: ``ok`` found nothing, ``info`` is worth knowing, ``warning`` worth a look, ``error`` stops train and score."""


QUARANTINING = ("duplicate_lines", "implausible_lines")
"""Checks that put lines aside instead of only telling of them."""

DECISIONS = ("release", "keep_out")


@dataclass(frozen=True)
class Finding:
    """What one check found of one subject.

    Attributes
    ----------
    check
        A name of ``CHECKS``.
    severity
        One of ``SEVERITIES``.
    table, column
        Where to look.
    message
        A sentence that a person can act on.
    rows
        Rows affected.
    observed, expected_low, expected_high
        The figure that was judged and the bounds within which it would have passed; None where there is none.
    """

    check: str
    severity: str
    table: str
    column: str
    message: str
    rows: int = 0
    observed: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None


def worst_severity(severities: Sequence[str]) -> str:
    """Return the worst of some severities, ``ok`` of none.

    >>> worst_severity(["info", "error", "warning"]), worst_severity([])
    ('error', 'ok')
    """
    return max(severities, key=SEVERITIES.index, default="ok")


DATA_CHECK = Table(
    "scored",
    "data_check",
    (
        Column("as_of", Kind.DATE, "last day that was known", required=True),
        Column("check_name", Kind.TEXT, "the check", required=True, choices=tuple(CHECKS)),
        Column("severity", Kind.TEXT, "ok, info, warning or error: an error stops train and score", required=True, choices=SEVERITIES),
        Column("accepted", Kind.BOOLEAN, "true where an error was accepted by --accept or data_checks.accept", required=True),
        Column("table_name", Kind.TEXT, "where to look: the table", required=True),
        Column("column_name", Kind.TEXT, "where to look: the column", required=True),
        Column("rows_affected", Kind.INTEGER, "rows that the message is about", required=True),
        Column("observed", Kind.NUMBER, "the figure that was judged; null where there is none"),
        Column("expected_low", Kind.NUMBER, "least value that passes; null is no bound"),
        Column("expected_high", Kind.NUMBER, "greatest value that passes; null is no bound"),
        Column("message", Kind.TEXT, "what was found and what to do, in a sentence", required=True),
        Column("run_id", Kind.TEXT, "the run that wrote the row, see runs", required=True),
    ),
    key=("as_of", "check_name"),
    description="What one check of the input data found as of a day; written also where it stopped the run.",
)

QUARANTINED_LINE = Table(
    "derived",
    "quarantined_line",
    (
        Column("line_id", Kind.TEXT, "the order line", required=True),
        Column("check_name", Kind.TEXT, "the check that put it aside, or decision for a person", required=True),
        Column("reason", Kind.TEXT, "why", required=True),
        Column("retailer_id", Kind.TEXT, "the retailer", required=True),
        Column("sku_id", Kind.TEXT, "the stock-keeping unit", required=True),
        Column("ordered_on", Kind.DATE, "day of the order", required=True),
        Column("delivered_units", Kind.NUMBER, "units the line says, as loaded", required=True),
        Column("usual_units", Kind.NUMBER, "units of a usual line of the retailer and SKU before; null where that is not the question"),
    ),
    key=("line_id",),
    description="An order line that the cells leave out because a check or a person put it aside; it stays in raw.order_lines.",
)

QUARANTINE_DECISIONS = Table(
    "raw",
    "quarantine_decisions",
    (
        Column("line_id", Kind.TEXT, "the order line", required=True),
        Column("holds_from", Kind.DATE, "as_of from which it holds: what was scored as of an earlier one is not touched", required=True),
        Column("decision", Kind.TEXT, "release or keep_out", required=True, choices=DECISIONS),
        Column("decided_by", Kind.TEXT, "user that decided", required=True),
        Column("reason", Kind.TEXT, "why", required=True),
    ),
    key=("line_id", "holds_from"),
    description="What a person decided of an order line: that it is right after all, or that it is to be left out; the newest holds.",
    references=(Reference("line_id", "order_lines"),),
    amendable=False,
)
