"""True demand of the weeks in which a cap or a floor hid it.

What a named cap cut off, the family says that found orders capped on purpose again best (models.recensoring): re-censoring, a negative
binomial law, a mean of two, or the pair's own law. Band caps, floors, and everything where there was
nothing to learn from, rest on the censored law of the pair's sizes (models.size_laws). Power 0 (log-normal) overshoots and 0.5 undershoots
on lumpy orders; docs/recovery.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.weeks import last_week
from models.cap_context import CappedOrders, describe_capped
from models.negative_binomial_family import NegativeBinomialSettings, RationedOrders
from models.orders import Orders, joint_codes, orders_of
from models.recapping import rationed_skus
from models.recensoring import Recensoring, RecensoringSettings, fit_recensoring, law_alone
from models.recorded_requests import LAW_FINDS, held_against_requests
from models.retailer_sizes import retailer_sizes
from models.size_laws import CensoredSizes, PairLaws, RecoverySettings, fit_size_laws, inverse, mean_units, transform
from models.stacking import Flags, Floats, Integers
from models.truncated_normal import quantile

BAND_WEIGHT = 0.5
"""A used-up band cap tells of the band, only perhaps of this SKU: half a cap's weight."""

Weeks = npt.NDArray[np.datetime64]

QUANTILE_LEVELS = (0.1, 0.9)

MOST_TIMES_CAP = 50.0
"""No size is recovered beyond so many times what was delivered."""

