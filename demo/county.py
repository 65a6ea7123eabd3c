"""Makes the simulated county: contract tables in ``input/``, and in ``truth/`` what only a simulation can know.

``truth/weekly_demand.parquet``
    retailer_id, sku_id, week_start, demand_units: true demand of the history and of the eight weeks after it.
    A retailer-SKU-week that is not there had none; weeks with 0 are those in which a floor pushed a SKU nobody wanted.
``truth/churn.parquet``
    retailer_id, last_order_week, stopped_on, cause, fading_weeks: one row per licence, known 26 weeks beyond the history.
    stopped_on is the Sunday after which the retailer wants nothing, null if it goes on; cause is competitor, starved, service,
    footfall (real churn), closed or relicensed. Its orders faded over the last fading_weeks weeks; 0 if it left without a sign in them.
``truth/facts.json``
    The fields of `demo.facts.CountyFacts`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.errors import ConfigurationError
from contracts.raw import (
    ALLOCATION_LIMITS,
    EVENTS,
    INTERACTIONS,
    ORDER_LINES,
    RETAILERS,
    SEGMENT_OVERRIDES,
    SELL_THROUGH,
    SKUS,
    SUPPLY,
)
from contracts.weeks import require_sunday
from demo.accounts import draw_accounts
from demo.contacts import events_table, interactions_table
from demo.facts import CountyFacts, gather_facts
from demo.hoarding import require_share
from demo.licences import retailers_table, skus_table
from demo.life import Lives, live, stream
from demo.orders import limits_table, order_lines_table, supply_table
from demo.overrides import segment_overrides_table
from demo.shelves import sell_through_table
from demo.timeline import Timeline
from demo.truth import churn_table, weekly_demand_table

__all__ = ["County", "CountyFacts", "write_county"]

FEWEST_RETAILERS, FEWEST_SKUS, FEWEST_WEEKS = 60, 40, 60


@dataclass(frozen=True)
class County:
    """How large the county is and how long its history.

    Attributes
    ----------
    n_retailers, n_urban
        Licences in the register, and how many of them in town; the rest is rural.
    n_skus
        SKUs.
    n_weeks
        Weeks of history.
    as_of
        The Sunday that ends the history.
    seed
        The same seed gives the same county, to the byte.
    hoarding
        Share of retailer-weeks in which a shop orders up to its caps whatever it wants, see `demo.hoarding`; a study asks for it.
    spill
        Share of unmet demand that moves to other SKUs of the price band, see `demo.spill`; a study asks for it.

    Raises
    ------
    ConfigurationError
        If it is too small for everything a county must have.
    UsageError
        If ``as_of`` is no Sunday.

    Examples
    --------
    >>> County.full(1).n_retailers, County.small(1).n_retailers
    (3637, 120)
    >>> County(30, 10, 40, 104, date(2025, 9, 28), seed=1)
    Traceback (most recent call last):
    contracts.errors.ConfigurationError: county: 30 retailers, 40 SKUs, 104 weeks; expected at least 60 retailers, 40 SKUs, 60 weeks
    Hint: make the county larger
    """

    n_retailers: int
    n_urban: int
    n_skus: int
    n_weeks: int
    as_of: date
    seed: int
    hoarding: float = 0.0
    spill: float = 0.0

    def __post_init__(self) -> None:
        require_sunday(self.as_of)
        require_share(self.hoarding)
        require_share(self.spill, "spill")
        if self.n_retailers < FEWEST_RETAILERS or self.n_skus < FEWEST_SKUS or self.n_weeks < FEWEST_WEEKS:
            raise ConfigurationError(
                f"county: {self.n_retailers} retailers, {self.n_skus} SKUs, {self.n_weeks} weeks;"
                f" expected at least {FEWEST_RETAILERS} retailers, {FEWEST_SKUS} SKUs, {FEWEST_WEEKS} weeks",
                hint="make the county larger",
            )

    @classmethod
    def full(cls, seed: int) -> County:
        """The county of the demo: 795 urban and 2,842 rural retailers."""
        return cls(n_retailers=3_637, n_urban=795, n_skus=72, n_weeks=112, as_of=date(2025, 9, 28), seed=seed)

    @classmethod
    def small(cls, seed: int) -> County:
        """A county for tests."""
        return cls(n_retailers=120, n_urban=26, n_skus=40, n_weeks=104, as_of=date(2025, 9, 28), seed=seed)


def write_county(county: County, folder: Path) -> CountyFacts:
    """Simulate a county and write it.

    Parameters
    ----------
    county
        Size, dates and seed.
    folder
        Gets ``input/`` and ``truth/``; files of a former county in them are replaced.

    Returns
    -------
    CountyFacts
        Also written to ``truth/facts.json``.

    Raises
    ------
    ConfigurationError
        If the county spans years whose holidays are not known, see `demo.seasons`.
    """
    weeks = Timeline(county.as_of, county.n_weeks)
    lives = live(county.n_retailers, county.n_urban, county.n_skus, weeks, county.seed, hoarding=county.hoarding, spill=county.spill)
    tables = _input_tables(lives, county.seed)
    churn = churn_table(lives.delivered, lives.pairs, lives.departures, lives.licences, weeks)
    for name, rows in tables.items():
        _write(rows, folder / "input" / f"{name}.parquet")
    _write(
        weekly_demand_table(lives.delivered, lives.products, lives.pairs, lives.licences, weeks), folder / "truth" / "weekly_demand.parquet"
    )
    _write(churn, folder / "truth" / "churn.parquet")
    facts = gather_facts(lives, county.seed, tables, churn)
    (folder / "truth" / "facts.json").write_text(json.dumps(asdict(facts), indent=2) + "\n", encoding="utf-8")
    return facts


def _input_tables(lives: Lives, seed: int) -> dict[str, pa.Table]:
    weeks, shops, products, pairs = lives.weeks, lives.shops, lives.products, lives.pairs
    licences, departures, delivered, quotas = lives.licences, lives.departures, lives.delivered, lives.quotas
    accounts = draw_accounts(stream(seed, "accounts"), shops)
    return {
        RETAILERS.name: retailers_table(stream(seed, "register"), shops, departures, licences, accounts.columns(licences), weeks),
        SKUS.name: skus_table(stream(seed, "skus"), products, weeks),
        ORDER_LINES.name: order_lines_table(stream(seed, "lines"), delivered, shops, products, pairs, licences, weeks),
        ALLOCATION_LIMITS.name: limits_table(products, pairs, quotas, licences, weeks),
        SUPPLY.name: supply_table(stream(seed, "supply"), delivered, products, pairs, quotas, weeks),
        INTERACTIONS.name: interactions_table(stream(seed, "contacts"), shops, departures, licences, lives.unmet_share, weeks),
        SELL_THROUGH.name: sell_through_table(stream(seed, "shelves"), delivered, shops, products, pairs, licences, weeks),
        EVENTS.name: events_table(lives.local_days, weeks),
        SEGMENT_OVERRIDES.name: segment_overrides_table(stream(seed, "overrides"), shops, licences, accounts, weeks),
    }


def _write(rows: pa.Table, path: Path) -> None:
    """Write Parquet; ids that are all different gain nothing from a dictionary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    repeated = [name for name in rows.column_names if name not in ("line_id", "interaction_id")]
    pq.write_table(rows, path, compression="zstd", use_dictionary=repeated)
