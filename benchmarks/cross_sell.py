"""Do retailers adopt what is suggested to them more often than what is popular? Judged on the quarter after each of several Sundays."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from benchmarks.records import circumstances, keep, printed_table
from contracts.cells import CELLS
from flows.cross_sell_rows import fetch_ranges
from flows.opening import open_warehouse
from flows.settings import Settings, read_settings
from models.cross_sell import CrossSellSettings, suggest
from models.retailer_ranges import Ranges
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

ORIGINS = ["2018-03-25", "2018-06-24", "2018-09-30", "2018-12-30", "2019-03-31", "2019-06-30", "2019-09-29"]
WEEKS = 13
NO_FORECASTS = pd.DataFrame({"retailer_id": [], "sku_id": [], "mean_units": []})
FIGURES = ("precision_score", "recall_score", "hit_rate_score")


def main() -> None:
    """Measure every origin, print the figures and keep them."""
    options = parsed(sys.argv[1:])
    settings = read_settings()
    rows = []
    for origin in options.origins:
        with open_warehouse(settings) as con:
            figures = measured(con, settings, date.fromisoformat(origin))
        command = shlex.join(["python", "-m", "benchmarks.cross_sell", "--origins", origin])
        keep("cross_sell", {origin: {**figures, "circumstances": circumstances(command)}})
        for name, of_method in figures["methods"].items():
            rows.append([f"{origin} {name}", *(round(of_method[figure], 4) for figure in FIGURES)])
    print(printed_table(["origin and method", *FIGURES], rows))


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--origins", nargs="+", default=ORIGINS, help="Sundays with a quarter of orders after them")
    return parser.parse_args(arguments)


def measured(con: Warehouse, settings: Settings, origin: date) -> dict[str, dict[str, dict[str, float]]]:
    """Return the figures of each method as of a Sunday, how long suggesting took, and expected units against those that came."""
    section = settings.cross_sell
    began = time.process_time()
    ranges = fetch_ranges(con, settings, origin, NO_FORECASTS)
    suggested = suggest(ranges, CrossSellSettings(section.skus_per_retailer, section.peers, section.prior_peers))
    seconds = time.process_time() - began
    came = adopted(con, ranges, origin)
    rows = pd.Index(ranges.retailer_ids).get_indexer(pd.Index(suggested.retailer_id))
    columns = pd.Index(ranges.sku_ids).get_indexer(pd.Index(suggested.sku_id))
    chosen = sparse.csr_matrix((np.ones(len(suggested)), (rows, columns)), shape=came.shape)
    popular = most_popular(ranges, section.skus_per_retailer)
    units = np.asarray(came[rows, columns]).ravel()
    taken = units > 0
    expected = suggested.expected_weekly_units.to_numpy()[taken].sum() * WEEKS
    return {
        "methods": {"peers": judged(chosen, came), "popularity": judged(popular, came)},
        "suggesting": {
            "processor_seconds": round(seconds, 1),
            "retailers": came.shape[0],
            "skus": came.shape[1],
            "suggestions": len(suggested),
        },
        "adopted": {"suggestions": int(taken.sum()), "expected_units": float(expected), "units": float(units.sum())},
    }


def adopted(con: Warehouse, ranges: Ranges, origin: date) -> sparse.csr_matrix:
    """Return units of the next quarter of what each retailer did not carry, sparse (n, m); SKUs nobody carried yet are left out."""
    cells = contract_table(CELLS)
    first, last = origin + timedelta(days=1), origin + timedelta(weeks=WEEKS)
    later = cells.filter(cells.week_start.between(first, last), cells.delivered_units > 0)
    summed = fetch(con, later.group_by("retailer_id", "sku_id").aggregate(units=later.delivered_units.sum())).to_pandas()
    rows = pd.Index(ranges.retailer_ids).get_indexer(summed.retailer_id)
    columns = pd.Index(ranges.sku_ids).get_indexer(summed.sku_id)
    known = (rows >= 0) & (columns >= 0)
    units = sparse.csr_matrix((summed.units[known], (rows[known], columns[known])), shape=ranges.units.shape)
    return (units - units.multiply(ranges.units > 0)).tocsr()


def most_popular(ranges: Ranges, n: int) -> sparse.csr_matrix:
    """Return the n SKUs most retailers sell now among those that each does not carry, sparse (n, m)."""
    share = np.asarray(ranges.recent.mean(axis=0)).ravel()
    scores = np.where(ranges.offered, share, -1.0) - 2.0 * (ranges.units > 0).toarray()
    best: npt.NDArray[np.intp] = np.argsort(-scores, axis=1, kind="stable")[:, :n]
    rows = np.repeat(np.arange(best.shape[0]), n)
    return sparse.csr_matrix((np.ones(best.size), (rows, best.ravel())), shape=ranges.units.shape)


def judged(chosen: sparse.csr_matrix, came: sparse.csr_matrix) -> Mapping[str, float]:
    """Return share of the suggestions adopted, share of the adoptions suggested (mean of retailers), share of retailers with a hit."""
    hits = np.asarray(chosen.multiply(came > 0).sum(axis=1)).ravel()
    adoptions = np.asarray((came > 0).sum(axis=1)).ravel()
    adopting = adoptions > 0
    return {
        "precision_score": float(hits.sum() / chosen.nnz),
        "recall_score": float((hits[adopting] / adoptions[adopting]).mean()),
        "hit_rate_score": float((hits > 0).mean()),
        "adoptions_per_retailer": float(adoptions.mean()),
    }


if __name__ == "__main__":
    main()
