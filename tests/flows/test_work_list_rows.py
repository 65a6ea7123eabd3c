"""Whom the work lists name, and that they are the same again, within capacity, and know nothing of later."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from contracts.customers import CONTACT_UPLIFT, WORK_LIST
from flows.contact_uplift_rows import contact_uplift_rows, measured_uplifts
from flows.deriving import build_cells
from flows.settings import Settings
from flows.work_list_rows import work_list_rows
from tests.listed_market import (
    ACTIVE,
    AS_OF,
    CLOSED,
    KEYS,
    REPLACED,
    SEASONAL,
    STARVED,
    STOPPED,
    load_into,
    scores_of,
    segments_of,
    write_listed_market,
)
from warehouse.connection import connect
from warehouse.publish import publish
from warehouse.session import Warehouse


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the market, to be copied."""
    folder = tmp_path_factory.mktemp("listed")
    with connect(str(folder / "warehouse.duckdb"), threads=2, memory_limit="1GB") as opened:
        load_into(opened, write_listed_market(folder / "market"))
    return folder / "warehouse.duckdb"


@pytest.fixture
def con(settings: Settings, market: Path, tmp_path: Path) -> Iterator[Warehouse]:
    """The market, loaded."""
    shutil.copy(market, tmp_path / "warehouse.duckdb")
    with connect(settings.warehouse.url, threads=2, memory_limit="1GB") as opened:
        yield opened


def chosen(settings: Settings, **changed: object) -> Settings:
    return settings.model_copy(update={"work_lists": settings.work_lists.model_copy(update=changed)})


def listed(con: Warehouse, settings: Settings, as_of: date = AS_OF, p_churn_13w: float = 0.3) -> pa.Table:
    return work_list_rows(con, settings, as_of, scores_of(as_of, p_churn_13w), segments_of(as_of), measured_uplifts(con, as_of), "run")


def uplifts(con: Warehouse, as_of: date = AS_OF) -> pa.Table:
    return contact_uplift_rows(measured_uplifts(con, as_of), as_of, "run")


def of_list(rows: pa.Table, name: str) -> pd.DataFrame:
    everybody: pd.DataFrame = rows.to_pandas()
    return everybody[everybody.list == name].reset_index(drop=True)


def insert(con: Warehouse, table: str, *values: str) -> None:
    con.execute(f"INSERT INTO {table} VALUES {', '.join(values)}")


def test_every_retailer_is_on_the_list_it_belongs_to(con: Warehouse, settings: Settings) -> None:
    rows = listed(con, chosen(settings, hold_out_share=0.0, return_probability=0.95))
    assert set(of_list(rows, "key_account").retailer_id) == set(KEYS)
    assert set(of_list(rows, "at_risk").retailer_id) == set(ACTIVE) - set(KEYS)
    assert set(of_list(rows, "win_back").retailer_id) == {STOPPED, SEASONAL}
    assert set(of_list(rows, "mistaken_lost").retailer_id) == {STARVED}
    assert {CLOSED, REPLACED}.isdisjoint(rows["retailer_id"].to_pylist())


def test_a_row_tells_the_retailers_own_numbers(con: Warehouse, settings: Settings) -> None:
    rows = listed(con, chosen(settings, return_probability=0.95))
    first = of_list(rows, "at_risk").iloc[0]
    assert (first.retailer_id, first["rank"], first.account_manager) == (ACTIVE[10], 1, "M0")
    assert first.expected_margin_saved == pytest.approx(first.p_churn_13w * 0.3 * 26 * 40.0 - 15.0)
    assert first.reason == "28 % likely not to order in 13 weeks; brings 40 a week. No order for 5 weeks"
    stopped = of_list(rows, "win_back").set_index("retailer_id").loc[STOPPED]
    assert stopped.stopped_on == AS_OF - timedelta(weeks=13)
    assert rows.filter(pc.equal(rows["list"], "win_back"))["p_churn_13w"].null_count == 2
    assert stopped.reason.startswith("No order for 13 weeks, before every 1.0 weeks: ")
    assert stopped.reason.endswith("brought 100 a week. No score from before it stopped")
    starved = of_list(rows, "mistaken_lost").iloc[0]
    assert starved.reason.startswith("No order for 11 weeks, but 91 % of what it usually orders was out of stock or closed to it; ")


