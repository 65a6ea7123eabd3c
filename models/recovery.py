"""True demand of the weeks in which a cap or a floor hid it: EM for a censored normal law per retailer and SKU, pooled where short.

Sizes of orders are taken to a power that makes them nearly normal (Box and Cox 1964): z = (x^p - 1) / p. Each pair has a mean and a
spread in z; the E step replaces a censored size by its expectation in its interval, the M step averages, with the SKU's retailers of the
same tier counting like a few orders of the pair's own, and the SKU over all tiers likewise for the tier (MODELLING §3b). p = 0 (log-normal)
overshoots and p = 0.5 undershoots on lumpy orders; docs/method.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.weeks import last_week
from models.stacking import Floats, Integers
from models.truncated_normal import moments, quantile

LEAST_SPREAD = 0.01
"""Smallest spread in transformed units: a pair that always ordered the same has some."""

BAND_WEIGHT = 0.5
"""A used-up band cap tells of the band, only perhaps of this SKU: half a cap's weight."""

POINTS = 20
"""Midpoints of probability over which a size in units is averaged, for a mean of z is not the mean of x."""

MOST_TIMES_CAP = 50.0
"""No size is recovered beyond so many times what was delivered."""

ALWAYS_CAPPED = 0.9
"""A SKU capped in more than this share of its weeks is not identified above its caps."""


@dataclass(frozen=True)
class RecoverySettings:
    """How sizes are recovered.

    Attributes
    ----------
    power
        Of the transformation, above 0.
    pooling_orders, spread_pooling_orders
        Orders of its own that a pair's tier counts as, for its mean and for its spread.
    iterations
        Rounds of EM.
    """

    power: float
    pooling_orders: float
    spread_pooling_orders: float
    iterations: int


@dataclass(frozen=True)
class CensoredHistory:
    """Cells in the order of their weeks, so that what was known as of a Sunday is a prefix; made by ``censored_history``.

    Attributes
    ----------
    cells
        The cells, stock-outs left out.
    lower, upper
        Interval of each in transformed units.
    weight
        How much each cell counts.
    pair, tier_of_pair, sku_of_tier
        Codes: of each cell's pair, of each pair's tier and SKU, of each of those's SKU.
    """

    cells: pd.DataFrame
    lower: Floats
    upper: Floats
    weight: Floats
    pair: Integers
    tier_of_pair: Integers
    sku_of_tier: Integers

    def until(self, as_of: date) -> CensoredHistory:
        """Return what was known as of a Sunday."""
        known = int(np.searchsorted(self.cells.week_start.to_numpy(), np.datetime64(last_week(as_of)), side="right"))
        return replace(
            self,
            cells=self.cells.iloc[:known],
            lower=self.lower[:known],
            upper=self.upper[:known],
            weight=self.weight[:known],
            pair=self.pair[:known],
        )


def censored_history(cells: pd.DataFrame, power: float) -> CensoredHistory:
    """Prepare cells for recovery as of any number of cut-offs.

    Parameters
    ----------
    cells
        All cells of the SKUs that were ever censored, one row per retailer, SKU and week: ``retailer_id``, ``sku_id``, ``tier`` (no nulls),
        ``week_start`` (datetime), ``delivered_units``, ``cap_units``, ``lower_units``, ``upper_units`` (null is no bound), ``censoring``.
    power
        Of the transformation, above 0.
    """
    known = cells[cells.censoring != "stockout"].sort_values(["week_start", "sku_id", "retailer_id"], ignore_index=True)
    lower = np.where(known.censoring.eq("floor"), 0.0, known.lower_units.to_numpy(dtype=float))
    upper = known.upper_units.fillna(np.inf).to_numpy(dtype=float)
    pair = pd.factorize(pd.MultiIndex.from_frame(known[["sku_id", "retailer_id"]]))[0].astype(np.int64)
    tier = pd.factorize(pd.MultiIndex.from_frame(known[["sku_id", "tier"]]))[0].astype(np.int64)
    sku = pd.factorize(known.sku_id)[0].astype(np.int64)
    return CensoredHistory(
        cells=known,
        lower=np.where(lower > 0, _transform(np.maximum(lower, 1e-9), power), -np.inf),
        upper=np.where(np.isfinite(upper), _transform(np.where(np.isfinite(upper), upper, 1.0), power), np.inf),
        weight=np.where(known.censoring == "band", BAND_WEIGHT, 1.0),
        pair=pair,
        tier_of_pair=tier[np.unique(pair, return_index=True)[1]],
        sku_of_tier=sku[np.unique(tier, return_index=True)[1]],
    )


def recover(history: CensoredHistory, as_of: date, settings: RecoverySettings) -> pd.DataFrame:
    """Estimate the true demand of every censored cell known as of a Sunday.

    Returns
    -------
    pandas.DataFrame
        One row per cell with censoring ``cap``, ``band`` or ``floor``: its keys, ``delivered_units``, ``censoring``, ``true_units`` (expected),
        ``true_units_p10``, ``true_units_p90`` and ``identified``. At least delivered at a cap, at most delivered at a floor.
    """
    known = history.until(as_of)
    censored = (known.cells.censoring != "none").to_numpy()
    if not censored.any():
        return _as_recovered(known.cells, censored, np.empty((0, 3)))
    mu, sd = _expectation_maximisation(known, censored, settings)
    asked = tuple(values[censored] for values in (known.lower, known.upper, mu[known.pair], sd[known.pair]))
    points = [_inverse(quantile((k + 0.5) / POINTS, *asked), settings.power) for k in range(POINTS)]
    bounds = [_inverse(quantile(level, *asked), settings.power) for level in (0.1, 0.9)]
    sizes = np.column_stack([np.mean(points, axis=0), *bounds])
    wanted = _with_chance_of_nothing(sizes, known.cells, censored, as_of)
    return _as_recovered(known.cells, censored, _within_interval(wanted, known.cells[censored]))


