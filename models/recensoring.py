"""True sizes of capped orders, learned by capping uncapped ones (re-censoring), and judged against laws of sizes.

A boosting of the excess over the cap, relative to the cap, starts from what the pair's censored law expects (Tweedie, for an order may be
just as large as its cap). It is judged on SKUs it was not taught on: there its total excess is scaled to the true one, and there it is
compared with the pair's law, with a negative binomial law and with means of two (MODELLING §3; docs/recovery.md has what was measured).
Where nothing can be capped on purpose, only the two laws are compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from models.cap_context import CappedOrders
from models.hoarding_rate import HoardingRate
from models.likeness import likeness_to
from models.negative_binomial_family import (
    DescribedOrders,
    NegativeBinomialFamily,
    NegativeBinomialSettings,
    RationedOrders,
    drawn_positions,
    too_long,
)
from models.orders import Orders
from models.recorded_requests import RecordedRequests
from models.recovery_checks import BLENDS, SPREAD_LEVELS, Estimates, HeldOut, Transfer, compare_laws, judge, nearest, spread_around
from models.recovery_level import Level, open_week_level, scales
from models.size_laws import RecoverySettings
from models.stacking import Flags, Floats, Integers, Matrix
from models.teaching import LEAST_TAUGHT, Capping, Taught, teach

LEAST_EXCESS, MOST_EXCESS = 0.05, 50.0
"""Bounds, in caps, of the excess that the model starts from; the upper one also of the one it learns from."""

NO_EXCESS = 1e-9
"""What an order just as large as its cap is learned with: LightGBM refuses labels that are all 0."""

SPREAD_ORDERS, SPREAD_POINTS = 3000, 20
"""So many orders at caps, at so many midpoints of probability, tell how wide the negative binomial law is beyond caps."""

COUNTS = "negative_binomial"
"""Folder of the negative binomial law, within that of the model."""


@dataclass(frozen=True)
class RecensoringSettings(Capping):
    """How orders are capped on purpose, and how the model is grown.

    Attributes
    ----------
    folds
        Parts of the SKUs, each judged by a model of the others.
    rounds, leaves, min_rows_per_leaf, learning_rate, feature_fraction, tweedie_power
        As in LightGBM.
    threads
        Of LightGBM; it has the seed of the drawing.
    """

    folds: int
    rounds: int
    leaves: int
    min_rows_per_leaf: int
    learning_rate: float
    feature_fraction: float
    tweedie_power: float
    threads: int

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
class Recensoring:
    """A fitted model of what caps cut off.

    Attributes
    ----------
    boosters
        Of the logarithm of the excess over the start, each taught on other SKUs: their mean is taken. None where nothing could be capped.
    names
        Features they take.
    factor, factor_never_open
        By which their excess is multiplied, where the tier was open at times and where it never was.
    family
        Which of ``models.recovery_checks.BLENDS`` is used.
    edges, spread
        Bins of the expected excess in caps (bins - 1,), and per bin the true excess over the expected one at 10 and 90 % (bins, 2).
    checks, held_out
        What the choice rests on: sizes found again that were capped on purpose, or where there are none, orders held out.
    counts
        The negative binomial law; None where the family does without it.
    left_out
        Why the negative binomial law was not tried; empty where it was.
    hoarding
        What orders say of hoarding; where it is evident, recovered orders are held against what shops sold.
    open_weeks
        By how much the orders of open weeks ask for a larger excess than the family finds; None where too few say it.
    requests
        How recorded requests agree with what is found without them; None where too few say it.
    """

    boosters: tuple[lgb.Booster, ...]
    names: tuple[str, ...]
    factor: float
    factor_never_open: float
    family: str
    edges: Floats
    spread: Floats
    checks: tuple[Transfer, ...]
    held_out: tuple[HeldOut, ...] = ()
    counts: NegativeBinomialFamily | None = None
    left_out: str = ""
    hoarding: HoardingRate | None = None
    open_weeks: Level | None = None
    requests: RecordedRequests | None = None

    @property
    def believes_requests(self) -> bool:
        """Whether recorded requests are taken for demand."""
        return self.requests is not None and self.requests.genuine

    @property
    def by_law(self) -> bool:
        """Whether the pair's own law says all."""
        return self.family == "law" and self.level == 1.0

    @property
    def level(self) -> float:
        """By which the excess that the family finds is multiplied."""
        return 1.0 if self.open_weeks is None else self.open_weeks.taken

    def excess(self, capped: CappedOrders, counted: DescribedOrders | None, threads: int) -> Floats:
        """Return what the family finds beyond the cap of each order, units (m,), before ``level``; parameters as of ``sizes``."""
        learned = by_counts = None
        if "recensoring" in BLENDS[self.family]:
            factor = np.where(capped.never_open, self.factor_never_open, self.factor)
            learned = capped.cap * factor * _excess(self.boosters, capped.features, _start(capped), threads)
        if self.counts is not None and counted is not None:
            by_counts = self.counts.excess(counted, threads)
        return Estimates(capped.expected - capped.cap, by_counts, learned).blended(BLENDS[self.family])

    def sizes(self, capped: CappedOrders, counted: DescribedOrders | None, threads: int) -> Floats:
        """Return the true size of each order: expected, and its 10 and 90 % quantiles, units (m, 3), never below the cap.

        Parameters
        ----------
        capped
            The orders.
        counted
            The same as the negative binomial law sees them; None where ``counts`` is.
        threads
            Of LightGBM.
        """
        excess = self.excess(capped, counted, threads)
        around = np.column_stack([np.ones(excess.size), self.spread[np.searchsorted(self.edges, excess / capped.cap)]])
        return np.asarray(capped.cap[:, None] + self.level * excess[:, None] * around)

    def save(self, folder: Path) -> None:
        """Write the model as text: LightGBM and JSON files."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, booster in enumerate(self.boosters):
            booster.save_model(folder / f"excess_{number}.txt")
        if self.counts is not None:
            self.counts.save(folder / COUNTS)
        described = {
            "boosters": len(self.boosters),
            "names": list(self.names),
            "factor": self.factor,
            "factor_never_open": self.factor_never_open,
            "family": self.family,
            "edges": self.edges.tolist(),
            "spread": self.spread.tolist(),
            "checks": [asdict(check) for check in self.checks],
            "held_out": [asdict(check) for check in self.held_out],
            "left_out": self.left_out,
            "hoarding": None if self.hoarding is None else asdict(self.hoarding),
            "open_weeks": None if self.open_weeks is None else asdict(self.open_weeks),
            "requests": None if self.requests is None else asdict(self.requests),
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
            float(stored.get("factor_never_open", stored["factor"])),
            str(stored["family"]),
            np.asarray(stored["edges"], dtype=np.float64),
            np.asarray(stored["spread"], dtype=np.float64).reshape(-1, len(SPREAD_LEVELS)),
            tuple(Transfer(**check) for check in stored["checks"]),
            tuple(HeldOut(**check) for check in stored.get("held_out", ())),
            NegativeBinomialFamily.load(folder / COUNTS) if (folder / COUNTS).exists() else None,
            str(stored.get("left_out", "")),
            HoardingRate(**stored["hoarding"]) if stored.get("hoarding") else None,
            Level(**stored["open_weeks"]) if stored.get("open_weeks") else None,
            RecordedRequests(**stored["requests"]) if stored.get("requests") else None,
        )


def fit_recensoring(
    orders: Orders,
    rationed: RationedOrders,
    real: CappedOrders,
    sizes: Floats,
    laws: RecoverySettings,
    settings: RecensoringSettings,
    counts: NegativeBinomialSettings | None = None,
) -> Recensoring | None:
    """Learn to uncap from what is known as of now.

    Parameters
    ----------
    orders
        All orders, by week.
    rationed
        Those of rationed SKUs, with what retailers order of other SKUs.
    real
        The orders that were really capped: those capped on purpose count more for the level the more they are like these.
    sizes
        Units of each of ``rationed``: expected where a limit other than a named cap cut it, else its size (n,).
    laws
        How the censored law of a pair is fitted.
    counts
        How the negative binomial law is; None leaves it out.

    Returns
    -------
    Recensoring or None
        None where there are too few orders. Where too few can be capped on purpose (everything is capped always) it has one of the two
        laws and no boosters.
    """
    left_out = too_long(rationed.orders.count, counts)
    tried = None if left_out else counts
    taught = teach(orders, rationed.sizes, laws, settings, tried)
    if taught is None or np.unique(taught.sku).size < settings.folds:
        return law_alone(left_out) if left_out else _by_held_out(rationed, real, laws, tried)
    boosters, unseen, fold = _grown(taught, settings)
    likeness = likeness_to(real, taught.capped, settings.threads, settings.seed)
    by_kind, whole, scaled = _scaled(taught, unseen, fold, likeness)
    cap, by_law = taught.capped.cap, taught.capped.expected - taught.capped.cap
    checks = judge(Estimates(by_law, taught.by_counts, scaled), cap, taught.true_excess, taught.open_week, likeness)
    family = nearest(checks)
    expected = Estimates(by_law, taught.by_counts, whole).blended(BLENDS[family])
    edges, spread = spread_around(expected, taught.true_excess, cap)
    law = rationed.fit(tried) if tried is not None and "negative_binomial" in BLENDS[family] else None
    learned = Recensoring(boosters, taught.capped.names, *by_kind, family, edges, spread, checks, (), law, left_out)
    excess = learned.excess(real, None if law is None else rationed.describe(real.position), settings.threads)
    return replace(learned, open_weeks=open_week_level(orders, replace(rationed.orders, size=sizes), real, excess))


def law_alone(left_out: str = "") -> Recensoring:
    """Return what leaves everything to the pair's own law, compared with nothing."""
    return Recensoring((), (), 1.0, 1.0, "law", np.empty(0), np.ones((1, len(SPREAD_LEVELS))), (), left_out=left_out)


