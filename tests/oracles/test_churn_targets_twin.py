"""The labels of churn against a slow twin that asks the definitions of each retailer in turn, and the laws that labels keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import churn_targets as targets
from contracts.weeks import last_week, target_week
from features.churn_population import active_retailers
from features.target_labels import target_labels
from tests.cell_rows import AS_OF
from tests.statements import SCHEMAS, Rows, Statement

HORIZONS = (4, 13)
KNOWN = 30
"""Weeks after AS_OF that are known: the 26 weeks after the first window, not those after the second."""

SKUS = {"a1": "A", "a2": "A", "b1": "B", "c1": None}
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def statement() -> Statement:
    def build(cells: Any, demand_cells: Any, retailers: Any, skus: Any) -> Any:
        return target_labels(cells, demand_cells, retailers, skus, AS_OF, HORIZONS, target_week(AS_OF, KNOWN))

    return Statement(build, "cells", "demand_cells", "retailers", "skus")


@pytest.fixture(scope="module")
def active() -> Statement:
    return Statement(lambda cells, retailers: active_retailers(cells, retailers, AS_OF), "cells", "retailers")


@dataclass(frozen=True)
class Market:
    """Cells (retailer, SKU, week after AS_OF; 0 is the last known one, units, true units, censoring) and the register."""

    cells: pd.DataFrame
    register: Rows


def market(seed: int) -> Market:
    """Thirty shops that open, stop, share places, change licence and are stocked out as chance has it."""
    rng = np.random.default_rng(seed)
    names = [f"R{n:02d}" for n in range(30)]
    holidays = rng.choice(np.arange(-12, 30), rng.integers(0, 12), replace=False)
    rows: list[tuple[str, str, int, float, float, str]] = []
    for name in names:
        first, last = rng.choice([-80, -80, -60, -60, -60, -6, 3, 16]), rng.choice([-7, -2, 0, 3, 8, 20, 35, 35, 35])
        carried = [*rng.choice(["a1", "a2", "b1"], rng.integers(1, 4), replace=False), *(["c1"] if rng.random() < 0.15 else [])]
        rate, fades = rng.choice([0.15, 0.6, 0.9]), rng.random() < 0.4
        for week in range(first, last + 1):
            for sku in carried:
                if rng.random() < 0.25 and sku == "a1" and week > -3:
                    rows.append((name, sku, week, 0.0, 0.0, "stockout"))
                elif rng.random() < rate and week not in holidays and not (fades and sku == "b1" and week > 0):
                    units = float(rng.integers(1, 9)) * (0.4 if fades and week > 0 else 1.0)
                    capped = rng.random() < 0.1
                    rows.append(
                        (name, sku, week, 0.0 if capped and units < 2 else units, units + 2.0 * capped, "cap" if capped else "none")
                    )
    cells = pd.DataFrame(rows, columns=["retailer_id", "sku_id", "week", "delivered_units", "true_units", "censoring"])
    return Market(cells, [_entry(rng, name, names) for name in names])


def _entry(rng: np.random.Generator, name: str, names: list[str]) -> dict[str, Any]:
    spot = int(rng.integers(0, 12))
    entry: dict[str, Any] = {"retailer_id": name}
    entry |= (
        {"latitude": 40.0 + spot, "longitude": 10.0} if spot < 8 else {"address": f" {spot} Main St" if spot % 2 else f"{spot} MAIN ST"}
    )
    if rng.random() < 0.15:
        entry["successor_id"] = str(rng.choice([other for other in names if other != name]))
    if rng.random() < 0.1:
        entry["closed_on"] = AS_OF + timedelta(days=int(rng.integers(-20, 200)))
    return entry


def labelled(statement: Statement, given_market: Market, shuffle: int | None = None) -> dict[tuple[str, int], dict[str, Any]]:
    """What the features say, by retailer and horizon."""
    cells = given_market.cells if shuffle is None else given_market.cells.sample(frac=1, random_state=shuffle)
    demand_cells = arrow_cells(cells)
    plain = demand_cells.drop_columns("true_units")
    skus = [{"sku_id": sku, "category": category} for sku, category in SKUS.items()]
    known = demand_cells.filter(pc.field("week_start") <= target_week(AS_OF, KNOWN))
    rows = statement.rows(cells=plain, demand_cells=known, retailers=given_market.register, skus=skus)
    return {(row["retailer_id"], row["horizon_weeks"]): row for row in rows}


def arrow_cells(cells: pd.DataFrame) -> pa.Table:
    """Cells as the features read them."""
    weeks = [last_week(AS_OF) + timedelta(weeks=int(week)) for week in cells.week]
    dated = cells.drop(columns="week").assign(week_start=weeks, lower_units=0.0).reindex(columns=SCHEMAS["demand_cells"].names)
    return pa.Table.from_pandas(dated, schema=SCHEMAS["demand_cells"], preserve_index=False)


@settings(max_examples=12, deadline=None)
@given(seed=seeds)
def test_labels_are_those_of_the_slow_twin(statement: Statement, seed: int) -> None:
    one = market(seed)
    found = labelled(statement, one)
    expected = slow_labels(one)
    assert {key: row["void_from"] for key, row in found.items()} == {key: row["void_from"] for key, row in expected.items()}
    assert found == expected


@settings(max_examples=5, deadline=None)
@given(seed=seeds, other=seeds)
def test_nothing_after_what_is_known_and_no_order_of_rows_changes_a_label(statement: Statement, seed: int, other: int) -> None:
    one, two = market(seed), market(other)
    known = one.cells[one.cells.week <= KNOWN]
    other_future = pd.concat([known, two.cells[two.cells.week > KNOWN]], ignore_index=True)
    assert labelled(statement, Market(other_future, one.register), shuffle=other % 1000) == labelled(statement, one)


@settings(max_examples=5, deadline=None)
@given(seed=seeds, other=seeds)
def test_nothing_after_the_window_changes_what_happened_in_it(statement: Statement, seed: int, other: int) -> None:
    one, two = market(seed), market(other)
    # without successors: whether a silence was a relicensing may come out after the window, and is dated by void_from
    register = [{"retailer_id": entry["retailer_id"], "closed_on": entry.get("closed_on")} for entry in one.register]
    changed = pd.concat([one.cells[one.cells.week <= 13], two.cells[two.cells.week > 13]], ignore_index=True)
    asked = ("no_order", "declines", "loses_category")
    before, after = (labelled(statement, Market(cells, register)) for cells in (one.cells, changed))
    assert {key: [row[name] for name in asked] for key, row in before.items()} == {
        key: [row[name] for name in asked] for key, row in after.items()
    }


@settings(max_examples=5, deadline=None)
@given(seed=seeds, other=seeds)
def test_who_is_active_is_not_known_from_what_comes_after(active: Statement, seed: int, other: int) -> None:
    one, two = market(seed), market(other)
    later = pd.concat([one.cells[one.cells.week <= 0], two.cells[two.cells.week > 0]], ignore_index=True)
    # a closing that is still to come may be any day
    register = [entry | {"closed_on": day(3)} if entry.get("closed_on", AS_OF) > AS_OF else entry for entry in one.register]
    before = active.rows(cells=arrow_cells(one.cells).drop_columns("true_units"), retailers=one.register)
    assert before
    assert active.rows(cells=arrow_cells(later).drop_columns("true_units"), retailers=register) == before


def slow_labels(one: Market) -> dict[tuple[str, int], dict[str, Any]]:
    """Every label, retailer by retailer."""
    cells = one.cells[one.cells.week <= KNOWN]
    ordered = cells[(cells.delivered_units > 0) | (cells.censoring == "cap")]
    orders: dict[str, list[int]] = {str(name): sorted(set(rows.week)) for name, rows in ordered.groupby("retailer_id")}
    ends = replaced(orders, one.register, KNOWN)
    gone = replaced({name: [w for w in weeks if w <= 0] for name, weeks in orders.items() if weeks[0] <= 0}, one.register, 0)
    closings = {entry["retailer_id"]: entry["closed_on"] for entry in one.register if entry.get("closed_on")}
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for name, weeks in orders.items():
        active = any(-targets.LEAST_RECENT_WEEKS < week <= 0 for week in weeks)
        if not active or name in gone or (name in closings and closings[name] <= AS_OF):
            continue
        for horizon in HORIZONS:
            silent = not any(0 < week <= horizon for week in weeks)
            end, closing = ends.get(name), closings.get(name)
            over = end is not None and end[0] <= horizon
            closed_in_window = closing is not None and closing <= day(horizon)
            if closed_in_window or (over and end is not None and end[1] <= day(horizon)):
                continue
            if silent and closed_share(cells, ordered, name, horizon) > targets.CLOSED_SHARE:
                continue
            never_again = not any(week > 0 for week in weeks)
            void = []
            if never_again and closing is not None and closing <= day(KNOWN):
                last_order = day(max(weeks)) - timedelta(days=6)
                void += [closing] if (closing - last_order).days <= 7 * targets.CLOSURE_LATEST_WEEKS + 6 else []
            void += [end[1]] if end is not None and (never_again or over) else []
            again = float(any(horizon < week <= horizon + targets.AGAIN_WEEKS for week in weeks))
            rows[name, horizon] = {
                "retailer_id": name,
                "horizon_weeks": horizon,
                "no_order": silent,
                "ordered_again_26w": again if silent and horizon + targets.AGAIN_WEEKS <= KNOWN else None,
                "void_from": min(void, default=None),
                "declines": None,
                "loses_category": None,
            }
    asked = [name for name, horizon in rows if horizon == targets.DECLINE_WEEKS]
    for name, value in declines(cells, ordered, orders, asked).items():
        rows[name, targets.DECLINE_WEEKS]["declines"] = value
    for name in asked:
        if not rows[name, targets.CATEGORY_LOSS_WEEKS]["no_order"]:
            rows[name, targets.CATEGORY_LOSS_WEEKS]["loses_category"] = loses(cells, ordered, name)
    return rows


def day(week: int) -> date:
    """The Sunday of a week."""
    return AS_OF + timedelta(weeks=week)


def place_of(entry: dict[str, Any]) -> object:
    """Where a shop is; in these markets no address is in two towns."""
    return entry.get("latitude") or entry["address"].strip().lower()


def replaced(orders: dict[str, list[int]], register: Rows, known: int) -> dict[str, tuple[int, date]]:
    """Of each replaced retailer the week in which it was over, and the day from which that was known."""
    spans = {name: (weeks[0], weeks[-1]) for name, weeks in orders.items() if weeks}
    places = {entry["retailer_id"]: place_of(entry) for entry in register}
    named = {entry["retailer_id"]: entry.get("successor_id") for entry in register}
    silent_since = known - targets.SUCCESSOR_SILENT_WEEKS
    candidates: list[tuple[str, str, bool, int, date]] = []
    for name, (first, last) in spans.items():
        for heir, (began, _) in spans.items():
            over = max(began, last)
            if named[name] == heir and (began - last >= targets.SUCCESSOR_EARLIEST_WEEKS or last <= silent_since):
                at_once = began - last >= targets.SUCCESSOR_EARLIEST_WEEKS
                evident = over if at_once else max(over, last + targets.SUCCESSOR_SILENT_WEEKS)
                candidates.append((name, heir, True, over, day(evident)))
            in_time = targets.SUCCESSOR_EARLIEST_WEEKS <= began - last <= targets.SUCCESSOR_LATEST_WEEKS
            if heir != name and places[name] == places[heir] and in_time and first < began and last <= silent_since:
                others = [span for other, span in spans.items() if places[other] == places[name] and other not in (name, heir)]
                if not any(opened <= min(last, began) and closed >= over for opened, closed in others):
                    candidates.append((name, heir, False, over, day(max(over, last + targets.SUCCESSOR_SILENT_WEEKS))))
    found: dict[str, tuple[int, date]] = {}
    for name in spans:
        mine = [row for row in candidates if row[0] == name and row[4] <= day(known) and (row[2] or stopped_last(row, candidates, spans))]
        if mine:
            best = min(mine, key=lambda row: (not row[2], row[3], row[1]))
            found[name] = (best[3], best[4])
    return found


def stopped_last(row: tuple[str, str, bool, int, date], rows: Iterable[tuple[str, str, bool, int, date]], spans: dict[str, Any]) -> bool:
    rivals = [rival[0] for rival in rows if rival[1] == row[1] and not rival[2]]
    return row[0] == min(rivals, key=lambda name: (-spans[name][1], name))


def closed_share(cells: pd.DataFrame, ordered: pd.DataFrame, name: str, horizon: int) -> float:
    """Share of the weeks of a retailer's usual SKUs that were closed to it."""
    usual = ordered[(ordered.retailer_id == name) & ordered.week.between(1 - targets.USUAL_WEEKS, 0)].sku_id.unique()
    if not len(usual):
        return 0.0
    served = ordered.groupby("week").retailer_id.nunique()
    usually = served[served.index.isin(range(1 - targets.USUAL_WEEKS, 1))].sum() / targets.USUAL_WEEKS
    window = range(1, horizon + 1)
    resting = usually >= targets.HOLIDAY_LEAST_RETAILERS
    holidays = {week for week in window if resting and served.get(week, 0) < targets.HOLIDAY_SHARE * usually}
    shut = cells[(cells.retailer_id == name) & (cells.censoring == "stockout") & cells.sku_id.isin(usual) & cells.week.isin(window)]
    n_shut = (~shut.week.isin(holidays)).sum() + len(usual) * len(holidays)
    return float(n_shut / (len(usual) * horizon))