ALWAYS_CAPPED = 0.9
"""A SKU capped in more than this share of its weeks is not identified above its caps."""


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
    shut_tier, shut_week
        Stock-outs after a pair's first cell: code of the pair's SKU in its tier, and the week (datetime64), in any order.
    orders
        The cells that are orders, whose sizes are known or cut by a cap.
    requested
        Units asked for where a cap or a band cap hid the demand; NaN where none are recorded.
    """

    cells: pd.DataFrame
    lower: Floats
    upper: Floats
    requested: Floats
    weight: Floats
    pair: Integers
    tier_of_pair: Integers
    sku_of_tier: Integers
    first_cell: Integers
    shut_tier: Integers
    shut_week: Weeks
    orders: Orders

    def until(self, as_of: date) -> CensoredHistory:
        """Return what was known as of a Sunday; codes of pairs not yet seen stay, without cells."""
        known = int(np.searchsorted(self.cells.week_start.to_numpy(), np.datetime64(last_week(as_of)), side="right"))
        prefixes = {name: getattr(self, name)[:known] for name in ("lower", "upper", "requested", "weight", "pair")}
        orders = self.orders.take(np.arange(np.searchsorted(self.orders.row, known)))
        return replace(self, cells=self.cells.iloc[:known], orders=orders, **prefixes)

    def sizes(self) -> CensoredSizes:
        """Return the sizes as the censored laws take them."""
        return CensoredSizes(self.lower, self.upper, self.weight, self.pair, self.tier_of_pair, self.sku_of_tier)

    def told(self) -> Flags:
        """Return the hidden cells with a request, of retailers that ever asked for more than they got: others may not be able to."""
        retailer = self.cells.retailer_id.cat.codes.to_numpy()
        more = self.requested > self.cells.delivered_units.to_numpy(dtype=float)
        return np.isfinite(self.requested) & np.isin(retailer, retailer[more])

    def without_requests(self) -> CensoredHistory:
        """Return the same as though it were not known how much was asked for; where all was refused, that is to know nothing."""
        refused = np.isfinite(self.requested) & ~np.isfinite(self.lower)
        recorded = np.isfinite(self.requested) & ~refused
        return replace(
            self,
            cells=self.cells.assign(upper_units=self.cells.upper_units.mask(recorded)),
            upper=np.where(recorded, np.inf, self.upper),
            weight=np.where(refused, 0.0, self.weight),
            requested=np.full(recorded.size, np.nan),
        )


def censored_history(cells: pd.DataFrame, power: float) -> CensoredHistory:
    """Prepare cells for recovery as of any number of cut-offs.

    Parameters
    ----------
    cells
        All cells of the SKUs that were ever censored, and of free ones to learn from, one row per retailer, SKU and week: ``retailer_id``,
        ``sku_id``, ``tier``, ``category`` (no nulls), ``week_start`` (datetime), ``delivered_units``, ``cap_units``, ``lower_units``,
        ``upper_units`` (null is no bound), ``pack_units`` (null is 1), ``censoring``.
    power
        Of the transformation, above 0.
    """
    # categories: cut-off after cut-off takes rows of these texts
    texts = {name: cells[name].astype("category") for name in ("retailer_id", "sku_id", "tier", "category", "censoring")}
    coded, shut = cells.assign(**texts), cells.censoring == "stockout"
    known = coded[~shut].sort_values(["week_start", "sku_id", "retailer_id"], ignore_index=True)
    lower = np.where(known.censoring.eq("floor"), 0.0, known.lower_units.to_numpy(dtype=float))
    at_least = known.censoring.isin(["cap", "band"])
    requested = known.upper_units.where(at_least).to_numpy(dtype=float)
    # who asked for no more than it got may have known the cap: no bound
    known = known.assign(upper_units=known.upper_units.mask(at_least & ~(known.upper_units > known.delivered_units)))
    upper = known.upper_units.fillna(np.inf).to_numpy(dtype=float)
    sku, retailer, tier = (np.asarray(known[name].cat.codes, dtype=np.int64) for name in ("sku_id", "retailer_id", "tier"))
    pair, tier_sku = joint_codes(sku, retailer), joint_codes(sku, tier)
    sku_code: Integers = pd.factorize(sku)[0].astype(np.int64)
    first_cell = np.unique(pair, return_index=True)[1]
    shut_pair, shut_week = _shut_weeks(coded[shut], known.iloc[first_cell])
    orders = orders_of(known)
    orders = replace(orders, pair=pair[orders.row], tier_sku=tier_sku[orders.row], sku=sku_code[orders.row])
    return CensoredHistory(
        cells=known,
        lower=np.where(lower > 0, transform(np.maximum(lower, 1e-9), power), -np.inf),
        upper=np.where(np.isfinite(upper), transform(np.where(np.isfinite(upper), upper, 1.0), power), np.inf),
        requested=requested,
        weight=np.where(known.censoring == "band", BAND_WEIGHT, 1.0),
        pair=pair,
        tier_of_pair=tier_sku[first_cell],
        sku_of_tier=sku_code[np.unique(tier_sku, return_index=True)[1]],
        first_cell=first_cell.astype(np.int64),
        shut_tier=tier_sku[first_cell][shut_pair],
        shut_week=shut_week,
        orders=orders,
    )


def _shut_weeks(shut: pd.DataFrame, first: pd.DataFrame) -> tuple[Integers, Weeks]:
    """Return the pair, by its place in ``first``, and the week of each stock-out after the pair's first cell."""
    begun = first[["retailer_id", "sku_id", "week_start"]].assign(pair=np.arange(len(first)))
    found = shut[["retailer_id", "sku_id", "week_start"]].merge(begun, on=["retailer_id", "sku_id"], suffixes=("", "_first"))
    found = found[found.week_start > found.week_start_first]
    return found.pair.to_numpy(dtype=np.int64), found.week_start.to_numpy()


