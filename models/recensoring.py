"""True sizes of capped orders, learned by capping uncapped ones (re-censoring), and judged against the pair's own law.

A boosting of the excess over the cap, relative to the cap, starts from what the pair's censored law expects (Tweedie, for an order may be
just as large as its cap). It is judged on SKUs it was not taught on: there its total excess is scaled to the true one, and there it is
compared with the law alone and with the mean of both (MODELLING §3a; docs/recovery.md has what was measured).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from models.cap_context import CappedOrders, describe_capped
from models.likeness import likeness_to
from models.orders import Flags, Orders
from models.recapping import Recapped, rationed_skus, recap_free_skus, recap_open_weeks
from models.retailer_sizes import RetailerSizes
from models.size_laws import RecoverySettings, laws_of_orders
from models.stacking import Floats, Integers, Matrix

BLENDS = {"law": 0.0, "blend": 0.5, "recensoring": 1.0}
"""Weight of re-censoring in what each family says; the rest is the pair's own censored law."""

LEAST_EXCESS, MOST_EXCESS = 0.05, 50.0
"""Bounds, in caps, of the excess that the model starts from and of the one it learns from."""

LEAST_TAUGHT = 2000
"""With fewer capped orders of known size nothing is learned."""

SPREAD_LEVELS = (0.1, 0.9)
SPREAD_BINS = 12


