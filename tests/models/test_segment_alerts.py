"""The audit is silent where nobody cheats, and speaks where somebody does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.raw import SEGMENT_OVERRIDES
from models.segment_alerts import COLUMNS, segment_alerts
from models.threshold_counts import abc_thresholds
from tests.audited_market import QUARTER_END, abc_classes_of, honest_overrides, honest_segments

SHARE = 0.05
NO_OVERRIDES = pd.DataFrame(columns=list(SEGMENT_OVERRIDES.column_names))


def alerts_of(
    segments: pd.DataFrame, overrides: pd.DataFrame = NO_OVERRIDES, as_of: date = QUARTER_END, previous: pd.DataFrame | None = None
) -> pd.DataFrame:
    return segment_alerts(segments, segments.iloc[:0] if previous is None else previous, overrides, as_of, false_alarm_share=SHARE)


def few_segments() -> pd.DataFrame:
    return honest_segments(np.random.default_rng(3), 200, 4)


def override(override_id: str, retailer_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "override_id": override_id,
        "retailer_id": retailer_id,
        "attribute": "value_class",
        "value": "key",
        "reason": "a new owner",
        "proposed_by": "ann",
        "proposed_on": date(2024, 5, 2),
        "approved_by": "ben",
        "approved_on": date(2024, 5, 3),
        "expires_on": date(2024, 12, 31),
    } | changed


def overrides_of(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(SEGMENT_OVERRIDES.column_names))


def test_where_nobody_cheats_an_alert_is_raised_in_at_most_one_month_of_twenty() -> None:
    months, alarms = 80, 0
    for month in range(months):
        random = np.random.default_rng(month)
        previous, segments = honest_segments(random, 400, 6), honest_segments(random, 400, 6)
        alarms += len(alerts_of(segments, honest_overrides(random, segments, 30, QUARTER_END), previous=previous)) > 0
    assert alarms / months <= SHARE + 2 * (SHARE * (1 - SHARE) / months) ** 0.5


def test_retailers_pushed_over_a_threshold_by_one_manager_are_noticed_under_his_name() -> None:
    found = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        segments = honest_segments(random, 1000, 8)
        end_of_a = abc_thresholds(segments.margin_52w, segments.abc_class)[0].value
        own = (segments.account_manager == "M1") & segments.margin_52w.between(0.8 * end_of_a, end_of_a)
        pushed = segments.margin_52w.where(~own, end_of_a * random.uniform(1.0, 1.03, len(segments)))
        cheated = segments.assign(margin_52w=pushed, abc_class=abc_classes_of(pushed.to_numpy()))
        alerts = alerts_of(cheated, previous=segments)
        found += "ABC class A, retailers of M1" in set(alerts[alerts.alert == "threshold_hugging"].subject)
    assert found >= 14


def test_a_manager_with_most_of_the_overrides_is_noticed() -> None:
    segments = few_segments()
    own = segments[segments.account_manager == "M2"].retailer_id.to_list()
    others = segments[segments.account_manager != "M2"].retailer_id.to_list()
    overrides = overrides_of(
        *(override(f"O{n}", name) for n, name in enumerate(own[:12])), *(override(f"P{n}", name) for n, name in enumerate(others[:3]))
    )
    (alert,) = alerts_of(segments, overrides, date(2024, 5, 19)).to_dict("records")
    assert (alert["alert"], alert["subject"], alert["retailers"]) == ("override_cluster", "M2", 12)
    assert alert["detail"].startswith(f"12 of {len(own)} retailers have an override, 7.5% of all retailers do (p = ")


def test_a_user_that_raises_classes_before_the_end_of_quarters_is_noticed() -> None:
    segments = few_segments()
    small = segments[segments.value_class_computed == "small"].retailer_id.to_list()
    days = [date(2023, 9, 28), date(2023, 12, 28), date(2024, 3, 28), date(2024, 6, 28)] * 4
    raises = [override(f"O{n}", small[n], proposed_on=day, approved_on=day) for n, day in enumerate(days)]
    alerts = alerts_of(segments, overrides_of(*raises))
    assert alerts[alerts.alert == "quarter_end_promotion"].subject.to_list() == ["user ann"]
    evenly = [override(f"O{n}", small[n], proposed_on=date(2023, 7 + n % 6, 28), approved_on=date(2024, 1, 2)) for n in range(16)]
    assert "quarter_end_promotion" not in set(alerts_of(segments, overrides_of(*evenly)).alert)


def test_a_manager_whose_retailers_rise_in_the_last_days_of_a_quarter_is_noticed_and_not_in_another_month() -> None:
    segments = few_segments().assign(value_class_prev=lambda rows: rows.value_class)
    rising = segments.index[(segments.account_manager == "M0") & (segments.value_class != "negative") & (segments.value_class != "small")]
    segments.loc[rising, "value_class_prev"] = "small"
    assert [subject for alert, subject in alerts_of(segments)[["alert", "subject"]].to_numpy() if alert == "quarter_end_promotion"] == [
        "M0"
    ]
    assert "quarter_end_promotion" not in set(alerts_of(segments, as_of=date(2024, 5, 26)).alert)


def test_what_a_user_approved_himself_is_told_as_a_fact() -> None:
    own = overrides_of(override("O1", "R00001", approved_by="Ann"), override("O2", "R00002", approved_by="ann"), override("O3", "R00003"))
    alerts = alerts_of(few_segments(), own, date(2024, 5, 19))
    told = alerts[alerts.alert == "self_approved"]
    assert told[["subject", "retailers", "detail"]].to_numpy().tolist() == [
        ["user ann", 2, "proposed and approved by the same user, not applied: O1, O2"]
    ]


EXPIRED = override("O1", "R00001", value="key", expires_on=date(2024, 5, 1))


@pytest.mark.parametrize(
    ("overrides", "now", "told"),
    [
        ([EXPIRED], "small", True),
        ([EXPIRED], "key", False),
        ([EXPIRED, override("O2", "R00001", value="small", proposed_on=date(2024, 5, 2))], "small", False),
        ([EXPIRED | {"expires_on": date(2024, 1, 31)}], "small", False),
        ([EXPIRED | {"expires_on": QUARTER_END}], "small", False),
        ([EXPIRED | {"approved_by": None, "approved_on": None}], "small", False),
        ([EXPIRED | {"retailer_id": "R-gone"}], "small", False),
    ],
    ids=["expired", "the class is the same", "renewed", "long ago", "its last day", "never approved", "not classified any more"],
)
def test_an_override_that_ran_out_is_told_where_the_class_differs(overrides: list[dict[str, Any]], now: str, told: bool) -> None:
    segments = few_segments()
    segments.loc[segments.retailer_id == "R00001", ["value_class", "value_class_prev"]] = now
    alerts = alerts_of(segments, overrides_of(*overrides))
    details = alerts[alerts.alert == "expired_override"].detail.to_list()
    assert details == (["expired and not renewed: O1 (R00001: key until 2024-05-01, now small)"] if told else [])


def test_nothing_to_audit_is_no_alert() -> None:
    segments = few_segments()
    assert list(alerts_of(segments).columns) == COLUMNS
    assert len(alerts_of(segments.iloc[:0])) == 0
    assert len(alerts_of(segments.assign(account_manager=None), as_of=date(2024, 5, 19))) == 0


@given(st.integers(0, 100), st.integers(1, 200))
@settings(deadline=None, max_examples=15)
def test_what_is_proposed_or_approved_later_changes_nothing(seed: int, days: int) -> None:
    random = np.random.default_rng(seed)
    segments = honest_segments(random, 150, 4)
    overrides = honest_overrides(random, segments, 60, QUARTER_END)
    as_of = QUARTER_END - timedelta(days=days)
    known = overrides[(pd.to_datetime(overrides.proposed_on) <= pd.Timestamp(as_of)).to_numpy()]
    waiting = (pd.to_datetime(known.approved_on) > pd.Timestamp(as_of)).to_numpy()
    unknown = known.assign(approved_by=known.approved_by.mask(waiting, None), approved_on=known.approved_on.mask(waiting, None))
    pd.testing.assert_frame_equal(alerts_of(segments, overrides, as_of), alerts_of(segments, unknown, as_of))
