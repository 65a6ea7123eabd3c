"""How long do the buy-till-you-die models take on thousands of retailers? Processor seconds to fit one and to score everybody with it.

The retailers are drawn from a Pareto/NBD like that of the Iowa stores, in whole weeks, which is what the models get of real ones.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.records import circumstances, keep, printed_table
from contracts.weeks import CHURN_HORIZONS
from models.bg_nbd import BgNbd, fit_bg_nbd
from models.pareto_nbd import ParetoNbd, fit_pareto_nbd
from models.repeat_orders import RepeatOrders

IOWA = ParetoNbd(r=3.2, alpha=5.0, s=0.14, beta=100.0)
"""About what the orders of Iowa's stores up to mid-2019 give."""

HISTORY_WEEKS = 104
FITS: dict[str, Callable[[RepeatOrders], ParetoNbd | BgNbd]] = {"pareto_nbd": fit_pareto_nbd, "bg_nbd": fit_bg_nbd}


def main() -> None:
    """Measure both models and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retailers", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    orders = drawn_orders(arguments.retailers, arguments.seed)
    figures = {name: _seconds(fit, orders) for name, fit in FITS.items()}
    rows = [[name, *seconds.values()] for name, seconds in figures.items()]
    print(printed_table(["model", *next(iter(figures.values()))], rows))
    command = shlex.join(["python", "-m", "benchmarks.btyd", *sys.argv[1:]])
    print(keep("btyd", {f"{arguments.retailers} retailers": {**figures, **circumstances(command)}}))


def drawn_orders(retailers: int, seed: int) -> RepeatOrders:
    """Return retailers that follow IOWA, known for 1 to 103 weeks, with at most one order counted per week."""
    rng = np.random.default_rng(seed)
    age = rng.integers(1, HISTORY_WEEKS, retailers)
    rate = rng.gamma(IOWA.r, 1.0 / IOWA.alpha, retailers)
    stop = rng.exponential(1.0 / np.maximum(rng.gamma(IOWA.s, 1.0 / IOWA.beta, retailers), 1e-12))
    week = np.arange(1, HISTORY_WEEKS)
    possible = week <= np.minimum(age, stop)[:, None]
    ordered = possible & (rng.random((retailers, week.size)) < -np.expm1(-rate)[:, None])
    return RepeatOrders.from_arrays(ordered.sum(axis=1), (ordered * week).max(axis=1), age)


def _seconds(fit: Callable[[RepeatOrders], ParetoNbd | BgNbd], orders: RepeatOrders) -> dict[str, float]:
    started = time.process_time()
    law = fit(orders)
    fitted = time.process_time()
    for weeks in CHURN_HORIZONS:
        law.p_no_order(orders, weeks)
    return {"fit_cpu_seconds": round(fitted - started, 2), "score_cpu_seconds": round(time.process_time() - fitted, 2)}


if __name__ == "__main__":
    main()
