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

Flags = npt.NDArray[np.bool_]

BAND_WEIGHT = 0.5
"""A used-up band cap tells of the band, only perhaps of this SKU: half a cap's weight."""

POINTS = 12
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
        Codes: of each cell's pair, of each pair's SKU in its tier, of each of those's SKU.
    first_cell
        Where each pair's first cell is.
    """

    cells: pd.DataFrame
    lower: Floats
    upper: Floats
    weight: Floats
    pair: Integers
    tier_of_pair: Integers
    sku_of_tier: Integers
    first_cell: Integers

    def until(self, as_of: date) -> CensoredHistory:
        """Return what was known as of a Sunday; codes of pairs not yet seen stay, without cells."""
        known = int(np.searchsorted(self.cells.week_start.to_numpy(), np.datetime64(last_week(as_of)), side="right"))
        prefixes = {name: getattr(self, name)[:known] for name in ("lower", "upper", "weight", "pair")}
        return replace(self, cells=self.cells.iloc[:known], **prefixes)


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
    # categories: cut-off after cut-off takes rows of these texts
    texts = {name: cells[name].astype("category") for name in ("retailer_id", "sku_id", "tier", "censoring")}
    known = cells.assign(**texts)[cells.censoring != "stockout"].sort_values(["week_start", "sku_id", "retailer_id"], ignore_index=True)
    lower = np.where(known.censoring.eq("floor"), 0.0, known.lower_units.to_numpy(dtype=float))
    upper = known.upper_units.fillna(np.inf).to_numpy(dtype=float)
    sku, retailer, tier = (known[name].cat.codes.to_numpy(dtype=np.int64) for name in ("sku_id", "retailer_id", "tier"))
    pair = pd.factorize(sku * (retailer.max(initial=0) + 1) + retailer)[0].astype(np.int64)
    tier_sku = pd.factorize(sku * (tier.max(initial=0) + 1) + tier)[0].astype(np.int64)
    sku_code: Integers = pd.factorize(sku)[0].astype(np.int64)
    first_cell = np.unique(pair, return_index=True)[1]
    return CensoredHistory(
        cells=known,
        lower=np.where(lower > 0, _transform(np.maximum(lower, 1e-9), power), -np.inf),
        upper=np.where(np.isfinite(upper), _transform(np.where(np.isfinite(upper), upper, 1.0), power), np.inf),
        weight=np.where(known.censoring == "band", BAND_WEIGHT, 1.0),
        pair=pair,
        tier_of_pair=tier_sku[first_cell],
        sku_of_tier=sku_code[np.unique(tier_sku, return_index=True)[1]],
        first_cell=first_cell.astype(np.int64),
    )


def recover(history: CensoredHistory, as_of: date, settings: RecoverySettings) -> pd.DataFrame:
    """Estimate the true demand of every censored cell known as of a Sunday.

    Returns
    -------
    pandas.DataFrame
        One row per cell with censoring ``cap``, ``band`` or ``floor``: its keys, ``delivered_units``, ``censoring``, ``true_units``
        (expected), ``true_units_p10``, ``true_units_p90`` and ``identified``. At least delivered at a cap, at most delivered at a floor.
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
    wanted = _with_chance_of_nothing(sizes, known, censored, as_of)
    return _as_recovered(known.cells, censored, _within_interval(wanted, known.cells[censored]))


def _expectation_maximisation(known: CensoredHistory, censored: Flags, settings: RecoverySettings) -> tuple[Floats, Floats]:
    """Return mean and spread of each pair in transformed units.

    What exact cells contribute never changes, so each pair's count, sum and sum of squares are taken once.
    """
    pairs = known.tier_of_pair.size
    exact_pair, exact_size = known.pair[~censored], known.lower[~censored]
    count, total, squares = (_sums(exact_pair, exact_size**order, pairs) for order in (0, 1, 2))
    pair, weight = known.pair[censored], known.weight[censored]
    lower, upper = known.lower[censored], known.upper[censored]
    size, variance = np.where(np.isfinite(lower), lower, upper), np.zeros(pair.size)
    pooling = _Pooling(known, _sums(pair, weight, pairs) + count)
    spread = np.full(pairs, max(float(exact_size.std()) if exact_size.size else 1.0, LEAST_SPREAD))
    mean = np.zeros(pairs)
    for _ in range(settings.iterations):
        mean = pooling.means(total + _sums(pair, weight * size, pairs), settings.pooling_orders)
        around = squares - 2.0 * mean * total + mean**2 * count
        hidden = _sums(pair, weight * ((size - mean[pair]) ** 2 + variance), pairs)
        spread = np.sqrt(pooling.means(np.maximum(around, 0.0) + hidden, settings.spread_pooling_orders) + LEAST_SPREAD**2)
        size, variance = moments(lower, upper, mean[pair], spread[pair])
    return mean, spread


