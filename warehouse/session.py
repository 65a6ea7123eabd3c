"""What does uncap ask of an open warehouse, whichever database holds it?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from warehouse.sql import Dialect

Rows = list[tuple[Any, ...]]
Parameters = Sequence[object]


class Warehouse(ABC):
    """An open warehouse: one session in which statements, bulk writes and transactions belong together.

    Values never stand in the SQL: they travel as parameters, a ``?`` for each.

    Attributes
    ----------
    dialect
        Which SQL it speaks.
    """

    dialect: Dialect

    @abstractmethod
    def execute(self, sql: str, parameters: Parameters = ()) -> Rows:
        """Run one statement and return its rows, none where it has none."""

    @abstractmethod
    def query(self, sql: str, parameters: Parameters = (), schema: pa.Schema | None = None) -> pa.Table:
        """Run a query and return its rows, cast to a schema where one is given."""

    @abstractmethod
    def changed(self, sql: str, parameters: Parameters = ()) -> int:
        """Run an INSERT, UPDATE or DELETE and return how many rows it touched."""

    @abstractmethod
    def ingest(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Put rows into a temporary table of that name, in bulk; `drop_temporary` drops it."""

    @abstractmethod
    def ingested(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> AbstractContextManager[None]:
        """Have rows as a temporary relation of that name inside the block."""

    @abstractmethod
    def begin(self) -> None:
        """Begin a transaction that writes; see ``warehouse.transactions.transaction``."""

    def commit(self) -> None:
        """Keep what the transaction did."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what the transaction did."""
        self.execute("ROLLBACK")

    @abstractmethod
    def drop_temporary(self, names: Sequence[str]) -> None:
        """Drop those of some temporary tables that are there."""

    @abstractmethod
    def gather_statistics(self, relation: str) -> None:
        """Let the planner know a relation, named as SQL, that has just been filled."""

    @abstractmethod
    def view_comments(self, schema: str) -> Mapping[str, str | None]:
        """Return the comment of each view of a schema."""

    @abstractmethod
    def close(self) -> None:
        """End the session; temporary tables and locks end with it."""

    def compiled(self, expression: ir.Table) -> str:
        """Return an expression as SQL of this warehouse."""
        return str(ibis.to_sql(expression, dialect=self.dialect, pretty=False))

    @contextmanager
    def rows_in_memory(self, expression: ir.Table) -> Iterator[None]:
        """Have the rows that an expression brings along (``ibis.memtable``) in the warehouse inside the block."""
        # one of them may stand in several places of an expression
        brought = {place.name: place.data.to_pyarrow(place.schema) for place in expression.op().find(ops.InMemoryTable)}
        with ExitStack() as held:
            for name, rows in brought.items():
                held.enter_context(self.ingested(name, rows))
            yield
