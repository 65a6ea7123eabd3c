"""Only what another user approved, and what has not expired, changes a class or a tier."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from contracts.raw import SEGMENT_OVERRIDES
from models.overrides import apply_overrides, holding_overrides

AS_OF = date(2024, 6, 30)
SEGMENTS = pd.DataFrame(
    {
        "retailer_id": ["R1", "R2", "R3"],
        "value_class": ["small", "ordinary", "major"],
        "value_class_computed": ["small", "ordinary", "major"],
        "suggested_tier": ["T3", None, "T1"],
    }
)


def override(override_id: str = "O1", **changed: Any) -> dict[str, Any]:
    return {
        "override_id": override_id,
        "retailer_id": "R1",
        "attribute": "value_class",
        "value": "key",
        "reason": "a new owner",
        "proposed_by": "ann",
        "proposed_on": date(2024, 5, 1),
        "approved_by": "ben",
        "approved_on": date(2024, 5, 2),
        "expires_on": date(2024, 12, 31),
    } | changed


def rows(*overrides: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(overrides), columns=list(SEGMENT_OVERRIDES.column_names))


def classes(*overrides: dict[str, Any], as_of: date = AS_OF) -> list[str]:
    return apply_overrides(SEGMENTS, rows(*overrides), as_of).value_class.to_list()


def test_no_override_changes_nothing() -> None:
    applied = apply_overrides(SEGMENTS, rows(), AS_OF)
    pd.testing.assert_frame_equal(applied[list(SEGMENTS.columns)], SEGMENTS, check_dtype=False)
    assert applied.override_id.to_list() == [None, None, None]


def test_a_class_is_overridden_and_the_computed_one_stays() -> None:
    applied = apply_overrides(SEGMENTS, rows(override()), AS_OF)
    assert applied.value_class.to_list() == ["key", "ordinary", "major"]
    assert applied.value_class_computed.to_list() == ["small", "ordinary", "major"]
    assert applied.override_id.to_list() == ["O1", None, None]


def test_a_tier_is_overridden_also_where_none_was_suggested() -> None:
    applied = apply_overrides(SEGMENTS, rows(override(attribute="suggested_tier", retailer_id="R2", value="T9")), AS_OF)
    assert applied.suggested_tier.to_list() == ["T3", "T9", "T1"]
    assert applied.value_class.to_list() == SEGMENTS.value_class.to_list()


def test_what_waits_for_approval_does_not_hold() -> None:
    assert classes(override(approved_by=None, approved_on=None)) == SEGMENTS.value_class.to_list()


def test_what_is_approved_after_as_of_does_not_hold_yet() -> None:
    assert classes(override(approved_on=AS_OF + timedelta(days=1))) == SEGMENTS.value_class.to_list()
    assert classes(override(approved_on=AS_OF))[0] == "key"


def test_the_last_day_holds_and_the_next_does_not() -> None:
    assert classes(override(expires_on=AS_OF))[0] == "key"
    assert classes(override(expires_on=AS_OF - timedelta(days=1)))[0] == "small"


def test_who_approves_what_he_proposed_approves_nothing() -> None:
    assert classes(override(approved_by=" ANN")) == SEGMENTS.value_class.to_list()


def test_the_newest_approval_wins_unless_it_has_expired() -> None:
    older, newer = override("O1"), override("O0", value="negative", approved_on=date(2024, 6, 1))
    assert classes(older, newer)[0] == "negative"
    assert classes(older, newer | {"expires_on": date(2024, 6, 15)})[0] == "key"


def test_class_and_tier_of_one_retailer_name_both_overrides() -> None:
    applied = apply_overrides(SEGMENTS, rows(override("O2"), override("O1", attribute="suggested_tier", value="T0")), AS_OF)
    assert applied[["value_class", "suggested_tier", "override_id"]].to_numpy().tolist()[0] == ["key", "T0", "O1, O2"]


DAYS = st.dates(date(2024, 1, 1), date(2024, 12, 31))


@st.composite
def any_overrides(draw: st.DrawFn) -> pd.DataFrame:
    drawn = [
        override(
            f"O{number}",
            retailer_id=draw(st.sampled_from(["R1", "R2", "R3"])),
            value=draw(st.sampled_from(["key", "small"])),
            proposed_on=draw(DAYS),
            approved_by=(approved := draw(st.sampled_from(["ann", "ben", None]))),
            approved_on=draw(DAYS) if approved else None,
            expires_on=draw(DAYS),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    return rows(*drawn)


@given(any_overrides(), DAYS)
def test_what_is_approved_later_changes_nothing_now(overrides: pd.DataFrame, as_of: date) -> None:
    known = overrides[(pd.to_datetime(overrides.approved_on) <= pd.Timestamp(as_of)).to_numpy()]
    assert holding_overrides(overrides, as_of).override_id.to_list() == holding_overrides(known, as_of).override_id.to_list()


@given(any_overrides(), DAYS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(overrides: pd.DataFrame, as_of: date, random: Any) -> None:
    shuffled = overrides.sample(frac=1, random_state=random.randrange(2**32))
    assert apply_overrides(SEGMENTS, overrides, as_of).equals(apply_overrides(SEGMENTS, shuffled, as_of))