def test_the_same_rows_come_twice_and_fit_the_contract(con: Warehouse, settings: Settings) -> None:
    rows = listed(con, settings)
    assert rows.equals(listed(con, settings))
    publish(con, {WORK_LIST: rows}, as_of=AS_OF, keep_weeks={})
    # what is stored of this very day is about to be replaced, and must not count
    assert rows.equals(listed(con, settings))


def test_nothing_after_as_of_changes_a_row(con: Warehouse, settings: Settings) -> None:
    as_of = AS_OF - timedelta(weeks=5)
    before, uplift_before = listed(con, settings, as_of), uplifts(con, as_of)
    publish(con, {WORK_LIST: listed(con, settings, AS_OF)}, as_of=AS_OF, keep_weeks={})
    con.execute("DELETE FROM raw.order_lines WHERE ordered_on > ?", [as_of])
    con.execute("UPDATE raw.retailers SET closed_on = ? WHERE retailer_id = ?", [as_of + timedelta(days=1), STOPPED])
    later = as_of + timedelta(days=3)
    insert(con, "raw.order_lines", f"('later', '{STOPPED}', 'S1', DATE '{later}', 900, 900, 9000)")
    insert(con, "raw.interactions", f"('I1', '{ACTIVE[20]}', DATE '{later}', 'visit', NULL, NULL)")
    insert(con, "raw.supply", f"(DATE '{as_of + timedelta(days=1)}', 'S1', 0)")
    build_cells(con)
    assert before.equals(listed(con, settings, as_of))
    assert uplift_before.equals(uplifts(con, as_of))


def test_the_capacity_holds_and_a_tenth_is_left_alone_for_13_weeks(con: Warehouse, settings: Settings) -> None:
    few = chosen(settings, capacity=settings.work_lists.capacity.model_copy(update={"at_risk": 40}), hold_out_share=0.2)
    held_out: dict[str, date] = {}
    for week in (0, 5, 12):
        as_of = AS_OF - timedelta(weeks=13 - week)
        rows = listed(con, few, as_of)
        at_risk = of_list(rows, "at_risk")
        assert (at_risk.assignment == "contact").sum() == 40
        assert not set(at_risk[at_risk.assignment == "contact"].retailer_id) & set(held_out)
        held_out |= dict.fromkeys(at_risk[at_risk.assignment == "hold_out"].retailer_id, as_of)
        assert (of_list(rows, "key_account").assignment == "contact").all()
        publish(con, {WORK_LIST: rows}, as_of=as_of, keep_weeks={})
    assert 3 <= len(held_out) <= 25


def test_a_key_account_stays_until_it_is_below_the_lower_threshold(con: Warehouse, settings: Settings) -> None:
    weeks = [(0.20, 10), (0.10, 10), (0.05, 0), (0.10, 0)]
    for week, (p_churn_13w, expected) in enumerate(weeks):
        as_of = AS_OF - timedelta(weeks=len(weeks) - week)
        rows = listed(con, settings, as_of, p_churn_13w)
        assert len(of_list(rows, "key_account")) == expected
        publish(con, {WORK_LIST: rows}, as_of=as_of, keep_weeks={})


def test_who_was_reached_makes_room_until_the_13_weeks_are_over(con: Warehouse, settings: Settings) -> None:
    drawn_on = AS_OF - timedelta(weeks=13)
    rows = listed(con, settings, drawn_on)
    publish(con, {WORK_LIST: rows}, as_of=drawn_on, keep_weeks={})
    at_risk = of_list(rows, "at_risk")
    reached = at_risk[at_risk.assignment == "contact"].retailer_id.iloc[0]
    insert(con, "raw.interactions", f"('I1', '{reached}', DATE '{drawn_on + timedelta(days=2)}', 'call', NULL, NULL)")
    others = at_risk[at_risk.retailer_id != reached].retailer_id
    assert set(of_list(listed(con, settings, AS_OF - timedelta(weeks=1)), "at_risk").retailer_id) == set(others)
    assert set(of_list(listed(con, settings), "at_risk").retailer_id) == {reached, *others}


