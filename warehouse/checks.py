"""Which rows of a staged table break a rule of their own: type, null, bounds, Mondays, choices, or one of their table?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.customers import VALUE_CLASSES
from contracts.raw import ALLOCATION_LIMITS
from contracts.tables import Column, Kind
from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.faults import Fault
from warehouse.sql import quoted
from warehouse.staging import StagedTable

_READABLE = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a number",
    Kind.DATE: "a date such as 2019-09-30, without a time of day",
}
_UNREADABLE = {Kind.TEXT: "not text", Kind.NUMBER: "not a number", Kind.DATE: "not a date"}


@dataclass(frozen=True)
class RowRule:
    """A condition that no row may fulfil.

    Attributes
    ----------
    column
        The column to name and to show the value of.
    broken_when
        The condition, as SQL over a staged row; null is not broken.
    problem, expected
        What is wrong, and what should be there.
    value
        What to show of the first row at fault, as SQL.
    """

    column: str
    broken_when: str
    problem: str
    expected: str
    value: str


_COLLIDING_LIMITS = RowRule("cap_units", "cap_units < floor_units", "below floor_units", "a cap of at least the floor", "cap_units")

_TABLE_RULES = {
    "retailers": (
        RowRule("closed_on", "closed_on < opened_on", "before opened_on", "a day on or after opened_on", "closed_on"),
        RowRule("successor_id", "successor_id = retailer_id", "the retailer itself", "another retailer, or nothing", "successor_id"),
    ),
    "interactions": (
        RowRule("resolved_on", "resolved_on < occurred_on", "before occurred_on", "a day on or after occurred_on", "resolved_on"),
    ),
    "allocation_limits": (
        RowRule(
            "sku_id",
            "(sku_id IS NULL) = (price_band IS NULL)",
            "both or neither of sku_id and price_band",
            "exactly one of the two",
            "sku_id",
        ),
        RowRule(
            "retailer_id",
            "retailer_id IS NOT NULL AND tier IS NOT NULL",
            "a limit for a retailer and a tier",
            "at most one of the two",
            "tier",
        ),
        _COLLIDING_LIMITS,
    ),
    "segment_overrides": (
        RowRule(
            "value",
            f"attribute = 'value_class' AND value NOT IN {VALUE_CLASSES}",
            "no value class",
            f"one of {', '.join(VALUE_CLASSES)}",
            "value",
        ),
        RowRule(
            "approved_by",
            "lower(trim(approved_by)) = lower(trim(proposed_by))",
            "the user that proposed it",
            "another user: who proposes does not approve",
            "approved_by",
        ),
        RowRule(
            "approved_on",
            "(approved_by IS NULL) <> (approved_on IS NULL)",
            "only one of approved_by and approved_on",
            "both, or neither while it waits",
            "approved_on",
        ),
        RowRule("approved_on", "approved_on < proposed_on", "before proposed_on", "a day on or after proposed_on", "approved_on"),
        RowRule("expires_on", "expires_on <= proposed_on", "not after proposed_on", "a day after proposed_on", "expires_on"),
    ),
}


def row_faults(reader: DuckDBWarehouse, staged: StagedTable) -> list[Fault]:
    """Return the faults that show in a single row of the file, all of them in one pass."""
    rules = [rule for name in staged.columns for rule in _column_rules(staged.table.column(name), has_unreadable=staged.has_unreadable)]
    return _broken(reader, staged, [*rules, *_TABLE_RULES.get(staged.table.name, ())])


def colliding_limits(reader: DuckDBWarehouse, staged: StagedTable) -> list[Fault]:
    """Return the caps below their floor that appear only once rows of one key have completed each other.

    One row that says both contradicts itself and is a fault. Two rows are two decisions, a ration and a bundled sale,
    that do collide in the books of wholesalers; they are loaded as they are, and the caller warns.
    """
    return _broken(reader, staged, [_COLLIDING_LIMITS] if staged.table is ALLOCATION_LIMITS else [])


def _column_rules(column: Column, *, has_unreadable: bool) -> Iterator[RowRule]:
    name = quoted(column.name)
    lost = f"unreadable['{column.name}']"
    if has_unreadable:
        yield RowRule(column.name, f"{lost} IS NOT NULL", _UNREADABLE[column.kind], _READABLE[column.kind], lost)
    if column.required:
        unread = f" AND {lost} IS NULL" if has_unreadable else ""
        yield RowRule(column.name, f"{name} IS NULL{unread}", "empty", _READABLE[column.kind], "NULL")
    if column.kind is Kind.NUMBER:
        # DuckDB sorts NaN above every number, so the bounds have to ask for finite ones.
        yield RowRule(column.name, f"NOT isfinite({name})", "not finite", "a number", name)
    if column.minimum is not None:
        below = f"{name} < {column.minimum} AND isfinite({name})"
        yield RowRule(column.name, below, f"below {column.minimum:g}", f"{column.minimum:g} or more", name)
    if column.maximum is not None:
        above = f"{name} > {column.maximum} AND isfinite({name})"
        yield RowRule(column.name, above, f"above {column.maximum:g}", f"{column.maximum:g} or less", name)
    if column.monday:
        yield RowRule(column.name, f"isodow({name}) <> 1", "not a Monday", "the Monday of the week", name)
    if column.choices:
        allowed = ", ".join(f"'{choice}'" for choice in column.choices)
        yield RowRule(column.name, f"{name} NOT IN ({allowed})", "unknown", f"one of {', '.join(column.choices)}", name)
    if column.kind is Kind.TEXT:
        yield RowRule(column.name, f"contains({name}, chr(0))", "a null byte in it", "text", name)


def _broken(reader: DuckDBWarehouse, staged: StagedTable, rules: Sequence[RowRule]) -> list[Fault]:
    if not rules:
        return []
    counts = ", ".join(f"count(*) FILTER ({rule.broken_when}), min(rowid) FILTER ({rule.broken_when})" for rule in rules)
    counted = reader.execute(f"SELECT {counts} FROM {staged.relation}")[0]
    faults = []
    for rule, count, first_row in zip(rules, counted[::2], counted[1::2], strict=True):
        if count:
            shown = f"SELECT CAST({rule.value} AS VARCHAR) FROM {staged.relation} WHERE rowid = ?"
            value = reader.execute(shown, [first_row])[0][0]
            faults.append(Fault(staged, rule.column, rule.problem, rule.expected, count, first_row, value))
    return faults
