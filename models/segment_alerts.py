"""What in a reclassification should a second pair of eyes see?

Three alerts rest on a test (threshold-hugging, clusters of overrides, promotions before the end of a quarter). All tests of one
reclassification share one probability of a false alarm, see `models.exact_tests.level_per_test`. The others state facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from contracts.customers import VALUE_CLASSES
from contracts.raw import OVERRIDDEN
from models.exact_tests import CountTest, binomial_test, group_test, level_per_test
from models.overrides import holding_overrides, self_approved
from models.quarter_end import in_last_days, quarter_share
from models.threshold_counts import abc_thresholds, chance_above, near_threshold, value_thresholds

YEAR = timedelta(days=364)
EXPIRED_FOR = timedelta(weeks=13)
"""An override that ran out longer ago is not spoken of again."""

COLUMNS = ["alert", "subject", "retailers", "detail"]


@dataclass(frozen=True)
class Finding:
    """Something noticed; ``test`` is None where it is a fact and not a matter of chance."""

    alert: str
    subject: str
    retailers: int
    detail: str
    test: CountTest | None = None


def segment_alerts(
    segments: pd.DataFrame, previous: pd.DataFrame, overrides: pd.DataFrame, as_of: date, *, false_alarm_share: float
) -> pd.DataFrame:
    """Return the alerts of a reclassification.

    Parameters
    ----------
    segments
        Rows of ``scored.retailer_segment`` of one ``as_of``, with ``account_manager`` (None where unknown).
    previous
        Rows of the reclassification before: its thresholds are those that people knew and could aim at. Where there are none, the
        thresholds of this one are taken.
    overrides
        Rows of ``raw.segment_overrides``. What was proposed or approved after ``as_of`` is left aside.
    as_of
        Day of the reclassification.
    false_alarm_share
        Share of the reclassifications in which any of the tests may raise an alert by chance.

    Returns
    -------
    pandas.DataFrame
        One row per alert and subject: ``alert``, ``subject``, ``retailers``, ``detail``.
    """
    known = overrides_known(overrides, as_of)
    findings = [
        *_threshold_hugging(segments, previous if len(previous) else segments),
        *_override_clusters(segments, known, as_of),
        *_raises_at_quarter_end(segments, known, as_of),
        *_promotions_at_quarter_end(segments, as_of),
        *_self_approvals(known, as_of),
        *_expired(segments, known, as_of),
    ]
    level = level_per_test([finding.test for finding in findings if finding.test], false_alarm_share)
    raised = [finding for finding in findings if finding.test is None or finding.test.p <= level]
    rows = [(finding.alert, finding.subject, finding.retailers, finding.detail) for finding in raised]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["alert", "subject"]).reset_index(drop=True)


def overrides_known(overrides: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the overrides proposed by a day; an approval after it is not known yet."""
    known = overrides[[day <= as_of for day in overrides.proposed_on]] if len(overrides) else overrides
    waiting = [day is None or pd.isna(day) or day > as_of for day in known.approved_on]
    approvals = {
        column: known[column].astype(object).mask(np.asarray(waiting, dtype=bool), None) for column in ("approved_by", "approved_on")
    }
    return known.assign(**approvals)


def _threshold_hugging(segments: pd.DataFrame, aimed_at: pd.DataFrame) -> Iterator[Finding]:
    thresholds = [*value_thresholds(aimed_at.lifetime_value), *abc_thresholds(aimed_at.margin_52w, aimed_at.abc_class)]
    groups: list[tuple[str | None, np.ndarray]] = [(None, np.ones(len(segments), dtype=bool)), *_by_manager(segments)]
    for threshold in thresholds:
        values = segments[threshold.measure].to_numpy(dtype=np.float64)
        above, below = near_threshold(values, threshold.value)
        chance = chance_above(values, threshold.value)
        for manager, own in groups:
            n_above, n_below = int((above & own).sum()), int((below & own).sum())
            if n_above + n_below:
                whose = f", retailers of {manager}" if manager else ""
                detail = (
                    f"{n_above} retailers lie within 5 % above {threshold.value:,.0f} ({threshold.measure}, {threshold.name}) and {n_below}"
                    f" within 5 % below{whose}; by chance {chance * (n_above + n_below):.1f} would lie above"
                )
                test = binomial_test(n_above, n_above + n_below, chance)
                yield Finding("threshold_hugging", f"{threshold.name}{whose}", n_above, f"{detail} (p = {test.p:.2g})", test)


def _override_clusters(segments: pd.DataFrame, known: pd.DataFrame, as_of: date) -> Iterator[Finding]:
    """Per account manager: overrides that hold or wait for approval, against the share of everybody's retailers that have one."""
    alive = known[[day >= as_of for day in known.expires_on]] if len(known) else known
    overridden = segments.retailer_id.isin(alive.retailer_id).to_numpy()
    yield from _more_than_others(
        segments,
        overridden,
        "override_cluster",
        lambda n, of, share: f"{n} of {of} retailers have an override, {share:.1%} of all retailers do",
    )


