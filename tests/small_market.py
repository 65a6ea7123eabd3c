"""A market of a few shops that order every week, written by hand where the simulated county would be too long or too large."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

LAST_SUNDAY = date(2024, 9, 29)
SHOPS, SKUS = 8, 3


def write_market(folder: Path, weeks: int) -> Path:
    """Write order lines of so many weeks, on Sundays up to ``LAST_SUNDAY``, with registers of retailers and SKUs.

    Besides the shops that order, one that ordered a single time, and a SKU that nobody ordered.
    """
    folder.mkdir(parents=True)
    lines = ["line_id,retailer_id,sku_id,ordered_on,delivered_units"]
    for ago in range(weeks):
        ordered_on = LAST_SUNDAY - timedelta(days=7 * ago)
        lines += [
            f"L{ago}-{shop}-{sku},R{shop},S{sku},{ordered_on},{1 + (ago * shop + sku) % 7}"
            for shop in range(SHOPS)
            for sku in range(SKUS)
            if (ago + shop + sku) % 3
        ]
    lines.append(f"once,R-once,S0,{LAST_SUNDAY - timedelta(days=4)},2")
    _write(folder / "order_lines.csv", lines)
    _write(folder / "retailers.csv", ["retailer_id,tier", *(f"R{shop},T{shop % 2}" for shop in range(SHOPS)), "R-once,T0"])
    _write(folder / "skus.csv", ["sku_id,category", *(f"S{sku},regular" for sku in range(SKUS)), "S-never,regular"])
    return folder


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
