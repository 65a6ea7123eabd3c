"""How a table is described: its columns with type, unit and rules, its key, and the rows that may not be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa


class Kind(Enum):
    """The types a column can have; a warehouse and a file each have their own word for it."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column.

        >>> Kind.NUMBER.arrow
        DataType(double)
        """
        return {
            Kind.TEXT: pa.string(),
            Kind.DATE: pa.date32(),
            Kind.NUMBER: pa.float64(),
            Kind.INTEGER: pa.int64(),
            Kind.BOOLEAN: pa.bool_(),
            Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
        }[self]


@dataclass(frozen=True)
class Column:
    """One column: what it is called, what it holds, and what it may hold.

    Attributes
    ----------
    name, kind, description
        Name and type, and one plain phrase with the unit.
    required
        Must be in the file and never null.
    minimum, maximum
        Bounds of a number, inclusive; None is no bound.
    monday
        A date that must be a Monday.
    choices
        The only texts allowed; empty is any.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    monday: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Every non-null value of ``column`` must be a key of ``table``, where that table is loaded."""

    column: str
    table: str


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    Attributes
    ----------
    schema, name
        Where it lies in the warehouse.
    columns
        In the order they are stored.
    key
        The columns that make a row unique; nulls count as values.
    description
        One sentence: what a row is.
    references
        Columns that must be known elsewhere.
    mergeable
        Non-key columns in which rows of one key may complete each other: null gives way to a value.
        Two different values are still a duplicate key.
    amendable
        A later load may change a row that is stored: registers and plans change, order lines do not.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    description: str
    references: tuple[Reference, ...] = ()
    mergeable: tuple[str, ...] = ()
    amendable: bool = True

    @property
    def full_name(self) -> str:
        """Schema and name, as in SQL."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns a file must have."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """Return a column by name; KeyError if there is none."""
        return {column.name: column for column in self.columns}[name]

    @property
    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema of the stored table."""
        return pa.schema([pa.field(c.name, c.kind.arrow, nullable=not c.required) for c in self.columns])