def past_lists(con: Warehouse, drawn_on: date, assignments: dict[str, str]) -> None:
    values = [
        f"(DATE '{drawn_on}', 'at_risk', '{name}', {rank}, '{word}', NULL, 0.3, NULL, 1.0, NULL, 'why', 'old')"
        for rank, (name, word) in enumerate(assignments.items(), start=1)
    ]
    insert(con, "scored.work_list", *values)


def test_the_uplift_counts_orders_of_13_weeks_and_contacts_of_4(con: Warehouse) -> None:
    drawn_on = AS_OF - timedelta(weeks=13)
    words = {STOPPED: "contact", ACTIVE[1]: "contact", ACTIVE[2]: "contact", CLOSED: "hold_out", ACTIVE[3]: "hold_out"}
    past_lists(con, drawn_on, words)
    insert(con, "raw.interactions", f"('I1', '{ACTIVE[1]}', DATE '{drawn_on + timedelta(days=28)}', 'visit', NULL, NULL)")
    insert(con, "raw.interactions", f"('I2', '{ACTIVE[2]}', DATE '{drawn_on + timedelta(days=29)}', 'visit', NULL, NULL)")
    insert(con, "raw.interactions", f"('I3', '{STOPPED}', DATE '{drawn_on + timedelta(days=1)}', 'survey', 50, NULL)")
    (row,) = uplifts(con).to_pylist()
    assert (row["list"], row["contacted"], row["reached"], row["held_out"]) == ("at_risk", 3, 1, 2)
    assert (row["ordering_contacted"], row["ordering_held_out"]) == (pytest.approx(2 / 3), 0.5)
    assert row["uplift"] == pytest.approx(2 / 3 - 0.5)
    assert row["uplift_low"] < row["uplift"] < row["uplift_high"]
    publish(con, {CONTACT_UPLIFT: uplifts(con)}, as_of=AS_OF, keep_weeks={})


def test_there_is_no_uplift_before_13_weeks_are_over(con: Warehouse) -> None:
    past_lists(con, AS_OF - timedelta(weeks=12), {STOPPED: "contact"})
    assert uplifts(con).num_rows == 0


def test_a_measured_effect_changes_what_a_contact_is_expected_to_save(con: Warehouse, settings: Settings) -> None:
    believed = of_list(listed(con, chosen(settings, hold_out_share=0.0)), "at_risk").expected_margin_saved.iloc[0]
    # of the shops that stopped, and would have stopped, none was kept: contacts do nothing
    drawn_on = AS_OF - timedelta(weeks=13)
    past_lists(con, drawn_on, {name: "hold_out" if number % 2 else "contact" for number, name in enumerate(ACTIVE)})
    con.execute("DELETE FROM derived.cells WHERE retailer_id < 'R060' AND week_start > ?", [drawn_on])
    measured = of_list(listed(con, chosen(settings, hold_out_share=0.0)), "at_risk").expected_margin_saved.iloc[0]
    assert measured < believed


def test_without_scores_or_classes_the_silent_are_still_listed(con: Warehouse, settings: Settings) -> None:
    chosen_settings = chosen(settings, hold_out_share=0.0, return_probability=0.95)
    rows = work_list_rows(con, chosen_settings, AS_OF, scores_of(AS_OF).iloc[:0], segments_of(AS_OF).iloc[:0], {}, "run")
    assert set(rows["list"].to_pylist()) == {"win_back", "mistaken_lost"}
    con.execute("DELETE FROM derived.cells")
    assert work_list_rows(con, chosen_settings, AS_OF, scores_of(AS_OF).iloc[:0], segments_of(AS_OF).iloc[:0], {}, "run").num_rows == 0
