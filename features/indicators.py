"""How does a condition become a number on every engine: PostgreSQL knows no cast from a condition to a number with decimals."""

from __future__ import annotations

import ibis.expr.types as ir


def one_or_zero(condition: ir.BooleanValue) -> ir.FloatingValue:
    """Return 1.0 where a condition holds, 0.0 where it does not, and null where it is unknown.

    >>> import ibis
    >>> shops = ibis.table({"open": "boolean"}, name="shops")
    >>> words = ibis.to_sql(shops.select(is_open=one_or_zero(shops.open)), dialect="postgres", pretty=False)
    >>> words == 'SELECT CAST(CAST("t0"."open" AS INT) AS DOUBLE PRECISION) AS "is_open" FROM "shops" AS "t0"'
    True
    """
    return condition.cast("int32").cast("float64")