def _promotions_at_quarter_end(segments: pd.DataFrame, as_of: date) -> Iterator[Finding]:
    """Per account manager: retailers that rose in this reclassification, where it falls in the last days of a quarter."""
    if in_last_days(as_of, of_quarter=True):
        rose = (_place(segments.value_class) < _place(segments.value_class_prev)).to_numpy()
        yield from _more_than_others(
            segments,
            rose,
            "quarter_end_promotion",
            lambda n, of, share: f"{n} of {of} retailers rose just before the end of the quarter, {share:.1%} of all retailers did",
        )


def _more_than_others(segments: pd.DataFrame, marked: np.ndarray, alert: str, words: Callable[[int, int, float], str]) -> Iterator[Finding]:
    n_all = int(marked.sum())
    for manager, own in _by_manager(segments):
        count, group = int((marked & own).sum()), int(own.sum())
        if count:
            test = group_test(count, group, n_all, len(segments))
            yield Finding(alert, manager, count, f"{words(count, group, n_all / len(segments))} (p = {test.p:.2g})", test)


def _raises_at_quarter_end(segments: pd.DataFrame, known: pd.DataFrame, as_of: date) -> Iterator[Finding]:
    """Per user: overrides to a higher class than the computed one, proposed in the last days of quarters rather than of other months."""
    first = as_of - YEAR + timedelta(days=1)
    computed = known.retailer_id.map(segments.set_index("retailer_id").value_class_computed)
    is_raise = (known.attribute == "value_class") & (_place(known.value) < _place(computed))
    raises = known[is_raise.to_numpy(dtype=bool)]
    raises = raises[[day >= first and in_last_days(day, of_quarter=False) for day in raises.proposed_on]] if len(raises) else raises
    chance = quarter_share(first, as_of)
    for user, own in raises.groupby("proposed_by"):
        at_quarter_end = own[[in_last_days(day, of_quarter=True) for day in own.proposed_on]]
        if len(at_quarter_end):
            test = binomial_test(len(at_quarter_end), len(own), chance)
            detail = (
                f"{len(at_quarter_end)} of {len(own)} overrides to a higher class proposed in the last 14 days of a month fell on the end"
                f" of a quarter; by chance {chance * len(own):.1f} would (p = {test.p:.2g})"
            )
            yield Finding("quarter_end_promotion", f"user {user}", int(at_quarter_end.retailer_id.nunique()), detail, test)


def _self_approvals(known: pd.DataFrame, as_of: date) -> Iterator[Finding]:
    own = known[self_approved(known).to_numpy()]
    own = own[[day >= as_of for day in own.expires_on]] if len(own) else own
    for user, rows in own.groupby("proposed_by"):
        detail = f"proposed and approved by the same user, not applied: {_some(rows.override_id)}"
        yield Finding("self_approved", f"user {user}", int(rows.retailer_id.nunique()), detail)


def _expired(segments: pd.DataFrame, known: pd.DataFrame, as_of: date) -> Iterator[Finding]:
    """Per user: approved overrides that ran out in the last 13 weeks, were not renewed, and whose retailer is classed otherwise now."""
    lapsed = known[known.approved_by.notna().to_numpy() & ~self_approved(known).to_numpy()]
    lapsed = lapsed[[as_of - EXPIRED_FOR <= day < as_of for day in lapsed.expires_on]] if len(lapsed) else lapsed
    holding = holding_overrides(known, as_of)
    renewed = set(zip(holding.retailer_id, holding.attribute, strict=True))
    now = {attribute: segments.set_index("retailer_id")[attribute].to_dict() for attribute in OVERRIDDEN}
    last = lapsed.sort_values(["expires_on", "override_id"]).drop_duplicates(["retailer_id", "attribute"], keep="last")
    told: dict[str, dict[str, str]] = {}
    for override in last.to_dict("records"):
        retailer, attribute, value = override["retailer_id"], override["attribute"], override["value"]
        if (retailer, attribute) not in renewed and now[attribute].get(retailer, value) != value:
            words = f"{override['override_id']} ({retailer}: {value} until {override['expires_on']}, now {now[attribute][retailer]})"
            told.setdefault(override["proposed_by"], {})[words] = retailer
    for user, lapses in told.items():
        yield Finding("expired_override", f"user {user}", len(set(lapses.values())), f"expired and not renewed: {_some(lapses)}")


def _by_manager(segments: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    managers = segments.account_manager.astype(object)
    return [(str(name), (managers == name).to_numpy(dtype=bool)) for name in sorted(managers.dropna().unique())]


def _place(value_class: pd.Series) -> pd.Series:
    """Place in the pyramid, 0 the top; NaN where there is none, which is neither above nor below."""
    return value_class.map({name: place for place, name in enumerate(VALUE_CLASSES)}).astype(float)


def _some(names: Iterable[str]) -> str:
    """At most five names, and how many more there are.

    >>> _some(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d, e and 1 more'
    """
    listed = sorted(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