def _sums(group: Integers, values: Floats, groups: int) -> Floats:
    return np.asarray(np.bincount(group, values, groups), dtype=np.float64)


class _Pooling:
    """Means per pair, with its tier's mean as some orders more, and the SKU's mean likewise for the tier."""

    def __init__(self, known: CensoredHistory, pair_weight: Floats) -> None:
        self._tier_of_pair, self._sku_of_tier = known.tier_of_pair, known.sku_of_tier
        self._pair_weight = pair_weight
        self._tier_weight = np.bincount(self._tier_of_pair, pair_weight)
        # a SKU without cells yet has no mean, and nobody asks for it
        self._sku_weight = np.maximum(np.bincount(self._sku_of_tier, self._tier_weight), BAND_WEIGHT)

    def means(self, pair_sum: Floats, prior_orders: float) -> Floats:
        tier_sum = np.bincount(self._tier_of_pair, pair_sum)
        sku_mean = np.bincount(self._sku_of_tier, tier_sum) / self._sku_weight
        tier_mean = (tier_sum + prior_orders * sku_mean[self._sku_of_tier]) / (self._tier_weight + prior_orders)
        return (pair_sum + prior_orders * tier_mean[self._tier_of_pair]) / (self._pair_weight + prior_orders)


def _transform(units: Floats, power: float) -> Floats:
    return (units**power - 1.0) / power


def _inverse(z: Floats, power: float) -> Floats:
    return np.maximum(1.0 + power * z, 0.0) ** (1.0 / power)


def _with_chance_of_nothing(sizes: Floats, known: CensoredHistory, censored: Flags, as_of: date) -> Floats:
    """A retailer that was made to take a SKU may have wanted none: weigh the size by the chance that it wanted any.

    The chance of wanting any in an open week is the share of weeks with a free order among the SKU's pairs of the tier.
    """
    floor = known.cells.censoring.eq("floor").to_numpy()
    if not floor.any():
        return sizes
    week = known.cells.week_start.to_numpy().astype("datetime64[D]")
    seen = known.first_cell[known.first_cell < week.size]
    weeks_known = (np.datetime64(last_week(as_of)) - week[seen]).astype(np.int64) / 7 + 1
    tier_of_cell, tiers = known.tier_of_pair[known.pair], known.sku_of_tier.size
    weeks = np.bincount(tier_of_cell[seen], weeks_known, tiers) - np.bincount(tier_of_cell[floor], minlength=tiers)
    free = np.bincount(tier_of_cell[~floor], minlength=tiers)
    chance = np.clip((free + 1) / (weeks + 2), 0.0, 1.0)[tier_of_cell[censored]]
    forced = floor[censored]
    wanted = sizes.copy()
    wanted[forced, 0] *= chance[forced]
    for column, probability in ((1, 0.1), (2, 0.9)):
        wanted[forced & (chance < 1.0 - probability), column] = 0.0
    return wanted


def _within_interval(wanted: Floats, cells: pd.DataFrame) -> Floats:
    delivered = cells.delivered_units.to_numpy(dtype=float)
    most = np.maximum(MOST_TIMES_CAP * delivered, 1.0)
    upper = np.minimum(cells.upper_units.fillna(np.inf).to_numpy(dtype=float), np.where(cells.upper_units.isna(), most, np.inf))
    lower = np.where(cells.censoring == "floor", 0.0, cells.lower_units.to_numpy(dtype=float))
    return np.clip(wanted, lower[:, None], upper[:, None])


def _always_capped_skus(known: pd.DataFrame) -> pd.Series:
    capped = (
        known.assign(capped=known.cap_units.notna() | known.censoring.eq("band"))
        .groupby(["sku_id", "week_start"], observed=True)
        .capped.any()
    )
    share = capped.groupby("sku_id", observed=True).mean()
    return share.index[share > ALWAYS_CAPPED].to_series()


def _as_recovered(known: pd.DataFrame, censored: Flags, wanted: Floats) -> pd.DataFrame:
    rows = known.loc[censored, ["retailer_id", "sku_id", "week_start", "delivered_units", "censoring"]].reset_index(drop=True)
    rows[["true_units", "true_units_p10", "true_units_p90"]] = wanted
    return rows.assign(identified=~rows.sku_id.isin(_always_capped_skus(known)))
