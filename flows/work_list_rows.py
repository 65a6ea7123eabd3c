"""How scores, segments and silences become rows of the work lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd
import pyarrow as pa

from contracts.customers import RETAILER_SEGMENT, WORK_LIST
from contracts.raw import RETAILERS
from contracts.scored import RISK_BANDS
from flows.contact_outcomes import fetch_listed, running_episodes
from flows.contact_uplift_rows import saved_shares
from flows.settings import Settings
from flows.silent_retailers import fetch_silent
from models.early_warnings import early_warnings
from models.list_reasons import at_risk_reason, key_account_reason, mistaken_lost_reason, win_back_reason, with_reasons
from models.uplift import Uplift
from models.work_lists import expected_margin_saved, fill_list
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

KEY_CLASS = "key"
WEEKS_PER_YEAR = 52.0


@dataclass(frozen=True)
class Standing:
    """What is known beside the candidates of one list.

    Attributes
    ----------
    listed
        Rows of the work lists before ``as_of``.
    running
        Episodes that ``as_of`` lies within, with ``reached``.
    saved_share
        By list.
    """

    listed: pd.DataFrame
    running: pd.DataFrame
    saved_share: dict[str, float]


def work_list_rows(
    con: Warehouse,
    settings: Settings,
    as_of: date,
    scores: pd.DataFrame,
    segments: pd.DataFrame,
    measured: Mapping[str, Uplift],
    run_id: str,
) -> pa.Table:
    """Make the four work lists as of a Sunday; ``derived.cells`` must be built.

    Parameters
    ----------
    scores
        Rows of ``scored.churn_score`` of this ``as_of`` with ``weekly_margin`` (money; NaN where unknown).
    segments
        Rows of ``scored.retailer_segment``: those of this ``as_of``, or of the newest one before.
    measured
        As ``flows.contact_uplift_rows.measured_uplifts`` gives it.

    Returns
    -------
    pyarrow.Table
        Rows of ``scored.work_list``.
    """
    listed = fetch_listed(con, as_of)
    standing = Standing(listed, running_episodes(con, listed, as_of), saved_shares(settings, measured))
    values = _values(con, as_of, segments)
    active = _with_value(scores, values, segments)
    silent = _with_value(fetch_silent(con, settings, as_of), values, segments)
    candidates = {
        "key_account": _key_accounts(active, standing, settings),
        "at_risk": _at_risk(active),
        "win_back": _win_back(silent),
        "mistaken_lost": _mistaken_lost(silent),
    }
    lists = [_one_list(settings, as_of, name, rows, standing) for name, rows in candidates.items()]
    return _as_rows(con, pd.concat(lists, ignore_index=True), as_of, run_id)


def _key_accounts(active: pd.DataFrame, standing: Standing, settings: Settings) -> pd.DataFrame:
    keys = active[active.value_class == KEY_CLASS]
    past = standing.listed[standing.listed.as_of == standing.listed.as_of.max()] if len(standing.listed) else standing.listed
    warned = early_warnings(
        [keys.p_churn_13w, keys.p_decline_13w.astype(float)],
        [settings.work_lists.key_no_order, settings.work_lists.key_decline],
        keys.retailer_id.isin(past[past.list == "key_account"].retailer_id),
    )
    return with_reasons(keys[warned].assign(probability=keys.p_churn_13w[warned]), key_account_reason)


def _at_risk(active: pd.DataFrame) -> pd.DataFrame:
    """Those at some risk: a large shop at next to none would still pay a call, but nobody could say why it is on the list."""
    others = active[(active.value_class != KEY_CLASS) & (active.risk_band != RISK_BANDS[0])]
    return with_reasons(others.assign(probability=others.p_churn_13w), at_risk_reason)


def _win_back(silent: pd.DataFrame) -> pd.DataFrame:
    lost = silent[~silent.is_mistaken & silent.may_be_won_back]
    return with_reasons(lost.assign(probability=1.0 - lost.p_return), win_back_reason)


def _mistaken_lost(silent: pd.DataFrame) -> pd.DataFrame:
    mistaken = silent[silent.is_mistaken]
    return with_reasons(mistaken.assign(probability=mistaken.p_return), mistaken_lost_reason)


def _one_list(settings: Settings, as_of: date, name: str, candidates: pd.DataFrame, standing: Standing) -> pd.DataFrame:
    """Rank the candidates of a list and draw who is left alone; all key accounts with a warning are to be contacted."""
    chosen, running = settings.work_lists, standing.running
    saved = expected_margin_saved(
        candidates.probability, candidates.weekly_margin, saved_share=standing.saved_share[name], contact_cost=chosen.contact_cost
    )
    worth = candidates.assign(list=name, expected_margin_saved=saved)
    is_key = name == "key_account"
    if not is_key:
        # who was reached since the draw has been dealt with until the 13 weeks are over
        done = running[(running.list == name) & running.reached & (running.assignment == "contact")].retailer_id
        worth = worth[(saved > 0) & ~candidates.retailer_id.isin(done)]
    return fill_list(
        worth.assign(expected_margin_saved=worth.expected_margin_saved.fillna(-chosen.contact_cost)),
        running,
        work_list=name,
        as_of=as_of,
        capacity=None if is_key else int(getattr(chosen.capacity, name)),
        hold_out_share=0.0 if is_key else chosen.hold_out_share,
        seed=chosen.seed,
    )


def _values(con: Warehouse, as_of: date, segments: pd.DataFrame) -> pd.Series:
    """Lifetime value by retailer: the one given, or else the last one stored before."""
    stored = contract_table(RETAILER_SEGMENT)
    rows = fetch(con, stored.filter(stored.as_of < as_of).select("as_of", "retailer_id", "lifetime_value")).to_pandas()
    last = rows.sort_values("as_of").drop_duplicates("retailer_id", keep="last").set_index("retailer_id").lifetime_value
    return segments.set_index("retailer_id").lifetime_value.combine_first(last)


def _with_value(retailers: pd.DataFrame, values: pd.Series, segments: pd.DataFrame) -> pd.DataFrame:
    """Add lifetime value and value class; a margin that is not known is that of the reclassification, per week."""
    classed = segments.set_index("retailer_id")
    yearly = retailers.retailer_id.map(classed.margin_52w).astype(float) / WEEKS_PER_YEAR
    return retailers.assign(
        lifetime_value=retailers.retailer_id.map(values).astype(float),
        value_class=retailers.retailer_id.map(classed.value_class),
        weekly_margin=retailers.weekly_margin.astype(float).fillna(yearly),
    )


def _as_rows(con: Warehouse, listed: pd.DataFrame, as_of: date, run_id: str) -> pa.Table:
    register = fetch(con, contract_table(RETAILERS).select("retailer_id", "account_manager")).to_pandas()
    managers = register.set_index("retailer_id").account_manager
    rows = listed.assign(as_of=as_of, run_id=run_id, account_manager=listed.retailer_id.map(managers))
    whole = rows.reindex(columns=list(WORK_LIST.column_names)).astype(object)
    whole = whole.where(whole.notna(), None)
    columns = [pa.array(whole[column.name].tolist(), column.kind.arrow) for column in WORK_LIST.columns]
    return pa.table(columns, schema=WORK_LIST.arrow_schema)
