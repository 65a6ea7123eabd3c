"""What margin does a retailer bring, over the last year and over the weeks that are forecast?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import SILENT_WEEKS
from models.rfm_scores import own_gap_weeks

FloatArray = npt.NDArray[np.float64]

YEAR = 52.0


def margin_shares_of_money(history: pd.DataFrame, share_without_costs: float) -> FloatArray:
    """Return the share of its money that each retailer brings as margin.

    That of its SKUs with a known cost; of a retailer without such SKUs, that of everybody's; where no cost of anybody is known,
    ``share_without_costs``.

    Parameters
    ----------
    history
        ``money_with_cost_52w`` and ``cost_52w``, NaN for none.

    Examples
    --------
    >>> history = pd.DataFrame({"money_with_cost_52w": [100.0, None], "cost_52w": [80.0, None]})
    >>> margin_shares_of_money(history, 1.0).round(2).tolist()
    [0.2, 0.2]
    """
    money, cost = (np.nan_to_num(history[name].to_numpy(dtype=np.float64)) for name in ("money_with_cost_52w", "cost_52w"))
    everybody = (money.sum() - cost.sum()) / money.sum() if money.sum() > 0 else share_without_costs
    return np.asarray(np.divide(money - cost, money, out=np.full(len(money), everybody), where=money > 0), dtype=np.float64)


def yearly_margins(history: pd.DataFrame, share_without_costs: float) -> FloatArray:
    """Return the margin of 52 weeks of each retailer, money; 0 where nothing is known of what it paid."""
    money = np.nan_to_num(history.money_52w.to_numpy(dtype=np.float64))
    return np.asarray(money * margin_shares_of_money(history, share_without_costs), dtype=np.float64)


def weeks_trading(history: pd.DataFrame) -> FloatArray:
    """Return the weeks of the last 52 in which each retailer was a customer: since its first order, and of a silent one until its last.

    At least one of its own gaps: the first order of a newcomer is not a week's.
    """
    tenure, silent = (history[name].to_numpy(dtype=np.float64) for name in ("tenure_weeks", "recency_weeks"))
    weeks = np.minimum(tenure + 1.0, YEAR) - np.where(silent >= SILENT_WEEKS, silent, 0.0)
    return np.asarray(np.maximum(weeks, own_gap_weeks(history)), dtype=np.float64)


def near_margins(history: pd.DataFrame, forecasts: pd.DataFrame, prices: pd.DataFrame, share_without_costs: float) -> FloatArray:
    """Return the margin of the weeks forecast, NaN where nothing is: Σ mean_units · (price − unit cost) · fill rate of 52 weeks.

    The forecast is of true demand, of which limits let through only a part: the share that the retailer got of what it wanted.
    Of a SKU without a cost, margin is the retailer's own share of the price; a SKU without a price brings nothing.

    Parameters
    ----------
    history
        As ``features.segment_history`` gives it.
    forecasts
        ``retailer_id``, ``sku_id``, ``mean_units``; any number of rows per pair.
    prices
        As ``features.segment_money.sku_prices`` gives them.

    Returns
    -------
    ndarray
        Money, in the order of ``history``.
    """
    share = pd.Series(margin_shares_of_money(history, share_without_costs), index=history.retailer_id)
    rows = forecasts.groupby(["retailer_id", "sku_id"], as_index=False).mean_units.sum().merge(prices, on="sku_id", how="left")
    price, cost = rows.price.astype("float64"), rows.unit_cost.astype("float64")
    by_share = price * share.reindex(rows.retailer_id).to_numpy()
    unit_margin = (price - cost).fillna(by_share).fillna(0.0)
    wanted = (rows.mean_units * unit_margin).groupby(rows.retailer_id).sum()
    margins = wanted.reindex(history.retailer_id).to_numpy(dtype=np.float64)
    return np.asarray(margins * _delivered_shares(history), dtype=np.float64)


def season_ahead(history: pd.DataFrame) -> float:
    """Return the money of the eight weeks ahead, a year before, over that of an average eight weeks; 1 where nobody has a year.

    Only retailers count that traded all year: newcomers would look like a season.
    """
    all_year = (history.tenure_weeks >= YEAR - 1) & (history.recency_weeks < SILENT_WEEKS)
    ahead, year = (float(history.loc[all_year, name].sum()) for name in ("money_ahead_8w", "money_52w"))
    return (ahead / 8.0) / (year / YEAR) if ahead > 0 and year > 0 else 1.0


def _delivered_shares(history: pd.DataFrame) -> FloatArray:
    delivered, wanted = (np.nan_to_num(history[name].to_numpy(dtype=np.float64)) for name in ("delivered_value_52w", "true_value_52w"))
    return np.asarray(np.divide(delivered, wanted, out=np.ones(len(wanted)), where=wanted > 0), dtype=np.float64)
