"""Which order lines are put aside because they can hardly be right, each judged by what was ordered before it alone?

Nothing later than a line decides about it, so a line is put aside as of every Sunday from its own on, or as of none; only what a person
decides changes that, from the day on that the decision says.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.data_checks import QUARANTINED_LINE
from features.windows import week_of

BASKET_SKUS = 5
"""Fewest SKUs of a retailer's day that are all there twice by mistake rather than by chance: 13 days of 170,000 in three real years."""

COPIED_DAY_SHARE = 0.2
"""From this share of a day's lines in such baskets on, every repeated line of the day is a copy."""

PAIR_TIMES, PAIR_LINES = 100.0, 5
"""A line is implausible from this multiple of the retailer's usual line of the SKU on, after so many lines: 59 in three real years."""

SKU_TIMES = 20.0
"""It must be this multiple of anybody's usual line of the SKU, too: shops do grow."""

NEW_PAIR_TIMES, NEW_PAIR_RECORD, NEW_PAIR_LINES = 1000.0, 10.0, 50
"""Without a history of the pair: this multiple of the SKU's usual line and of its largest in any week before, after so many lines."""

_ALIKE = ["retailer_id", "sku_id", "ordered_on", "delivered_units", "requested_units", "amount"]


def quarantined_lines(order_lines: ir.Table, decisions: ir.Table, as_of: date | None, days: tuple[date, date] | None = None) -> ir.Table:
    """Return the lines to leave out, with the reason.

    Parameters
    ----------
    order_lines
        Table ``raw.order_lines``, all of it: later lines change nothing.
    decisions
        Table ``raw.quarantine_decisions``.
    as_of
        Decisions that hold from later on do not count; None counts all.
    days
        First and last day of the lines to judge, which takes less; None judges all.

    Returns
    -------
    ibis.Table
        One row per line, with the columns of ``contracts.data_checks.QUARANTINED_LINE``.
    """
    asked = order_lines if days is None else order_lines.filter(order_lines.ordered_on.between(*(ibis.literal(day) for day in days)))
    decided = _newest_decisions(decisions, as_of)
    released = decided.filter(decided.decision == "release").select("line_id")
    kept_out = decided.filter(decided.decision == "keep_out").select("line_id", reason=decided.reason)
    by_hand = asked.join(kept_out, "line_id").mutate(check_name=ibis.literal("decision"), usual_units=ibis.null("float64"))
    found = [_described(lines) for lines in (copied_lines(asked), implausible_lines(order_lines, asked), by_hand)]
    together = found[0].union(*found[1:])
    # a line may be found twice: a person's word stands before the checks, and a copy before its size
    place = ibis.row_number().over(group_by=together.line_id, order_by=[together.check_name, together.usual_units])
    once = together.mutate(place=place).filter(lambda rows: rows.place == 0)
    return once.anti_join(released, "line_id").select(*QUARANTINED_LINE.column_names)


def copied_lines(order_lines: ir.Table) -> ir.Table:
    """Return the lines that are there again: all but the first id of each, in baskets that are doubled as a whole.

    A single repeated line is an ordinary second order. A retailer's day is doubled when each of its lines, of five SKUs or more, is there
    at least twice; where a fifth of a whole day's lines is, the small baskets of that day are, too.
    """
    days = order_lines.group_by("ordered_on").aggregate(day_lines=order_lines.count())
    # sums of sums, for a database sorts all lines to count the different SKUs of each basket
    counted = order_lines.group_by("retailer_id", "ordered_on", "sku_id").aggregate(lines=order_lines.count())
    baskets = counted.group_by("retailer_id", "ordered_on").aggregate(skus=counted.count(), fewest=counted.lines.min())
    candidates = baskets.filter(baskets.skus >= BASKET_SKUS, baskets.fewest >= 2).select("retailer_id", "ordered_on")
    alike = _numbered(order_lines.semi_join(candidates, ["retailer_id", "ordered_on"]))
    judged = alike.group_by("retailer_id", "ordered_on").aggregate(lines=alike.count(), fewest_copies=alike.copies.min())
    doubled = judged.filter(judged.fewest_copies >= 2)
    by_day = doubled.group_by("ordered_on").aggregate(doubled_lines=doubled.lines.sum()).join(days, "ordered_on")
    copied_days = by_day.filter(by_day.doubled_lines >= COPIED_DAY_SHARE * by_day.day_lines).select("ordered_on")
    whole_days = _numbered(order_lines.semi_join(copied_days, "ordered_on"))
    in_baskets = alike.semi_join(doubled, ["retailer_id", "ordered_on"]).anti_join(copied_days, "ordered_on")
    copies = whole_days.union(in_baskets)
    return copies.filter(copies.number > 0).mutate(
        check_name=ibis.literal("duplicate_lines"),
        reason=ibis.literal("the retailer's whole order of the day is there again under other ids"),
        usual_units=ibis.null("float64"),
    )


