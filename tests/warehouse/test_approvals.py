"""Who proposes an override does not approve it, and what was approved is not changed behind the approval's back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.errors import InputDataError
from tests.warehouse.conftest import InputFolder

HEAD = "override_id, retailer_id, attribute, value, reason, proposed_by, proposed_on, approved_by, approved_on, expires_on\n"
GOOD = (
    HEAD
    + """O1, R1, value_class,    key,   new owner, ann, 2019-09-02, ben, 2019-09-03, 2019-12-31
        O2, R2, suggested_tier, T1,    new owner, ann, 2019-09-02, ,    ,           2019-12-31"""
)

# what stands in the file, the fault
REFUSED = [
    (
        "O1,R1,value_class,gold,x,ann,2019-09-02,ben,2019-09-03,2019-12-31\nO2,R1,suggested_tier,gold,x,ann,2019-09-02,,,2019-12-31",
        (
            "segment_overrides.value: no value class, 1 row, first line 2, override_id=O1 value 'gold';"
            " expected one of key, major, ordinary, small, negative"
        ),
    ),
    (
        "O1,R1,value_class,key,x,ann,2019-09-02,ben,2019-09-03,2019-12-31\nO2,R1,value_class,key,x,ann,2019-09-02,Ann,2019-09-03,2020-01-31",
        (
            "segment_overrides.approved_by: the user that proposed it, 1 row, first line 3, override_id=O2 value 'Ann';"
            " expected another user: who proposes does not approve"
        ),
    ),
    (
        "O1,R1,value_class,key,x,ann,2019-09-02,,2019-09-03,2019-12-31\nO2,R1,value_class,key,x,ann,2019-09-02,ben,,2019-12-31",
        (
            "segment_overrides.approved_on: only one of approved_by and approved_on, 2 rows, first line 2, override_id=O1"
            " value '2019-09-03'; expected both, or neither while it waits"
        ),
    ),
    (
        "O1,R1,value_class,key,x,ann,2019-09-02,ben,2019-09-01,2019-12-31",
        (
            "segment_overrides.approved_on: before proposed_on, 1 row, first line 2, override_id=O1 value '2019-09-01';"
            " expected a day on or after proposed_on"
        ),
    ),
    (
        "O1,R1,value_class,key,x,ann,2019-09-02,ben,2019-09-02,2019-09-02",
        (
            "segment_overrides.expires_on: not after proposed_on, 1 row, first line 2, override_id=O1 value '2019-09-02';"
            " expected a day after proposed_on"
        ),
    ),
    (
        "O1,R1,tier,T1,,ann,2019-09-02,,,",
        (
            "segment_overrides.attribute: unknown, 1 row, first line 2, override_id=O1 value 'tier'; expected"
            " one of value_class, suggested_tier"
        ),
        "segment_overrides.reason: empty, 1 row, first line 2, override_id=O1; expected text",
        (
            "segment_overrides.expires_on: empty, 1 row, first line 2, override_id=O1;"
            " expected a date such as 2019-09-30, without a time of day"
        ),
    ),
]


def test_overrides_that_keep_the_rules_are_loaded(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).csv("segment_overrides", GOOD)
    assert folder.load()["segment_overrides"].rows_new == 2
    assert [row["approved_by"] for row in folder.rows("segment_overrides")] == ["ben", None]
    assert folder.load()["segment_overrides"].rows_unchanged == 2


@pytest.mark.parametrize(("rows", "faults"), [(rows, faults) for rows, *faults in REFUSED], ids=[faults[0][:60] for _, *faults in REFUSED])
def test_an_override_that_breaks_a_rule_is_refused_and_nothing_is_kept(
    folder: InputFolder, orders: str, rows: str, faults: list[str]
) -> None:
    folder.csv("order_lines", orders).csv("segment_overrides", HEAD + rows)
    with pytest.raises(InputDataError) as refused:
        folder.load()
    assert refused.value.exit_code == 3
    assert sorted(refused.value.faults) == sorted(faults)
    assert folder.rows("segment_overrides") == []
    assert folder.rows("order_lines") == []


CHANGED = "segment_overrides.approved_on: changed after it was approved, 1 row"


@pytest.mark.parametrize(
    "changed",
    [
        GOOD.replace("key", "small"),
        GOOD.replace("2019-12-31", "2020-06-30"),
        "\n".join(",".join(line.split(",")[:7] + line.split(",")[9:]) for line in GOOD.replace("ann", "ben").splitlines()),
    ],
    ids=["another value", "a later end", "its approver as its proposer, in a file without approvals"],
)
def test_what_was_approved_is_not_changed_without_a_new_approval(
    folder: InputFolder, new_folder: Callable[[], InputFolder], orders: str, changed: str
) -> None:
    folder.csv("order_lines", orders).csv("segment_overrides", GOOD).load()
    before = folder.rows("segment_overrides")
    with pytest.raises(InputDataError, match=CHANGED):
        new_folder().csv("segment_overrides", changed).load()
    assert folder.rows("segment_overrides") == before


def test_a_later_approval_covers_a_change_and_an_approval_can_be_withdrawn(
    folder: InputFolder, new_folder: Callable[[], InputFolder], orders: str
) -> None:
    folder.csv("order_lines", orders).csv("segment_overrides", GOOD).load()
    new_folder().csv("segment_overrides", GOOD.replace("key", "major").replace("2019-09-03", "2019-09-10")).load()
    assert folder.rows("segment_overrides")[0]["value"] == "major"
    withdrawn = GOOD.replace("key", "major").replace("ben, 2019-09-03", ",")
    new_folder().csv("segment_overrides", withdrawn).load()
    assert folder.rows("segment_overrides")[0]["approved_on"] is None