def _expectation_maximisation(
    known: CensoredHistory, censored: npt.NDArray[np.bool_], settings: RecoverySettings
) -> tuple[Floats, Floats]:
    """Return mean and spread of each pair in transformed units."""
    size = np.where(np.isfinite(known.lower), known.lower, known.upper)
    variance = np.zeros(size.size)
    spread = np.full(known.tier_of_pair.size, max(float(size.std()), LEAST_SPREAD))
    mean = np.zeros_like(spread)
    lower, upper, pair = known.lower[censored], known.upper[censored], known.pair[censored]
    pooling = _Pooling(known)
    for _ in range(settings.iterations):
        mean = pooling.means(size, settings.pooling_orders)
        squares = (size - mean[known.pair]) ** 2 + variance
        spread = np.sqrt(pooling.means(squares, settings.spread_pooling_orders) + LEAST_SPREAD**2)
        size[censored], variance[censored] = moments(lower, upper, mean[pair], spread[pair])
    return mean, spread


class _Pooling:
    """Means per pair, with its tier's mean as some orders more, and the SKU's mean likewise for the tier."""

    def __init__(self, known: CensoredHistory) -> None:
        self._known = known
        self._pair_weight = np.bincount(known.pair, known.weight, known.tier_of_pair.size)
        self._tier_weight = np.bincount(known.tier_of_pair, self._pair_weight)
        self._sku_weight = np.maximum(np.bincount(known.sku_of_tier, self._tier_weight), BAND_WEIGHT)

    def means(self, values: Floats, prior_orders: float) -> Floats:
        known = self._known
        pair_sum = np.bincount(known.pair, values * known.weight, known.tier_of_pair.size)
        tier_sum = np.bincount(known.tier_of_pair, pair_sum)
        sku_mean = np.bincount(known.sku_of_tier, tier_sum) / self._sku_weight
        tier_mean = (tier_sum + prior_orders * sku_mean[known.sku_of_tier]) / (self._tier_weight + prior_orders)
        return (pair_sum + prior_orders * tier_mean[known.tier_of_pair]) / (self._pair_weight + prior_orders)


def _transform(units: Floats, power: float) -> Floats:
    return (units**power - 1.0) / power


def _inverse(z: Floats, power: float) -> Floats:
    return np.maximum(1.0 + power * z, 0.0) ** (1.0 / power)


def _with_chance_of_nothing(sizes: Floats, known: pd.DataFrame, censored: npt.NDArray[np.bool_], as_of: date) -> Floats:
    """A retailer that was made to take a SKU may have wanted none: weigh the size by the chance that it wanted any.

    The chance of wanting any in an open week is the share of weeks with a free order among the SKU's pairs of the tier.
    """
    floor = known.censoring.eq("floor").to_numpy()
    if not floor.any():
        return sizes
    pairs = known.assign(free=~floor, floored=floor).groupby(["sku_id", "tier", "retailer_id"], observed=True)
    seen = pairs.agg(first=("week_start", "min"), free=("free", "sum"), floored=("floored", "sum")).reset_index()
    seen["weeks"] = (pd.Timestamp(last_week(as_of)) - seen["first"]).dt.days / 7 + 1 - seen.floored
    group = seen.groupby(["sku_id", "tier"], observed=True)[["free", "weeks"]].sum()
    chance = ((group.free + 1) / (group.weeks + 2)).clip(0, 1).rename("chance")
    cells = known.loc[censored, ["sku_id", "tier", "censoring"]].join(chance, on=["sku_id", "tier"])
    weighed = np.where(cells.censoring.eq("floor"), cells.chance, 1.0)[:, None]
    wanted = sizes * np.where([True, False, False], weighed, 1.0)
    at_floor = cells.censoring.eq("floor").to_numpy()
    wanted[at_floor & (cells.chance.to_numpy() < 0.9), 1] = 0.0
    wanted[at_floor & (cells.chance.to_numpy() < 0.1), 2] = 0.0
    return wanted


def _within_interval(wanted: Floats, cells: pd.DataFrame) -> Floats:
    delivered = cells.delivered_units.to_numpy(dtype=float)
    most = np.maximum(MOST_TIMES_CAP * delivered, 1.0)
    upper = np.minimum(cells.upper_units.fillna(np.inf).to_numpy(dtype=float), np.where(cells.upper_units.isna(), most, np.inf))
    lower = np.where(cells.censoring == "floor", 0.0, cells.lower_units.to_numpy(dtype=float))
    return np.clip(wanted, lower[:, None], upper[:, None])


def _always_capped_skus(known: pd.DataFrame) -> pd.Series:
    capped = known.assign(capped=known.cap_units.notna()).groupby(["sku_id", "week_start"], observed=True).capped.any()
    share = capped.groupby("sku_id", observed=True).mean()
    return share.index[share > ALWAYS_CAPPED].to_series()


def _as_recovered(known: pd.DataFrame, censored: npt.NDArray[np.bool_], wanted: Floats) -> pd.DataFrame:
    rows = known.loc[censored, ["retailer_id", "sku_id", "week_start", "delivered_units", "censoring"]].reset_index(drop=True)
    rows[["true_units", "true_units_p10", "true_units_p90"]] = wanted
    return rows.assign(identified=~rows.sku_id.isin(_always_capped_skus(known)))
