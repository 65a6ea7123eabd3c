"""The county that end-to-end tests share: three hundred shops, loaded, trained and scored once in a session, with few trees."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from demo.county import County, write_county
from flows.opening import open_warehouse
from flows.settings import Settings, read_settings

AS_OF = date(2025, 9, 28)
EARLIER = AS_OF - timedelta(weeks=8)

COUNTY = County(n_retailers=300, n_urban=66, n_skus=40, n_weeks=104, as_of=AS_OF, seed=1)
"""Larger than `County.small`, where too few shops leave for a churn model to be trained."""

CONFIGURATION = """\
[warehouse]
threads = 1

[recovery.recensoring]
free_skus = 30
donors = 1
max_orders = 40_000
num_iterations = 15
num_leaves = 15
min_data_in_leaf = 50
num_threads = 1

[recovery.negative_binomial]
max_orders = 4_000
num_iterations = 8
num_leaves = 7
num_threads = 1

[demand]
cut_offs = 2
cut_off_spacing_weeks = 12
max_training_rows = 40_000
members = 2
max_judged_pairs = 20_000

[demand.lightgbm]
num_iterations = 40
order_num_iterations = 20
learning_rate = 0.15
num_leaves = 15
min_data_in_leaf = 50
num_threads = 1

[churn]
origins = 8
origin_spacing_weeks = 13
first_origin_weeks = 8
calibration_origins = 1
test_origins = 1

[churn.lightgbm]
num_iterations = 30
learning_rate = 0.1
min_data_in_leaf = 20
num_threads = 1

[retries]
attempts = 0
delay_seconds = 0.0

[concurrency]
wait_minutes = 0.0
"""
"""Enough to beat the naive forecasts; one thread, as tests run side by side; a warehouse that is held fails at once."""


@dataclass(frozen=True)
class Place:
    """A warehouse and a tracking store of a test.

    Attributes
    ----------
    folder
        Holds ``warehouse.duckdb``, ``mlruns/`` and ``small.toml``.
    """

    folder: Path

    @property
    def config(self) -> Path:
        """The file to pass as ``--config``."""
        return self.folder / "small.toml"

    @property
    def stores(self) -> dict[str, str]:
        """The environment variables that lead a command here."""
        return {"UNCAP_WAREHOUSE_URL": str(self.folder / "warehouse.duckdb"), "UNCAP_TRACKING_URI": str(self.folder / "mlruns")}

    @property
    def settings(self) -> Settings:
        """The settings of the same."""
        return read_settings(self.config, environment=self.stores)

    def rows(self, query: str) -> pd.DataFrame:
        """Return what a query finds in the warehouse; dates are datetime64."""
        with open_warehouse(self.settings) as con:
            found: pd.DataFrame = con.query(query).to_pandas(date_as_object=False)
            return found

    def configure(self, more: str) -> Place:
        """Write the configuration of the tests with further sections."""
        self.config.write_text(CONFIGURATION + more, encoding="utf-8")
        return self


def new_place(folder: Path, migrated_store: Path) -> Place:
    """Make a place without a warehouse, whose tracking store has its tables."""
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(migrated_store, folder / "mlruns" / "mlflow.db")
    return Place(folder).configure("")


def copy_place(place: Place, folder: Path) -> Place:
    """Copy a place, that a test may change it; the files of models stay where MLflow has recorded them, and are shared."""
    (folder / "mlruns").mkdir(parents=True)
    for name in ("warehouse.duckdb", "mlruns/mlflow.db", "small.toml"):
        shutil.copy(place.folder / name, folder / name)
    return Place(folder)


@dataclass(frozen=True)
class ScoredCounty:
    """The county, and where it was scored.

    Attributes
    ----------
    place
        Scored as of ``EARLIER`` and then ``AS_OF``, with models trained as of ``AS_OF``. Not to be changed.
    inputs, truth
        Folders of the input tables and of what only the simulation knows.
    """

    place: Place
    inputs: Path
    truth: Path

    def true_weeks(self) -> pd.DataFrame:
        """Return ``demand_units`` by retailer, SKU and week_start; a week that is not there had none."""
        weeks = pd.read_parquet(self.truth / "weekly_demand.parquet")
        return weeks.assign(week_start=pd.to_datetime(weeks.week_start))


def make_scored_county(folder: Path, migrated_store: Path) -> None:
    """Simulate, load, train and score into a folder, which takes a minute."""
    from flows.load import load
    from flows.score import score
    from flows.train import train

    write_county(COUNTY, folder / "county")
    place = new_place(folder / "place", migrated_store)
    load(place.settings, folder / "county" / "input")
    train(place.settings, AS_OF)
    for as_of in (EARLIER, AS_OF):
        score(place.settings, as_of)


def scored_county(made: Path, copy: Path) -> ScoredCounty:
    """Return the county that `make_scored_county` put into a folder, with its place copied to another."""
    place = copy_place(Place(made / "place"), copy)
    shutil.copytree(made / "place" / "mlruns" / "artifacts", copy / "mlruns" / "artifacts")
    return ScoredCounty(place, made / "county" / "input", made / "county" / "truth")