def learn_to_uncap(
    history: CensoredHistory,
    as_of: date,
    settings: RecoverySettings,
    recensoring: RecensoringSettings,
    counts: NegativeBinomialSettings | None = None,
) -> Recensoring | None:
    """Learn from what was known as of a Sunday how much more was wanted where a cap cut an order, and hold requests against it.

    ``counts`` says how the negative binomial family is fitted, which is left out without it. None where nothing can teach it and no request
    can be held against the pair's law.
    """
    known = history.until(as_of)
    told = known.told()
    blind = known.without_requests() if told.any() else known
    if not (told.any() or blind.orders.named.any()):
        return None
    censored = (blind.cells.censoring != "none").to_numpy()
    laws, learned = fit_size_laws(blind.sizes(), censored, settings), None
    if blind.orders.named.any():
        rationed, capped = _capped_orders(blind, laws)
        sizes = expected_sizes(blind, rationed.orders, laws)
        learned = fit_recensoring(blind.orders, rationed, capped, sizes, settings, recensoring, counts)
    if not told.any():
        return learned
    wanted, by_law = _found(blind, censored, laws, as_of, settings.power, learned, recensoring.threads)
    judged = learned is not None and learned.by_law and bool(learned.checks)
    held = told & np.isfinite(blind.lower)
    delivered, place = blind.cells.delivered_units.to_numpy(dtype=float)[held], held[censored]
    found = (wanted[place, 0] - delivered) / np.where(by_law[place] & (not judged), LAW_FINDS, 1.0)
    requests = held_against_requests(known.requested[held] - delivered, found, blind.sku_of_tier[blind.tier_of_pair[blind.pair[held]]])
    return learned if requests is None else replace(learned or law_alone(), requests=requests)


def recover(
    history: CensoredHistory, as_of: date, settings: RecoverySettings, learned: Recensoring | None = None, threads: int = 1
) -> pd.DataFrame:
    """Estimate the true demand of every censored cell known as of a Sunday.

    Parameters
    ----------
    learned
        What ``learn_to_uncap`` gave; without it every cell rests on its pair's law.
    threads
        Of LightGBM.

    Returns
    -------
    pandas.DataFrame
        One row per cell with censoring ``cap``, ``band`` or ``floor``: its keys, ``delivered_units``, ``censoring``, ``true_units``
        (expected), ``true_units_p10``, ``true_units_p90`` and ``identified``. At least delivered at a cap, at most delivered at a floor.
        The expectation lies in the range: a quantile that does not reach it is moved to it. Requests that ``learned`` takes for demand
        are what is recovered.
    """
    known = history.until(as_of)
    censored = (known.cells.censoring != "none").to_numpy()
    if not censored.any():
        return _as_recovered(known.cells, censored, np.empty((0, 3)))
    told = known.told() if learned is not None and learned.believes_requests else np.zeros(censored.size, dtype=bool)
    exact = transform(np.where(told, known.requested, 1.0), settings.power)
    seen = replace(known, lower=np.where(told, exact, known.lower), upper=np.where(told, exact, known.upper))
    laws = fit_size_laws(seen.sizes(), censored & ~told, settings)
    wanted, _ = _found(known, censored, laws, as_of, settings.power, learned, threads)
    wanted[told[censored]] = known.requested[told][:, None]
    return _as_recovered(known.cells, censored, wanted)


def _found(
    known: CensoredHistory, censored: Flags, laws: PairLaws, as_of: date, power: float, learned: Recensoring | None, threads: int
) -> tuple[Floats, Flags]:
    """Return what was wanted in each censored cell, within its bounds, and whether its pair's law alone says so (n,).

    What was wanted is expected units, and their 10 and 90 % quantiles (n, 3).
    """
    asked = tuple(values[censored] for values in (known.lower, known.upper, laws.mean[known.pair], laws.spread[known.pair]))
    sizes, by_law = np.empty((int(censored.sum()), 3)), np.ones(int(censored.sum()), dtype=bool)
    if learned is not None and not learned.by_law:
        rationed, capped = _capped_orders(known, laws)
        counted = None if learned.counts is None else rationed.describe(capped.position)
        place = (np.cumsum(censored) - 1)[capped.row]
        if place.size:
            sizes[place], by_law[place] = learned.sizes(capped, counted, threads), False
    of_law = tuple(values[by_law] for values in asked)
    bounds = [inverse(quantile(level, *of_law), power) for level in QUANTILE_LEVELS]
    sizes[by_law] = np.column_stack([mean_units(of_law, power), *bounds])
    wanted = _with_chance_of_nothing(sizes, asked, known, censored, as_of, power)
    return _within_interval(wanted, known.cells[censored]), by_law


