"""Which family finds again what caps hid? Judged on what can be observed.

Where orders could be capped on purpose, their true sizes are known, and each family is judged on the same of them. Where everything was
always capped, all that can be checked is how well a law foretells orders that it was not fitted to, and how much of them fits below caps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr

from models.censored_likelihood import expected_units, negative_log_likelihood, order_mean, survival
from models.negative_binomial_family import NegativeBinomialSettings, describe_orders, drawn_positions, fit_negative_binomial
from models.orders import Orders
from models.retailer_sizes import retailer_sizes
from models.size_laws import POINTS, PairLaws, RecoverySettings, inverse, laws_of_orders, transform
from models.stacking import Flags, Floats
from models.truncated_normal import quantile

BLENDS: dict[str, dict[str, float]] = {
    "law": {"law": 1.0},
    "blend": {"law": 0.5, "recensoring": 0.5},
    "recensoring": {"recensoring": 1.0},
    "negative_binomial": {"negative_binomial": 1.0},
    "negative_binomial_blend": {"negative_binomial": 0.5, "recensoring": 0.5},
}
"""The families that are compared: how much each of the ``Estimates`` counts in what a family says."""

SPREAD_LEVELS = (0.1, 0.9)
SPREAD_BINS = 12

HELD_OUT_SHARE = 1 / 3
"""Of the orders of half of the retailers."""


@dataclass(frozen=True)
class Transfer:
    """How well a family finds sizes again that were capped on purpose, on SKUs it was not taught on.

    Attributes
    ----------
    family
        One of ``BLENDS``.
    where
        ``free SKUs``, ``open weeks`` or ``all``.
    orders
        Judged.
    bias, wape
        Of the true sizes of these orders, relative to their sum.
    """

    family: str
    where: str
    orders: int
    bias: float
    wape: float


@dataclass(frozen=True)
class HeldOut:
    """How well a law foretells orders that it was not fitted to, where nothing could be capped on purpose.

    Attributes
    ----------
    family
        ``law`` or ``negative_binomial``.
    orders
        Held out.
    log_loss
        Minus the mean logarithm of the probability of what was seen of them.
    capped_bias
        Of the expected E[min(size, cap)] of those under a cap, relative to what was delivered of them.
    """

    family: str
    orders: int
    log_loss: float
    capped_bias: float

    @property
    def loss(self) -> float:
        """What the choice rests on: both are logarithms, or nearly."""
        return self.log_loss + abs(self.capped_bias)


@dataclass(frozen=True)
class Estimates:
    """Excesses over the cap by each estimate, units (m,); None where it is not to be had."""

    law: Floats
    negative_binomial: Floats | None
    recensoring: Floats | None

    def families(self) -> dict[str, dict[str, float]]:
        """Return the families that can be had from them."""
        return {family: shares for family, shares in BLENDS.items() if all(getattr(self, name) is not None for name in shares)}

    def blended(self, shares: Mapping[str, float]) -> Floats:
        """Return the excess that a family says, at least 0."""
        return np.asarray(np.maximum(np.sum([share * getattr(self, name) for name, share in shares.items()], axis=0), 0.0))


def judge(estimates: Estimates, cap: Floats, true_excess: Floats, open_week: Flags, likeness: Floats) -> tuple[Transfer, ...]:
    """Judge each family on orders whose true size is known; those more like really capped ones count more.

    Parameters
    ----------
    estimates
        Of models that were not taught on the SKU of the order.
    cap, true_excess
        Units (m,).
    open_week
        Whether the order is of a rationed SKU in an open week rather than of a free SKU (m,).
    likeness
        Weight of each (m,).
    """
    places = {"all": np.ones(cap.size, dtype=bool), "free SKUs": ~open_week, "open weeks": open_week}
    checks = []
    for family, shares in estimates.families().items():
        error = estimates.blended(shares) - true_excess
        for where, these in places.items():
            if these.any():
                total = float((likeness * (cap + true_excess))[these].sum())
                weighed = (likeness * error)[these] / total
                bias, wape = float(weighed.sum()), float(np.abs(weighed).sum())
                checks.append(Transfer(family, where, int(these.sum()), bias, wape))
    return tuple(checks)


def nearest(checks: tuple[Transfer, ...]) -> str:
    """Return the family with the least WAPE + |bias| on all orders judged."""
    return min((check for check in checks if check.where == "all"), key=lambda check: check.wape + abs(check.bias)).family


def spread_around(expected: Floats, true_excess: Floats, cap: Floats) -> tuple[Floats, Floats]:
    """Return bins of the expected excess in caps (bins - 1,), and per bin the true excess over it at ``SPREAD_LEVELS`` (bins, 2)."""
    in_caps = expected / cap
    edges = np.unique(np.quantile(in_caps, np.arange(1, SPREAD_BINS) / SPREAD_BINS))
    member = np.searchsorted(edges, in_caps)
    times = true_excess / np.maximum(expected, 1e-6)
    rows = [np.quantile(times[member == k] if (member == k).any() else times, SPREAD_LEVELS) for k in range(edges.size + 1)]
    return edges, np.asarray(rows)


def compare_laws(orders: Orders, laws: RecoverySettings, settings: NegativeBinomialSettings) -> tuple[HeldOut, ...]:
    """Judge the pair's own law and the negative binomial one on orders of retailers on whose orders no tree was grown.

    A third of the orders of half of the retailers is held out of both; what is left of them still tells the law of their pairs.

    Parameters
    ----------
    orders
        Of rationed SKUs.

    Returns
    -------
    tuple
        Empty where too few orders are left to judge.
    """
    rng = np.random.default_rng(settings.boosting.seed)
    judged = rng.random(int(orders.retailer.max(initial=-1)) + 1)[orders.retailer] < 0.5
    held = judged & (rng.random(orders.count) < HELD_OUT_SHARE)
    told, asked = orders.take(~held), orders.take(held & np.isin(orders.pair, orders.pair[~held]))
    source, of_asked, as_coded = told.sku, asked.sku, told
    told, asked = _without_gaps(told, told), _without_gaps(asked, told)
    grown = np.flatnonzero(~judged[~held])
    if grown.size < settings.boosting.min_rows_per_leaf or asked.count == 0:
        return ()
    own = laws_of_orders(told, laws)
    sizes = retailer_sizes(as_coded, own.typical_units(told.pair))
    rows = grown[drawn_positions(grown.size, settings.max_orders, settings.boosting.seed)]
    family = fit_negative_binomial(describe_orders(told, told.take(rows), source[rows], sizes, own), settings)
    mean, dispersion = family.law(describe_orders(told, asked, of_asked, sizes, own), settings.boosting.threads)
    upper = np.where(asked.at_cap, np.inf, asked.size)
    by_count = negative_log_likelihood(asked.size, upper, mean, dispersion, ordered=True)
    return (
        _held_out("law", asked, law_log_loss(asked, own), law_below_caps(asked, own)),
        _held_out("negative_binomial", asked, by_count, negative_binomial_below_caps(asked.cap, mean, dispersion)),
    )


def _without_gaps(orders: Orders, known: Orders) -> Orders:
    """Code pairs and SKUs anew by their place among those of known orders."""
    codes = {name: np.searchsorted(np.unique(getattr(known, name)), getattr(orders, name)) for name in ("pair", "tier_sku", "sku")}
    return replace(orders, **codes)


def _held_out(family: str, asked: Orders, log_loss: Floats, below: Floats) -> HeldOut:
    capped = np.isfinite(asked.cap)
    delivered = float(asked.size[capped].sum())
    bias = float(below[capped].sum() / delivered - 1.0) if delivered > 0 else 0.0
    return HeldOut(family, asked.count, float(log_loss.mean()), bias)


def law_log_loss(asked: Orders, laws: PairLaws) -> Floats:
    """Return minus the logarithm of the probability of what was seen of each order (m,), its size rounded to whole units.

    The law is one of counts then, like the negative binomial one: a size of y is one between y - 1/2 and y + 1/2, given at least 1/2.
    """
    mean, spread = laws.mean[asked.pair], laws.spread[asked.pair]

    def standard(units: Floats) -> Floats:
        return (transform(np.maximum(units, 0.5), laws.power) - mean) / spread

    low, high = standard(asked.size - 0.5), np.where(asked.at_cap, np.inf, standard(asked.size + 0.5))
    mirrored = low < -high
    low, high = np.where(mirrored, -high, low), np.where(mirrored, -low, high)
    tail = log_ndtr(-low)
    beyond = np.where(np.isinf(high), -np.inf, log_ndtr(-high) - tail)
    log_mass = tail + np.log(np.maximum(-np.expm1(beyond), np.finfo(np.float64).tiny))
    return np.asarray(log_ndtr(-standard(np.full(asked.count, 0.5))) - log_mass)


def law_below_caps(asked: Orders, laws: PairLaws) -> Floats:
    """Return E[min(size, cap)] of each order by its pair's law, units (m,)."""
    least = np.full(asked.count, float(transform(np.array(0.5), laws.power)))
    law = (least, np.full(asked.count, np.inf), laws.mean[asked.pair], laws.spread[asked.pair])
    points = [np.minimum(inverse(quantile((k + 0.5) / POINTS, *law), laws.power), asked.cap) for k in range(POINTS)]
    return np.asarray(np.mean(points, axis=0))


def negative_binomial_below_caps(cap: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return E[min(Y, cap)] given an order, units (m,): what is expected less what is expected beyond the cap.

    >>> negative_binomial_below_caps(np.array([2.0, np.inf]), np.ones(2), np.ones(2)).round(4).tolist()
    [1.5, 2.0]
    """
    below = order_mean(mean, dispersion)
    capped = np.isfinite(cap)
    law = (mean[capped], dispersion[capped])
    beyond = expected_units(cap[capped], np.full(law[0].shape, np.inf), *law) - cap[capped]
    below[capped] -= survival(cap[capped], *law, ordered=True) * beyond
    return below
