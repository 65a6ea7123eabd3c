"""From which rows a model was made: counts, spans and content hashes of the tables that are loaded."""

from __future__ import annotations

from contracts.raw import RAW_TABLES
from contracts.tables import Kind
from flows.tracking import TableLineage
from warehouse.session import Warehouse
from warehouse.tables import fingerprint


def table_lineage(con: Warehouse) -> list[TableLineage]:
    """Return the lineage of every input table that has rows; its span is that of its first required date."""
    lineage = []
    for described in RAW_TABLES:
        dates = [column.name for column in described.columns if column.kind is Kind.DATE and column.required]
        found = fingerprint(con, described, dates[0] if dates else None)
        if found.rows:
            lineage.append(TableLineage(described.full_name, found.rows, found.first_day, found.last_day, found.content_hash))
    return lineage