def _capped_orders(known: CensoredHistory, laws: PairLaws) -> tuple[RationedOrders, CappedOrders]:
    """Return orders of rationed SKUs, and describe those at a named cap; those under a shared cap help to describe others only."""
    orders = known.orders
    sizes = retailer_sizes(orders, laws.typical_units(orders.pair))
    rationed = orders.take(np.isin(orders.sku, rationed_skus(orders)))
    named = known.cells.censoring.eq("cap").to_numpy()[rationed.row]
    capped = describe_capped(rationed, rationed.sku, sizes, laws, named)
    return RationedOrders(rationed, rationed.sku, sizes, laws), capped


def expected_sizes(known: CensoredHistory, orders: Orders, laws: PairLaws) -> Floats:
    """Return the size of some orders, units (n,); where a limit other than a named cap cut one, the size that its pair's law expects."""
    size, cut = orders.size.copy(), np.flatnonzero(orders.at_cap & ~orders.named)
    row = orders.row[cut]
    pair = known.pair[row]
    by_law = mean_units((known.lower[row], known.upper[row], laws.mean[pair], laws.spread[pair]), laws.power)
    size[cut] = np.clip(by_law, size[cut], MOST_TIMES_CAP * size[cut])
    return size


def _with_chance_of_nothing(
    sizes: Floats, asked: tuple[Floats, ...], known: CensoredHistory, censored: Flags, as_of: date, power: float
) -> Floats:
    """A retailer that was made to take a SKU may have wanted none: weigh the size by the chance that it wanted any.

    The chance of wanting any in an open week is the share of weeks with a free order among the SKU's pairs of the tier. With chance p the
    quantile at level q is 0 for q <= 1 - p, else the size's at (q - 1 + p) / p.
    """
    floor = known.cells.censoring.eq("floor").to_numpy()
    if not floor.any():
        return sizes
    week = known.cells.week_start.to_numpy().astype("datetime64[D]")
    seen = known.first_cell[known.first_cell < week.size]
    weeks_known = (np.datetime64(last_week(as_of)) - week[seen]).astype(np.int64) / 7 + 1
    tier_of_cell, tiers = known.tier_of_pair[known.pair], known.sku_of_tier.size
    weeks = np.bincount(tier_of_cell[seen], weeks_known, tiers) - np.bincount(tier_of_cell[floor], minlength=tiers)
    weeks -= np.bincount(known.shut_tier[known.shut_week <= np.datetime64(last_week(as_of))], minlength=tiers)
    free = np.bincount(tier_of_cell[~floor], minlength=tiers)
    chance = np.clip((free + 1) / (weeks + 2), 0.0, 1.0)[tier_of_cell[censored]]
    forced = floor[censored]
    wanted = sizes.copy()
    wanted[forced, 0] *= chance[forced]
    for column, level in enumerate(QUANTILE_LEVELS, start=1):
        within = np.maximum((level - 1.0 + chance) / chance, 0.0)
        size = inverse(quantile(within[forced], *(values[forced] for values in asked)), power)
        wanted[forced, column] = np.where(within[forced] > 0, size, 0.0)
    return wanted


def _within_interval(wanted: Floats, cells: pd.DataFrame) -> Floats:
    delivered = cells.delivered_units.to_numpy(dtype=float)
    most = np.maximum(MOST_TIMES_CAP * delivered, 1.0)
    upper = np.minimum(cells.upper_units.fillna(np.inf).to_numpy(dtype=float), np.where(cells.upper_units.isna(), most, np.inf))
    lower = np.where(cells.censoring == "floor", 0.0, cells.lower_units.to_numpy(dtype=float))
    within = np.clip(wanted, lower[:, None], upper[:, None])
    # an expectation may lie beyond the quantiles, as where a floor makes 9 in 10 take what they do not want: the range is widened to it
    within[:, 1] = np.minimum(within[:, 1], within[:, 0])
    within[:, 2] = np.maximum(within[:, 2], within[:, 0])
    return within


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
