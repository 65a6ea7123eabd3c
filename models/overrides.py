"""Which overrides hold on a day, and what do they make of a retailer's value class and suggested tier?"""

from __future__ import annotations

from datetime import date

import pandas as pd

from contracts.raw import OVERRIDDEN

_NEWEST_LAST = ["approved_on", "proposed_on", "override_id"]


def self_approved(overrides: pd.DataFrame) -> pd.Series:
    """Return of each override whether the user that proposed it also approved it; letter case and blanks make no other user.

    >>> overrides = pd.DataFrame({"proposed_by": ["ann", "ann", "ann"], "approved_by": ["Ann ", "ben", None]})
    >>> self_approved(overrides).tolist()
    [True, False, False]
    """
    proposed, approved = (overrides[column].astype("string").str.strip().str.lower() for column in ("proposed_by", "approved_by"))
    return (proposed == approved).fillna(value=False).astype(bool)


def holding_overrides(overrides: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the override that holds for each retailer and attribute on a day.

    Parameters
    ----------
    overrides
        Rows of ``raw.segment_overrides``.
    as_of
        The day.

    Returns
    -------
    pandas.DataFrame
        At most one row per ``retailer_id`` and ``attribute``: approved by another user than the proposer, on or before ``as_of``, and not
        expired. Of several the one approved last, then proposed last, then with the last ``override_id``.
    """
    days = overrides.assign(**{column: pd.to_datetime(overrides[column]) for column in ("proposed_on", "approved_on", "expires_on")})
    day = pd.Timestamp(as_of)
    holding = overrides.approved_by.notna() & (days.approved_on <= day) & (day <= days.expires_on) & ~self_approved(overrides)
    newest = days[holding.to_numpy(dtype=bool)].sort_values(_NEWEST_LAST).drop_duplicates(["retailer_id", "attribute"], keep="last")
    return overrides.loc[newest.index].sort_values(["retailer_id", "attribute"]).reset_index(drop=True)


def apply_overrides(segments: pd.DataFrame, overrides: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the segments with value class and suggested tier as people set them, and what was computed beside it.

    Parameters
    ----------
    segments
        One row per retailer with ``retailer_id``, ``value_class`` and ``suggested_tier``; other columns stay as they are,
        ``value_class_computed`` among them.
    overrides
        Rows of ``raw.segment_overrides``; only those that hold count, see `holding_overrides`.
    as_of
        Day of the reclassification.

    Returns
    -------
    pandas.DataFrame
        The rows in the same order with ``override_id`` (null for none; where class and tier are both overridden by different
        overrides, both identifiers, separated by a comma and a blank).

    Examples
    --------
    >>> segments = pd.DataFrame({"retailer_id": ["R1", "R2"], "value_class": ["small", "small"], "suggested_tier": ["T2", "T2"]})
    >>> override = {"override_id": "O1", "retailer_id": "R1", "attribute": "value_class", "value": "key", "proposed_by": "ann",
    ...             "proposed_on": date(2024, 1, 2), "approved_by": "ben", "approved_on": date(2024, 1, 3), "expires_on": date(2024, 6, 30)}
    >>> apply_overrides(segments, pd.DataFrame([override]), date(2024, 6, 30)).value_class.tolist()
    ['key', 'small']
    >>> apply_overrides(segments, pd.DataFrame([override]), date(2024, 7, 7)).value_class.tolist()
    ['small', 'small']
    """
    holding = holding_overrides(overrides, as_of)
    overridden = segments.copy()
    for attribute in OVERRIDDEN:
        values = segments.retailer_id.map(holding[holding.attribute == attribute].set_index("retailer_id").value).astype(object)
        computed = segments[attribute].astype(object)
        overridden[attribute] = computed.where(values.isna().to_numpy(), values)
    identifiers = holding.sort_values("override_id").groupby("retailer_id").override_id.agg(", ".join)
    applied = segments.retailer_id.map(identifiers).astype(object)
    return overridden.assign(override_id=applied.where(applied.notna(), None))