def _by_held_out(
    rationed: RationedOrders, real: CappedOrders, laws: RecoverySettings, counts: NegativeBinomialSettings | None
) -> Recensoring | None:
    """Choose between the two laws by orders held out of both."""
    if counts is None or real.cap.size < LEAST_TAUGHT:
        return None
    held_out = compare_laws(rationed.orders, laws, counts)
    if not held_out:
        return None
    family = min(held_out, key=lambda check: check.loss).family
    if family == "law":
        return replace(law_alone(), held_out=held_out)
    law = rationed.fit(counts)
    some = rationed.describe(real.position[drawn_positions(real.cap.size, SPREAD_ORDERS, counts.boosting.seed)])
    threads = counts.boosting.threads
    beyond = law.quantiles(some, [(k + 0.5) / SPREAD_POINTS for k in range(SPREAD_POINTS)], threads) - some.lower[:, None]
    expected, cap = (np.repeat(values, SPREAD_POINTS) for values in (law.excess(some, threads), some.lower))
    edges, spread = spread_around(expected, beyond.ravel(), cap)
    return Recensoring((), (), 1.0, 1.0, family, edges, spread, (), held_out, law)


def _grown(taught: Taught, settings: RecensoringSettings) -> tuple[tuple[lgb.Booster, ...], Floats, Integers]:
    """Grow a model without each part of the SKUs; return them, the excess each finds on its part (units), and the parts."""
    start = _start(taught.capped)
    skus, sku = np.unique(taught.sku, return_inverse=True)
    fold = np.random.default_rng(settings.seed).permutation(skus.size)[sku] % settings.folds
    unseen, boosters = np.zeros(start.size), []
    for part in range(settings.folds):
        boosters.append(_grow(taught, start, fold != part, settings))
        unseen[fold == part] = _excess(boosters[part:], taught.capped.features[fold == part], start[fold == part], settings.threads)
    return tuple(boosters), unseen * taught.capped.cap, fold