def implausible_lines(order_lines: ir.Table, asked: ir.Table) -> ir.Table:
    """Return those of the lines asked for whose units are far beyond what was usual before them, and what that was.

    Usual is the geometric mean of the lines before, which one error hardly moves.
    """
    units = order_lines.delivered_units
    least = order_lines.group_by("sku_id").aggregate(least=units.min(where=units > 0))
    # no usual line is below the smallest of the SKU, so that most lines need no closer look
    large = asked.join(least, "sku_id").filter(lambda line: line.delivered_units >= PAIR_TIMES * line.least)
    found = _beyond_the_pair(order_lines, large).union(_beyond_the_sku(order_lines, large))
    return found.mutate(
        check_name=ibis.literal("implausible_lines"), reason=ibis.literal("over a hundred times the usual units of a line before it")
    )


def _beyond_the_pair(order_lines: ir.Table, large: ir.Table) -> ir.Table:
    """Those of the large lines that are a hundred times the pair's usual, and far beyond the SKU's."""
    pair = ["retailer_id", "sku_id"]
    told = _with_logarithms(order_lines.semi_join(_keys(large, pair), pair))
    before = ibis.window(group_by=pair, order_by=["ordered_on", "line_id"], rows=(None, -1))
    told = told.mutate(lines_before=told.log_units.count().over(before), usual_log=told.log_units.mean().over(before))
    far = told.filter(told.lines_before >= PAIR_LINES, told.log_units >= told.usual_log + ibis.literal(PAIR_TIMES).ln())
    far = far.semi_join(large, "line_id")
    found = far.join(_sku_weeks(order_lines.semi_join(_keys(far, ["sku_id"]), "sku_id")), ["sku_id", "week"])
    found = found.filter(found.log_units >= found.sku_log + ibis.literal(SKU_TIMES).ln())
    return found.select(*_columns(found), usual_units=found.usual_log.exp())


def _beyond_the_sku(order_lines: ir.Table, large: ir.Table) -> ir.Table:
    """Those of a thousand times anybody's usual of the SKU, and ten times its record: what no history of the pair could tell."""
    huge = _with_logarithms(large.filter(large.delivered_units >= NEW_PAIR_TIMES * large.least))
    found = huge.join(_sku_weeks(order_lines.semi_join(_keys(huge, ["sku_id"]), "sku_id")), ["sku_id", "week"])
    found = found.filter(
        found.sku_lines >= NEW_PAIR_LINES,
        found.log_units >= found.sku_log + ibis.literal(NEW_PAIR_TIMES).ln(),
        found.delivered_units >= NEW_PAIR_RECORD * found.record,
    )
    return found.select(*_columns(found), usual_units=found.sku_log.exp())


def _keys(lines: ir.Table, keys: list[str]) -> ir.Table:
    """The keys of some lines, each once: databases look up the few they guess, not those they do not."""
    return lines.group_by(keys).aggregate(lines=lines.count()).filter(lambda rows: rows.lines > 0).select(*keys)


def _with_logarithms(order_lines: ir.Table) -> ir.Table:
    some = order_lines.filter(order_lines.delivered_units > 0)
    return some.mutate(log_units=some.delivered_units.ln(), week=week_of(some.ordered_on))


def _sku_weeks(order_lines: ir.Table) -> ir.Table:
    """Each SKU's week, with what was usual of the SKU in all weeks before it."""
    lines = _with_logarithms(order_lines)
    weeks = lines.group_by("sku_id", "week").aggregate(lines=lines.count(), log_sum=lines.log_units.sum(), most=lines.delivered_units.max())
    before = ibis.window(group_by="sku_id", order_by="week", rows=(None, -1))
    so_far = weeks.mutate(
        sku_lines=weeks.lines.sum().over(before), log_so_far=weeks.log_sum.sum().over(before), record=weeks.most.max().over(before)
    )
    return so_far.select("sku_id", "week", "sku_lines", "record", sku_log=so_far.log_so_far / so_far.sku_lines.nullif(0))


def _numbered(lines: ir.Table) -> ir.Table:
    """Each line with how many there are like it, and its place among them by id, from 0."""
    alike = ibis.window(group_by=_ALIKE)
    number = ibis.row_number().over(group_by=_ALIKE, order_by="line_id")
    return lines.mutate(copies=lines.line_id.count().over(alike), number=number)


def _newest_decisions(decisions: ir.Table, as_of: date | None) -> ir.Table:
    held = decisions if as_of is None else decisions.filter(decisions.holds_from <= ibis.literal(as_of))
    place = ibis.row_number().over(group_by=held.line_id, order_by=held.holds_from.desc())
    return held.mutate(place=place).filter(lambda rows: rows.place == 0)


def _columns(lines: ir.Table) -> list[ir.Value]:
    return [lines[name] for name in QUARANTINED_LINE.column_names if name in lines.columns]


def _described(lines: ir.Table) -> ir.Table:
    """The columns of the table, none of them said to be never null: ibis unites only tables that agree on it."""
    chosen = lines.select(*QUARANTINED_LINE.column_names)
    return chosen.cast({name: kind.copy(nullable=True) for name, kind in chosen.schema().items()})
