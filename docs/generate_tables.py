"""Writes docs/tables.md, the reference of all tables, from the contract: `python docs/generate_tables.py`."""

from __future__ import annotations

from pathlib import Path

from contracts.cells import CELLS, RECOVERED
from contracts.customers import CUSTOMER_TABLES
from contracts.data_checks import DATA_CHECK, QUARANTINED_LINE
from contracts.monitoring import MONITORING_TABLES
from contracts.raw import RAW_TABLES
from contracts.scored import SCORED_TABLES
from contracts.tables import Column, Table

PAGE = Path(__file__).with_name("tables.md")

HEAD = """\
# Tables

Made from `contracts/` by `docs/generate_tables.py`; change it there.

Words:

- **week**: Monday to Sunday, named by its Monday, `week_start`.
- **as_of**: the last day anything may be known, inclusive; always a Sunday.
- **delivered**: what the retailer got. **requested**: what it asked for.
- **cap**: the most a retailer may order of a SKU, or of a whole price band, in a week. **floor**: the least it must take.
- **true demand**: what the retailer would have ordered with no cap, no floor and no stock-out.

Types: text; date (no time of day); number (64-bit float); integer; boolean (true or false); timestamp (UTC). A *required* column is never
null, and an input file must have it. The columns in **bold** are the key: no two rows agree in all of them, nulls counting as values.
"""

RAW = """\
## Input tables (schema `raw`)

`uncap load DIR` reads `<table>.parquet`, `<table>.csv` or a folder `<table>/` of Parquet files for each of them. Only `order_lines` must be
there. A column that is not listed is kept out, with a warning that names it. Besides what each table states below, a load refuses:

- two rows of one key with other values in a file, and an order line that is stored with other values (`--replace` lets it change);
- a retailer or SKU that is not in `retailers` or `skus`, where that table is loaded;
- a date far outside the range of the orders;
- a `closed_on` before `opened_on`, a `successor_id` that is the retailer itself, a `resolved_on` before `occurred_on`;
- a limit that names both or neither of `sku_id` and `price_band`, both of `retailer_id` and `tier`, or a cap below its own floor in one
  row.

All faults are told at once, and nothing of a faulty load is kept.

Of several limits that apply to a retailer and a SKU in a week, the most specific row wins with both its cap and its floor: retailer before
tier before everybody. A limit on a price band and one on a SKU both hold. No row, or a null cap, means no cap.
"""

SCORED = """\
## Scored tables (schema `scored`)

Written by `uncap score`, all in one transaction; `runs` is written by every flow. Scoring an `as_of` again replaces its rows. How many
weeks of past `as_of` are kept is set in `[publish.keep_weeks]`.

Weekly totals of a group are sums of `mean_units`. The quantiles of a group are not the sums of its quantiles.

The view `scored.true_demand_weekly` has the columns of `true_demand` without `as_of`, `model_version` and `run_id`. It adds the weeks with
an order that no limit censored, in which delivered is the true demand. A retailer-SKU-week in neither is a week without demand, or one in
which nothing could be ordered.
"""

DERIVED = """\
## Derived tables (schema `derived`)

Computed from the input tables whenever they are needed. Nothing outside uncap should rely on them.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD]
    scored = (*SCORED_TABLES, *CUSTOMER_TABLES, *MONITORING_TABLES, DATA_CHECK)
    for head, tables in ((RAW, RAW_TABLES), (SCORED, scored), (DERIVED, (CELLS, RECOVERED, QUARANTINED_LINE))):
        parts += [head, *(section(table) for table in tables)]
    return "\n".join(parts)


def section(table: Table) -> str:
    """Return the heading, the rules and the columns of one table as Markdown."""
    rules = [f"`{r.column}` refers to `{r.table}`." for r in table.references]
    if table.mergeable:
        names = " and ".join(f"`{name}`" for name in table.mergeable)
        rules.append(f"Rows of one key may complete each other in {names}: a null gives way to a value.")
    lines = [
        f"### `{table.full_name}`",
        "",
        " ".join([table.description, *rules]),
        "",
        "| column | type | required | what it holds |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_row(table, column) for column in table.columns), ""])


def _row(table: Table, column: Column) -> str:
    name = f"**`{column.name}`**" if column.name in table.key else f"`{column.name}`"
    return f"| {name} | {column.kind.value} | {'yes' if column.required else ''} | {column.description}{_bounds(column)} |"


def _bounds(column: Column) -> str:
    """What the description leaves out of what the column may hold."""
    if column.choices and not any(choice in column.description for choice in column.choices):
        return f"; {', '.join(column.choices)}"
    if column.minimum is None:
        return ""
    bounds = f"{column.minimum:g} or more" if column.maximum is None else f"{column.minimum:g} to {column.maximum:g}"
    return "" if bounds in column.description else f"; {bounds}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