def declines(cells: pd.DataFrame, ordered: pd.DataFrame, orders: dict[str, list[int]], asked: list[str]) -> dict[str, float | None]:
    """Decline of each of those asked that had a year and enough orders then."""
    year, weeks = targets.YEAR_WEEKS, targets.DECLINE_WEEKS
    now = cells[cells.week.between(1, weeks)].groupby("retailer_id").true_units.sum()
    then = cells[cells.week.between(1 - year, weeks - year)].groupby("retailer_id").true_units.sum()
    then_weeks = ordered[ordered.week.between(1 - year, weeks - year)].groupby("retailer_id").week.nunique()
    peers = [name for name in asked if orders[name][0] <= 1 - year and then_weeks.get(name, 0) >= targets.DECLINE_LEAST_ORDER_WEEKS]
    found: dict[str, float | None] = {}
    for name in peers:
        season = sum(now.get(peer, 0.0) for peer in peers) / sum(then[peer] for peer in peers)
        units, most = now.get(name, 0.0), targets.DECLINE_SHARE * season * then[name]
        share = closed_share(cells, ordered, name, weeks)
        explained = units <= most and units > most * (1 - share)
        unknown = len(peers) < targets.DECLINE_LEAST_PEERS or share > targets.CLOSED_SHARE or explained
        found[name] = None if unknown else float(units <= most)
    return found