def _scaled(taught: Taught, unseen: Floats, fold: Integers, likeness: Floats) -> tuple[tuple[float, float], Floats, Floats]:
    """Return the scales of what was found, for tiers open at times and never; it scaled by them; and each part by those of the others.

    By its own the bias of a part would be 0 by construction.
    """
    true, found, sku, never_open = likeness * taught.true_excess, likeness * unseen, taught.sku, taught.capped.never_open
    by_kind = scales(true, found, sku, never_open)
    by_others = np.zeros(unseen.size)
    for part in np.unique(fold):
        of, others = fold == part, fold != part
        open_at_times, never = scales(true[others], found[others], sku[others], never_open[others])
        by_others[of] = unseen[of] * np.where(never_open[of], never, open_at_times)
    return by_kind, unseen * np.where(never_open, by_kind[1], by_kind[0]), by_others


def _start(capped: CappedOrders) -> Floats:
    return np.log(np.clip(capped.expected / capped.cap - 1.0, LEAST_EXCESS, MOST_EXCESS))


def _grow(taught: Taught, start: Floats, of: Flags, settings: RecensoringSettings) -> lgb.Booster:
    cap = taught.capped.cap[of]
    excess = np.clip(taught.true_excess[of] / cap, NO_EXCESS, MOST_EXCESS)
    names, parameters = list(taught.capped.names), settings.lightgbm()
    rows = lgb.Dataset(taught.capped.features[of], excess, weight=cap, init_score=start[of], feature_name=names, params=parameters)
    return lgb.train(parameters, rows, settings.rounds)


def _excess(boosters: Sequence[lgb.Booster], features: Matrix, start: Floats, threads: int) -> Floats:
    """Return the expected excess in caps."""
    if start.size == 0:
        return np.empty(0)
    scores = [np.asarray(booster.predict(features, raw_score=True, num_threads=threads)) for booster in boosters]
    return np.asarray(np.mean([np.exp(np.minimum(score + start, np.log(MOST_EXCESS))) for score in scores], axis=0))
