"""Doors and account managers."""

from __future__ import annotations

from tests.demo.conftest import Written


def test_a_successor_has_the_address_of_the_licence_it_replaced_and_no_other_shop_has_it(small: Written) -> None:
    retailers = small.rows("retailers").set_index("retailer_id")
    replaced = retailers.dropna(subset=["successor_id"])
    assert (retailers.loc[replaced["successor_id"], "address"].to_numpy() == replaced["address"]).all()
    assert retailers["address"].nunique() == len(retailers) - len(replaced)
    assert retailers["address"].notna().all()


def test_a_manager_looks_after_about_a_hundred_shops_of_one_district(full: Written) -> None:
    retailers = full.rows("retailers")
    by_manager = retailers.groupby("account_manager")
    assert (by_manager["district"].nunique() == 1).all()
    assert 50 < by_manager.size().min() <= by_manager.size().max() < 200
