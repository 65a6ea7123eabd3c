"""How an explanation is told: tables for people, a JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import chain, zip_longest
from math import fsum

from rich.console import Console

from flows.console import table_of
from flows.explain import ExplainedWeek, Explanation, Figure, LimitedWeek, Part

MOST_WEEKS = 10
"""Past weeks at a limit that are listed; the totals count all."""

MOST_FIGURES = 2
"""Figures of a part that are told; the JSON document has all."""

DRIFT = 0.001
"""Share of the published mean by which what is computed again may differ without a word."""


def as_json(explanation: Explanation) -> str:
    """Return the explanation as a JSON document; dates are ISO texts, unknown values null."""
    document = asdict(explanation)
    once = ("as_of", "method", "model_version")
    document["weeks"] = [
        {**{name: value for name, value in week.pop("published").items() if name not in once}, **week} for week in document["weeks"]
    ]
    document["limits"] = _totals(explanation.limited_weeks)
    return json.dumps(document, indent=2, default=lambda value: value.isoformat(), ensure_ascii=False, allow_nan=False)


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Print the parts of each week, the figures behind them, and the weeks at a limit."""
    console.print(
        f"{explanation.retailer_id}, {explanation.sku_id}: forecast as of {explanation.as_of}"
        f" by uncap-demand {explanation.model_version}, from {_source(explanation.method)}\n",
        markup=False,
    )
    _print_parts(explanation.weeks, console)
    drift = _drift(explanation)
    if drift:
        console.print(drift, markup=False)
    _print_limits(explanation, console)


def _source(method: str) -> str:
    return "its history" if method == "history" else "its peers, as it is new (cold start)"


def _print_parts(weeks: Sequence[ExplainedWeek], console: Console) -> None:
    """Units of each part by week, with the figures behind them beside a single week, or else in a table of their own."""
    one = len(weeks) == 1
    names = [f"{week.published.week_start:%Y-%m-%d}" if one else f"{week.published.week_start:%m-%d}" for week in weeks]
    numbers = names if one else [*names, f"{len(weeks)} weeks"]
    places = _places(weeks)
    parts = _parts_shown(weeks, places)
    rows = [
        *([shown[0].what, *_summed([part.units for part in shown], places=places, signed=n > 0)] for n, shown in enumerate(parts)),
        *_published_rows(weeks, places),
    ]
    behind = [_behind(shown) for shown in parts]
    title = "Units that each part adds"
    if one:
        told = [[*row, *text] for row, text in zip_longest(rows, ([text] for text in behind), fillvalue=[""])]
        console.print(table_of(title, ["part", *numbers, "figures behind it"], told, numbers=numbers), "")
        return
    console.print(table_of(title, ["part", *numbers], rows, numbers=numbers), "")
    told = [[shown[0].what, text] for shown, text in zip(parts, behind, strict=True) if text]
    console.print(table_of("Figures behind them", ["part", "figures that matter most"], told), "")


def _parts_shown(weeks: Sequence[ExplainedWeek], places: int) -> list[list[Part]]:
    """Each part over the weeks: the level first, then what adds or takes most, then what came on top; none that rounds to 0 throughout."""
    ends = {"orders": -3, "recovery": -2, "average": -1, "calibration": 1, "closed": 1, "changed": 2}
    by_factor: dict[str, list[Part]] = {}
    for position, week in enumerate(weeks):
        for part in week.parts:
            absent = replace(part, units=0.0, figures=())
            by_factor.setdefault(part.factor, [absent] * len(weeks))[position] = part
    always = ("orders", "recovery")
    seen = [parts for factor, parts in by_factor.items() if factor in always or any(round(part.units, places) for part in parts)]
    return sorted(seen, key=lambda parts: (ends.get(parts[0].factor, 0), -fsum(abs(part.units) for part in parts)))


def _published_rows(weeks: Sequence[ExplainedWeek], places: int) -> list[list[str]]:
    published = [week.published for week in weeks]
    no_sum = [] if len(weeks) == 1 else ["–"]
    return [
        ["= mean_units, as published", *_summed([row.mean_units for row in published], places=places)],
        *([name, *(_units(getattr(row, name), places=places) for row in published), *no_sum] for name in ("q10", "q50", "q90", "p_order")),
    ]


def _summed(units: Sequence[float], *, places: int = 2, signed: bool = False) -> list[str]:
    """Units of each week and, of several, their sum.

    >>> _summed([1.0, 0.25], signed=True), _summed([3.0])
    (['+1.00', '+0.25', '+1.25'], ['3.00'])
    """
    return [_units(value, places=places, signed=signed) for value in (*units, *([fsum(units)] if len(units) > 1 else []))]


def _units(value: float, *, places: int = 2, signed: bool = False) -> str:
    """Return units with so many decimals, never a signed zero.

    >>> _units(1.234, signed=True), _units(1234.5), _units(-0.004, signed=True), _units(-0.004, places=4)
    ('+1.23', '1,234.50', '0.00', '-0.0040')
    """
    rounded = round(value, places) or 0.0
    return f"{rounded:+,.{places}f}" if signed and rounded else f"{rounded:,.{places}f}"


