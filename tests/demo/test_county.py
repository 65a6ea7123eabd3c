"""The county as a whole: sizes, seeds, shares, and every rule of the contract."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contracts.data_checks import QUARANTINE_DECISIONS
from contracts.errors import ConfigurationError, UsageError
from contracts.raw import RAW_TABLES
from contracts.tables import Table
from demo.county import County, write_county
from tests.demo.conftest import Written

REAL_CAUSES = ("competitor", "starved", "service", "footfall")

WRITTEN = tuple(table for table in RAW_TABLES if table is not QUARANTINE_DECISIONS)
"""Of the lines put aside nobody in the county decides anything."""


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_seed_gives_the_same_files(small: Written, tmp_path: Path) -> None:
    write_county(County.small(7), tmp_path)
    assert _files(tmp_path) == _files(small.folder)


def test_another_seed_gives_another_county(small: Written, tmp_path: Path) -> None:
    write_county(County.small(8), tmp_path)
    theirs = _files(small.folder)
    assert [name for name, content in _files(tmp_path).items() if content == theirs[name]] == []


def test_a_county_replaces_the_one_written_before_it(small: Written, tmp_path: Path) -> None:
    write_county(County.small(8), tmp_path)
    write_county(County.small(7), tmp_path)
    assert _files(tmp_path) == _files(small.folder)


def test_an_as_of_that_is_no_sunday_is_refused() -> None:
    with pytest.raises(UsageError, match="Saturday"):
        County(120, 26, 40, 104, date(2025, 9, 27), seed=1)


def test_a_history_before_the_known_holidays_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="2021 to 2028"):
        write_county(County(120, 26, 40, 104, date(2021, 10, 3), seed=1), tmp_path)


@pytest.mark.parametrize("table", WRITTEN, ids=lambda table: table.name)
def test_a_table_keeps_the_rules_of_its_columns(small: Written, table: Table) -> None:
    written = small.table(table.name)
    assert written.schema.equals(table.arrow_schema)
    rows = small.rows(table.name)
    assert len(rows) > 0
    as_of = pd.Timestamp(small.county.as_of)
    for column in table.columns:
        known = rows[column.name].dropna()
        assert not column.required or len(known) == len(rows)
        assert not column.choices or set(known) <= set(column.choices)
        assert column.minimum is None or (known >= column.minimum).all()
        assert column.maximum is None or (known <= column.maximum).all()
        assert not column.monday or (known.dt.day_of_week == 0).all()
        assert column.kind.name != "DATE" or column.name == "expires_on" or (known <= as_of).all()


@pytest.mark.parametrize("table", WRITTEN, ids=lambda table: table.name)
def test_a_table_keeps_its_key_and_its_references(small: Written, table: Table) -> None:
    rows = small.rows(table.name)
    assert not rows.duplicated(list(table.key)).any()
    for reference in table.references:
        known = set(small.rows(reference.table)[reference.column])
        assert set(rows[reference.column].dropna()) <= known


def test_a_limit_has_one_subject_and_at_most_one_addressee(small: Written) -> None:
    limits = small.rows("allocation_limits")
    assert (limits[["sku_id", "price_band"]].notna().sum(axis=1) == 1).all()
    assert (limits[["retailer_id", "tier"]].notna().sum(axis=1) <= 1).all()
    assert limits[["cap_units", "floor_units"]].notna().any(axis=1).all()
    both = limits.dropna(subset=["cap_units", "floor_units"])
    assert len(both) > 0
    assert (both["cap_units"] >= both["floor_units"]).all()


def test_every_kind_of_limit_occurs(small: Written) -> None:
    limits = small.rows("allocation_limits")
    assert limits["tier"].notna().any()
    assert limits["retailer_id"].notna().any()
    assert (limits["sku_id"].notna() & limits["tier"].isna() & limits["retailer_id"].isna()).any()
    assert limits["price_band"].notna().any()
    assert 0 < (limits["cap_units"] == 0).mean() < 0.02


def test_a_successor_is_a_known_licence_that_opens_after_its_predecessor_closes(small: Written) -> None:
    retailers = small.rows("retailers").set_index("retailer_id")
    replaced = retailers.dropna(subset=["successor_id"])
    assert len(replaced) > 0
    assert (retailers.loc[replaced["successor_id"], "opened_on"].to_numpy() > replaced["closed_on"].to_numpy()).all()


def test_no_shop_orders_before_its_licence_or_after_it(small: Written) -> None:
    lines = small.rows("order_lines").merge(small.rows("retailers"), on="retailer_id")
    assert (lines["ordered_on"] >= lines["opened_on"]).all()
    assert (lines["closed_on"].isna() | (lines["ordered_on"] <= lines["closed_on"])).all()


def test_no_sku_is_ordered_before_its_launch_or_after_its_end(small: Written) -> None:
    lines = small.rows("order_lines").merge(small.rows("skus"), on="sku_id")
    assert (lines["ordered_on"] >= lines["launched_on"]).all()
    assert (lines["delisted_on"].isna() | (lines["ordered_on"] <= lines["delisted_on"])).all()


def test_there_are_shops_and_skus_with_little_history_and_with_none(small: Written) -> None:
    weeks = small.delivered_weeks().reset_index()
    retailer_weeks = weeks.groupby("retailer_id")["week_start"].nunique()
    assert retailer_weeks.between(1, 6).any()
    assert set(small.rows("retailers")["retailer_id"]) - set(retailer_weeks.index)
    sku_weeks = weeks.groupby("sku_id")["week_start"].nunique()
    assert sku_weeks.between(1, 6).any()
    assert set(small.rows("skus")["sku_id"]) - set(sku_weeks.index)


def test_shops_and_skus_without_history_have_true_demand_in_the_next_weeks(small: Written) -> None:
    demand = small.truth("weekly_demand")
    ahead = demand[demand["week_start"] > pd.Timestamp(small.county.as_of)]
    cells = small.delivered_weeks().reset_index()
    assert set(ahead["sku_id"]) - set(cells["sku_id"])
    assert set(ahead["retailer_id"]) - set(cells["retailer_id"])


def test_the_full_county_has_the_size_and_the_rationing_asked_for(full: Written) -> None:
    facts = full.facts
    assert facts.retailers_by_area == {"urban": 795, "rural": 2842}
    assert 1_500_000 < facts.rows["order_lines"] < 2_500_000
    assert 0.10 < facts.share_of_orders_at_cap < 0.30
    assert 0.08 < facts.share_of_demand_lost < 0.25
    assert 0.55 < facts.share_of_pair_weeks_without_demand < 0.85


def test_the_full_county_has_enough_churn_of_every_cause(full: Written) -> None:
    stopped = full.facts.stopped_by_cause_in_history
    assert min(stopped.values()) >= 20
    assert sum(stopped[cause] for cause in REAL_CAUSES) >= 150


def test_two_to_three_and_a_half_percent_of_those_that_order_stop_for_good_in_13_weeks(full: Written) -> None:
    churn = full.truth("churn")
    as_of = pd.Timestamp(full.county.as_of)
    shares = []
    for weeks_ago in (26, 39, 52, 65, 78):
        origin = as_of - pd.Timedelta(weeks=weeks_ago)
        ordering = churn["last_order_week"].notna() & (churn["stopped_on"].isna() | (churn["stopped_on"] > origin))
        lost = churn["cause"].isin(REAL_CAUSES) & churn["stopped_on"].between(origin, origin + pd.Timedelta(weeks=13), inclusive="right")
        shares.append(lost.sum() / ordering.sum())
    assert 0.02 < np.mean(shares) < 0.035


def test_the_facts_are_those_on_disk(small: Written) -> None:
    facts = json.loads((small.folder / "truth" / "facts.json").read_text())
    assert facts["as_of"] == "2025-09-28"
    assert facts["seed"] == 7
    assert facts["rows"] == {table.name: small.table(table.name).num_rows for table in WRITTEN}


def test_the_facts_hold_when_counted_from_the_files(small: Written) -> None:
    demand = small.truth("weekly_demand")
    past = demand[demand["week_start"] <= pd.Timestamp(small.county.as_of)].set_index(["retailer_id", "sku_id", "week_start"])[
        "demand_units"
    ]
    delivered = small.delivered_weeks().reindex(past.index, fill_value=0)
    lost = np.maximum(past - delivered, 0).sum() / past.sum()
    assert lost == pytest.approx(small.facts.share_of_demand_lost, abs=1e-4)