@dataclass(frozen=True)
class RecensoringSettings:
    """How orders are capped on purpose, and how the model is grown.

    Attributes
    ----------
    donors
        Rationed SKUs that lend their caps to each free SKU.
    max_orders
        Orders of free SKUs to cap at most.
    folds
        Parts of the SKUs, each judged by a model of the others.
    rounds, leaves, min_rows_per_leaf, learning_rate, feature_fraction, tweedie_power
        As in LightGBM.
    threads, seed
        Of LightGBM, and of all drawing.
    """

    donors: int
    max_orders: int
    folds: int
    rounds: int
    leaves: int
    min_rows_per_leaf: int
    learning_rate: float
    feature_fraction: float
    tweedie_power: float
    threads: int
    seed: int

    def lightgbm(self) -> dict[str, object]:
        """Return the parameters as LightGBM names them."""
        return {
            "objective": "tweedie",
            "tweedie_variance_power": self.tweedie_power,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_per_leaf,
            "learning_rate": self.learning_rate,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "max_bin": 127,
            "num_threads": self.threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }


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
class Recensoring:
    """A fitted model of what caps cut off.

    Attributes
    ----------
    boosters
        Of the logarithm of the excess over the start; each was taught on other SKUs, and their mean is taken.
    names
        Features it takes.
    factor
        By which its excess is multiplied.
    family
        Which of ``BLENDS`` is used.
    edges, spread
        Bins of the expected excess in caps (bins - 1,), and per bin the true excess over the expected one at 10 and 90 % (bins, 2).
    checks
        What the choice rests on.
    """

    boosters: tuple[lgb.Booster, ...]
    names: tuple[str, ...]
    factor: float
    family: str
    edges: Floats
    spread: Floats
    checks: tuple[Transfer, ...]

    def sizes(self, capped: CappedOrders, threads: int) -> Floats:
        """Return the true size of each order: expected, and its 10 and 90 % quantiles, units (m, 3), never below the cap."""
        learned = capped.cap * self.factor * _excess(self.boosters, capped.features, _start(capped), threads)
        excess = np.maximum(_blended(learned, capped, BLENDS[self.family]), 0.0)
        member = np.searchsorted(self.edges, excess / capped.cap)
        return np.asarray(capped.cap[:, None] + excess[:, None] * np.column_stack([np.ones(excess.size), self.spread[member]]))

    def save(self, folder: Path) -> None:
        """Write the model as text: one LightGBM file and one JSON file."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, booster in enumerate(self.boosters):
            booster.save_model(folder / f"excess_{number}.txt")
        described = {
            "boosters": len(self.boosters),
            "names": list(self.names),
            "factor": self.factor,
            "family": self.family,
            "edges": self.edges.tolist(),
            "spread": self.spread.tolist(),
            "checks": [asdict(check) for check in self.checks],
        }
        (folder / "recensoring.json").write_text(json.dumps(described))

    @classmethod
    def load(cls, folder: Path) -> Recensoring | None:
        """Read what ``save`` wrote; None where nothing was saved, for a model whose training saw no caps has none."""
        if not (folder / "recensoring.json").exists():
            return None
        stored: Mapping[str, Any] = json.loads((folder / "recensoring.json").read_text())
        return cls(
            tuple(lgb.Booster(model_file=folder / f"excess_{number}.txt") for number in range(stored["boosters"])),
            tuple(stored["names"]),
            float(stored["factor"]),
            str(stored["family"]),
            np.asarray(stored["edges"], dtype=np.float64),
            np.asarray(stored["spread"], dtype=np.float64).reshape(-1, len(SPREAD_LEVELS)),
            tuple(Transfer(**check) for check in stored["checks"]),
        )


@dataclass(frozen=True)
class _Taught:
    """Capped orders of known size from all sources."""

    capped: CappedOrders
    true_excess: Floats
    sku: Integers
    open_week: Flags


def fit_recensoring(
    orders: Orders, sizes: RetailerSizes, real: CappedOrders, laws: RecoverySettings, settings: RecensoringSettings
) -> Recensoring | None:
    """Learn to uncap from what is known as of now.

    Parameters
    ----------
    orders
        All orders, by week.
    sizes
        What retailers order of their SKUs, from the same orders.
    real
        The orders that were really capped: those capped on purpose count more for the level the more they are like these.
    laws
        How the censored law of a pair is fitted.

    Returns
    -------
    Recensoring or None
        None where there are too few orders to cap on purpose: no cap, or everything capped always.
    """
    taught = _teach(orders, sizes, laws, settings)
    if taught is None or taught.true_excess.size < LEAST_TAUGHT or np.unique(taught.sku).size < settings.folds:
        return None
    capped, start = taught.capped, _start(taught.capped)
    skus, sku = np.unique(taught.sku, return_inverse=True)
    fold = np.random.default_rng(settings.seed).permutation(skus.size)[sku] % settings.folds
    unseen, boosters = np.zeros(start.size), []
    for part in range(settings.folds):
        boosters.append(_grow(taught, start, fold != part, settings))
        unseen[fold == part] = _excess(boosters[part:], capped.features[fold == part], start[fold == part], settings.threads)
    unseen *= capped.cap
    likeness = likeness_to(real, capped, settings.threads, settings.seed)
    factor = _scale(likeness * taught.true_excess, likeness * unseen)
    # each part is judged with the scale of the others: with its own the bias would be 0 by construction
    scaled = np.zeros(start.size)
    for part in range(settings.folds):
        others = fold != part
        scaled[~others] = unseen[~others] * _scale((likeness * taught.true_excess)[others], (likeness * unseen)[others])
    checks = tuple(_checks(taught, scaled, likeness))
    family = min((check for check in checks if check.where == "all"), key=lambda check: check.wape + abs(check.bias)).family
    edges, spread = _spread(np.maximum(_blended(unseen * factor, capped, BLENDS[family]), 0.0), taught)
    return Recensoring(tuple(boosters), capped.names, factor, family, edges, spread, checks)


def _scale(true: Floats, found: Floats) -> float:
    return float(true.sum() / max(found.sum(), 1e-9))


def _teach(orders: Orders, sizes: RetailerSizes, laws: RecoverySettings, settings: RecensoringSettings) -> _Taught | None:
    rationed = rationed_skus(orders)
    if rationed.size == 0:
        return None
    rng = np.random.default_rng(settings.seed)
    copies = [recap_open_weeks(orders)]
    if rationed.size < np.unique(orders.sku).size:
        copies.append(recap_free_skus(orders, rng, settings.donors, settings.max_orders))
    parts = [_described(copy, sizes, laws) for copy in copies if (copy.taught & copy.orders.at_cap).any()]
    if not parts:
        return None
    described = [capped for capped, _ in parts]
    capped = CappedOrders(
        np.concatenate([each.position for each in described]),
        np.concatenate([each.row for each in described]),
        np.concatenate([each.cap for each in described]),
        np.concatenate([each.expected for each in described]),
        np.concatenate([each.features for each in described]),
        described[0].names,
    )
    true_size = np.concatenate([copy.true_size[each.position] for each, copy in parts])
    sku = np.concatenate([copy.source[each.position] for each, copy in parts])
    return _Taught(capped, true_size - capped.cap, sku, np.isin(sku, rationed))


def _described(copy: Recapped, sizes: RetailerSizes, laws: RecoverySettings) -> tuple[CappedOrders, Recapped]:
    capped = describe_capped(copy.orders, copy.source, sizes, laws_of_orders(copy.orders, laws))
    return capped.take(copy.taught[capped.position]), copy


def _start(capped: CappedOrders) -> Floats:
    return np.log(np.clip(capped.expected / capped.cap - 1.0, LEAST_EXCESS, MOST_EXCESS))


def _grow(taught: _Taught, start: Floats, of: Flags, settings: RecensoringSettings) -> lgb.Booster:
    cap = taught.capped.cap[of]
    excess = np.minimum(taught.true_excess[of] / cap, MOST_EXCESS)
    names, parameters = list(taught.capped.names), settings.lightgbm()
    rows = lgb.Dataset(taught.capped.features[of], excess, weight=cap, init_score=start[of], feature_name=names, params=parameters)
    return lgb.train(parameters, rows, settings.rounds)


def _excess(boosters: Sequence[lgb.Booster], features: Matrix, start: Floats, threads: int) -> Floats:
    """Return the expected excess in caps."""
    if start.size == 0:
        return np.empty(0)
    scores = [np.asarray(booster.predict(features, raw_score=True, num_threads=threads)) for booster in boosters]
    return np.asarray(np.mean([np.exp(np.minimum(score + start, np.log(MOST_EXCESS))) for score in scores], axis=0))


def _blended(learned: Floats, capped: CappedOrders, weight: float) -> Floats:
    return weight * learned + (1.0 - weight) * (capped.expected - capped.cap)


def _checks(taught: _Taught, learned: Floats, likeness: Floats) -> list[Transfer]:
    """Judge each family on the orders of SKUs it was not taught on; those more like really capped ones count more."""
    true_size = taught.capped.cap + taught.true_excess
    places = {"all": np.ones(learned.size, dtype=bool), "free SKUs": ~taught.open_week, "open weeks": taught.open_week}
    checks = []
    for family, weight in BLENDS.items():
        error = _blended(learned, taught.capped, weight) - taught.true_excess
        for where, these in places.items():
            if these.any():
                total = float((likeness * true_size)[these].sum())
                weighed = (likeness * error)[these] / total
                bias, wape = float(weighed.sum()), float(np.abs(weighed).sum())
                checks.append(Transfer(family, where, int(these.sum()), bias, wape))
    return checks


def _spread(expected: Floats, taught: _Taught) -> tuple[Floats, Floats]:
    """Return bins of the expected excess in caps, and in each how far true excesses lie around the expected one."""
    in_caps = expected / taught.capped.cap
    edges = np.unique(np.quantile(in_caps, np.arange(1, SPREAD_BINS) / SPREAD_BINS))
    member = np.searchsorted(edges, in_caps)
    times = taught.true_excess / np.maximum(expected, 1e-6)
    rows = [np.quantile(times[member == k] if (member == k).any() else times, SPREAD_LEVELS) for k in range(edges.size + 1)]
    return edges, np.asarray(rows)