def _places(weeks: Sequence[ExplainedWeek]) -> int:
    """Decimals of units: more where a week is forecast less than a unit."""
    return 2 if max(week.published.mean_units for week in weeks) >= 1.0 else 4


def _behind(parts: Sequence[Part]) -> str:
    """The figures that matter most over the weeks, each with its value or its range; those of the level all."""
    by_feature: dict[str, list[Figure]] = {}
    for figure in chain.from_iterable(part.figures for part in parts):
        by_feature.setdefault(figure.feature, []).append(figure)
    known = [figures for figures in by_feature.values() if any(figure.value is not None for figure in figures)]
    ranked = sorted(known, key=lambda figures: -fsum(abs(figure.units or 0.0) for figure in figures))
    most = len(ranked) if parts[0].factor in ("orders", "recovery") else MOST_FIGURES
    told = [figures for figures in ranked[:most] if any(figure.units != 0.0 for figure in figures)]
    return "; ".join(f"{figures[0].description}: {_values(figures)}" for figures in told)


def _values(figures: Sequence[Figure]) -> str:
    values = {figure.value: None for figure in figures}
    numbers = sorted(value for value in values if isinstance(value, float))
    if len(numbers) == len(values) > 1:
        return f"{_value(numbers[0])} to {_value(numbers[-1])}"
    return ", ".join(_value(value) for value in values)


def _value(value: float | str | None) -> str:
    """Return a figure of a feature.

    >>> _value(3.14159), _value(1234567.0), _value(None), _value("")
    ('3.14', '1,234,567', 'unknown', 'none given')
    """
    if isinstance(value, str):
        return value or "none given"
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _drift(explanation: Explanation) -> str | None:
    """What to say where the figures of now do not give what was published."""
    pairs = [(week.recomputed_units, week.published.mean_units) for week in explanation.weeks]
    far = [(now, then) for now, then in pairs if abs(now - then) > DRIFT * then]
    if not far:
        return None
    return (
        f"What is loaded now gives {_units(fsum(now for now, _ in far))} units where {_units(fsum(then for _, then in far))} were published"
        f" ({len(far)} of {len(pairs)} weeks differ): tables or settings have changed since."
        f" `uncap score --as-of {explanation.as_of}` publishes what is known now.\n"
    )


def _totals(weeks: Sequence[LimitedWeek]) -> dict[str, float]:
    delivered, true = (
        (fsum(units) for units in zip(*((week.delivered_units, week.true_units) for week in weeks), strict=True)) if weeks else (0, 0)
    )
    return {"weeks": len(weeks), "delivered_units": delivered, "true_units": true, "recovered_units": true - delivered}


def _print_limits(explanation: Explanation, console: Console) -> None:
    weeks = explanation.limited_weeks
    closed = f"In {explanation.closed_weeks} of the last 52 weeks it could not order at all." if explanation.closed_weeks else ""
    if not weeks:
        console.print(
            f"In none of the last 52 weeks a cap or a floor hid its demand: nothing was recovered. {closed}".rstrip(), markup=False
        )
        return
    columns = ["week", "limit", "delivered", "true demand", "10 % to 90 %", "recovered", "identified"]
    rows = [_limit_row(week) for week in weeks[:MOST_WEEKS]]
    console.print(table_of("Weeks whose demand a limit hid", columns, rows, numbers=columns[2:6]))
    if len(weeks) > MOST_WEEKS:
        console.print(f"and {len(weeks) - MOST_WEEKS} more", markup=False)
    totals = _totals(weeks)
    console.print(
        f"\nA limit hid {len(weeks)} of the last 52 weeks: {_units(totals['delivered_units'])} units delivered,"
        f" {_units(totals['true_units'])} wanted, {_units(totals['recovered_units'], signed=True)} recovered. {closed}".rstrip(),
        markup=False,
    )


def _limit_row(week: LimitedWeek) -> list[object]:
    known = week.true_units_p10 is not None and week.true_units_p90 is not None
    return [
        week.week_start,
        _limit(week),
        _units(week.delivered_units),
        _units(week.true_units),
        f"{week.true_units_p10:,.1f} to {week.true_units_p90:,.1f}" if known else None,
        _units(week.true_units - week.delivered_units, signed=True),
        week.identified,
    ]


def _limit(week: LimitedWeek) -> str:
    """Name the limit; one that is not of the SKU itself is of its price band, or stands in no table."""
    if week.censoring == "floor":
        return f"floor {week.floor_units:g}" if week.delivered_units == week.floor_units else "floor of the price band"
    asked = f", asked for {week.asked_units:g}" if week.asked_units is not None else ""
    if week.censoring == "band":
        return f"cap of the price band{asked}"
    reached = week.cap_units is not None and week.delivered_units >= week.cap_units
    return (f"cap {week.cap_units:g}" if reached else "a limit not in the books") + asked