def loses(cells: pd.DataFrame, ordered: pd.DataFrame, name: str) -> float | None:
    """Whether one that goes on lost a category; None where there is none to lose or too many orders have none."""
    window = range(1, targets.CATEGORY_LOSS_WEEKS + 1)
    before = range(1 - targets.CATEGORY_HISTORY_WEEKS, 1)
    rows = ordered.assign(category=ordered.sku_id.map(SKUS))
    own = rows[(rows.retailer_id == name) & rows.week.isin([*before, *window])]
    if own.category.notna().mean() < targets.CATEGORY_KNOWN_SHARE:
        return None
    lost: list[bool] = []
    for category in ("A", "B"):
        weeks = set(own[own.category == category].week)
        used = len(weeks & set(before)) >= targets.CATEGORY_LEAST_ORDER_WEEKS
        recent = bool(weeks & set(range(1 - targets.CATEGORY_RECENT_WEEKS, 1)))
        anybody = ((rows.category == category) & rows.week.isin(window)).any()
        usual = own[(own.category == category) & own.week.isin(range(1 - targets.USUAL_WEEKS, 1))].sku_id.unique()
        shut = (cells.retailer_id == name) & (cells.censoring == "stockout") & cells.sku_id.isin(usual) & cells.week.isin(window)
        closed = shut.sum() > targets.CLOSED_SHARE * len(window) * len(usual)
        if used and recent and anybody and not closed:
            lost.append(not weeks & set(window))
    return float(any(lost)) if lost else None
