"""What people set by hand, and who agreed."""

from __future__ import annotations

import pandas as pd

from contracts.customers import VALUE_CLASSES
from demo.shops import TIERS
from tests.demo.conftest import Written


def test_who_proposes_looks_after_the_shop_and_does_not_approve(small: Written) -> None:
    overrides = small.rows("segment_overrides").merge(small.rows("retailers"), on="retailer_id")
    assert (overrides["proposed_by"] == overrides["account_manager"]).all()
    assert not (overrides["proposed_by"] == overrides["approved_by"]).any()


def test_some_overrides_wait_and_all_expire(full: Written) -> None:
    overrides = full.rows("segment_overrides")
    waiting = overrides["approved_by"].isna()
    assert waiting.equals(overrides["approved_on"].isna())
    assert 0.2 < waiting.mean() < 0.3
    agreed = overrides[~waiting]
    assert (agreed["proposed_on"] <= agreed["approved_on"]).all()
    assert (overrides["expires_on"] > overrides["proposed_on"] + pd.Timedelta(days=89)).all()


def test_both_attributes_are_overridden_with_values_there_are(full: Written) -> None:
    values = full.rows("segment_overrides").groupby("attribute")["value"].agg(set)
    assert values["value_class"] <= set(VALUE_CLASSES)
    assert values["suggested_tier"] <= set(TIERS)


def test_one_manager_proposes_far_more_than_others(full: Written) -> None:
    proposals = full.rows("segment_overrides")["proposed_by"].value_counts()
    assert proposals.iloc[0] > 3 * proposals.iloc[1]
