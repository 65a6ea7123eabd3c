"""Which retailers have fallen silent, which of them are lost, and what their last scores said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.cells import CELLS
from contracts.churn_targets import CLOSED_SHARE
from contracts.raw import RETAILERS, SKUS
from contracts.scored import CHURN_SCORE
from contracts.weeks import last_week
from features.order_weeks import order_weeks
from features.silences import closed_silences, gone_since
from flows.settings import Settings
from models.own_margin import margin_before_last_order
from models.silence_return import fit_returns, silence_rhythms
from warehouse.session import Warehouse
from warehouse.statements import Statement, compiled
from warehouse.tables import contract_table, fetch, fetch_for

MONDAY_ZERO = date(1970, 1, 5)
"""The week that is number 0."""


def fetch_silent(con: Warehouse, settings: Settings, as_of: date) -> pd.DataFrame:
    """Return the retailers without an order in the last 8 weeks that are neither closed nor replaced; cells must be built.

    Returns
    -------
    pandas.DataFrame
        One row per retailer: the columns of ``models.silence_return.silence_rhythms``, ``p_return`` (P(an order within 26 weeks)),
        ``closed_share`` (of the silence, that the wholesaler caused), ``is_mistaken`` (probably not lost), ``may_be_won_back`` (silent for
        no longer than the setting), ``weekly_margin`` (money, of the year before its last order), ``stopped_on`` (date) and ``reason_1``,
        ``reason_2`` of its last score before it stopped.
    """
    weeks, gone, shut = (fetch_for(con, statement, {"as_of": as_of}).to_pandas() for statement in _statements())
    weeks = weeks.assign(week_start=pd.to_datetime(weeks.week_start))
    closed = shut.set_index("retailer_id").closed_share.astype(float)
    now = week_number(last_week(as_of))
    ordered = _weeks_by_retailer(weeks)
    gone_in_week = {name: week_number(day) for name, day in zip(gone.retailer_id, gone.gone_on, strict=True)}
    model = fit_returns(ordered, gone_in_week, now)
    silent = silence_rhythms(ordered, gone_in_week, now, closed.to_dict())
    silent = silent.assign(
        p_return=model.p_return(silent),
        closed_share=silent.retailer_id.map(closed).fillna(0.0),
        may_be_won_back=silent.silent_weeks <= settings.work_lists.win_back_weeks,
        weekly_margin=silent.retailer_id.map(margin_before_last_order(weeks)),
        stopped_on=[sunday_of(now - int(weeks_ago)) for weeks_ago in silent.silent_weeks],
    )
    # without an earlier silence to learn from, the one half that stands for unknown is no evidence
    likely = (silent.p_return >= settings.work_lists.return_probability) & (model.silences > 0)
    mistaken = likely | (silent.closed_share > CLOSED_SHARE)
    return silent.assign(is_mistaken=mistaken).merge(_last_reasons(con, silent), on="retailer_id", how="left")


@cache
def _statements() -> tuple[Statement, Statement, Statement]:
    """Weeks with an order, who is gone, and closed silences, compiled when they are asked for first."""
    cells, retailers, skus = (contract_table(described) for described in (CELLS, RETAILERS, SKUS))
    return (
        compiled(lambda as_of: order_weeks(cells, skus, as_of).order_by("retailer_id", "week_start"), "as_of"),
        compiled(lambda as_of: gone_since(cells, retailers, as_of), "as_of"),
        compiled(lambda as_of: closed_silences(cells, as_of), "as_of"),
    )


def week_number(day: date) -> int:
    """Return the number of the week a day is in.

    >>> week_number(date(1970, 1, 11)), week_number(date(1970, 1, 12))
    (0, 1)
    """
    return (day - MONDAY_ZERO).days // 7


def sunday_of(week: int) -> date:
    """Return the Sunday that ends a week.

    >>> sunday_of(0)
    datetime.date(1970, 1, 11)
    """
    return MONDAY_ZERO + timedelta(days=7 * week + 6)


def _weeks_by_retailer(weeks: pd.DataFrame) -> Mapping[str, npt.NDArray[np.int64]]:
    """Numbers of the weeks with an order, rising; the rows must be sorted."""
    numbers = (weeks.week_start - pd.Timestamp(MONDAY_ZERO)).dt.days.to_numpy(dtype=np.int64) // 7
    places = weeks.groupby("retailer_id").indices
    return {str(name): np.asarray(numbers[rows], dtype=np.int64) for name, rows in places.items()}


def _last_reasons(con: Warehouse, silent: pd.DataFrame) -> pd.DataFrame:
    """The reasons of each retailer's last score up to the Sunday of its last order: those of later scores are of the silence itself."""
    stored = contract_table(CHURN_SCORE)
    scores = fetch(con, stored.select("as_of", "retailer_id", "reason_1", "reason_2")).to_pandas()
    before = scores.merge(silent[["retailer_id", "stopped_on"]], on="retailer_id")
    before = before[(before.as_of <= before.stopped_on).to_numpy(dtype=bool)].sort_values("as_of")
    last: pd.DataFrame = before.drop_duplicates("retailer_id", keep="last")[["retailer_id", "reason_1", "reason_2"]]
    return last
