"""How the derived tables are made: cells from order lines, recovered demand as of cut-offs, and what models may see of the registers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pandas as pd
import pyarrow as pa

from contracts.cells import CELLS, RECOVERED
from contracts.data_checks import QUARANTINE_DECISIONS, QUARANTINED_LINE
from contracts.raw import ALLOCATION_LIMITS, ORDER_LINES, RETAILERS, SELL_THROUGH, SKUS, SUPPLY
from contracts.steps import Step
from contracts.weeks import last_week
from features.attributes import ATTRIBUTES, filled_shares
from features.cells import cells_to_recover, retailer_sku_weeks, with_met_requests
from features.data_check_quarantine import quarantined_lines
from features.sell_through import sold_and_ordered
from flows.console import Say
from flows.settings import Settings
from models.censored_boosting import CensoredBoostingSettings
from models.hoarding_rate import hoarding_rate
from models.negative_binomial_family import NegativeBinomialSettings
from models.recensoring import Recensoring, RecensoringSettings, law_alone
from models.recorded_requests import RecordedRequests
from models.recovery import CensoredHistory, censored_history, learn_to_uncap, recover
from models.sell_through import ShelfWeeks, corrected_by_shelves, shelf_weeks
from models.size_laws import RecoverySettings
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch, has_rows, materialise, store


def build_cells(con: Warehouse, as_of: date | None = None) -> int:
    """Derive all retailer-SKU-weeks anew from what is loaded, and return how many there are.

    Lines that a check or a person put aside are left out; they are in ``derived.quarantined_line`` with the reason. Decisions of persons
    that hold from after ``as_of`` do not count.
    """
    lines, decisions = contract_table(ORDER_LINES), contract_table(QUARANTINE_DECISIONS)
    put_aside = materialise(con, QUARANTINED_LINE, quarantined_lines(lines, decisions, as_of))
    registers = (contract_table(described) for described in (RETAILERS, SKUS, ALLOCATION_LIMITS, SUPPLY))
    cells = materialise(con, CELLS, retailer_sku_weeks(lines.anti_join(put_aside, "line_id"), *registers))
    counted = fetch(con, cells.aggregate(rows=cells.count()))
    return int(counted["rows"][0].as_py())


def usable_attributes(con: Warehouse, settings: Settings, as_of: date) -> tuple[str, ...]:
    """Return the attributes that nearly every retailer or SKU with an order up to a Sunday has, in the order of the catalogue."""
    cells = contract_table(CELLS)
    known = cells.filter(cells.week_start <= last_week(as_of))
    shares = fetch(con, filled_shares(known, contract_table(RETAILERS), contract_table(SKUS))).to_pylist()[0]
    least = settings.features.attribute_share
    return tuple(feature.name for feature in ATTRIBUTES if (shares[feature.name] or 0.0) >= least)


def fetch_censored(con: Warehouse, settings: Settings, as_of: date) -> CensoredHistory:
    """Fetch the cells up to a Sunday that recovery rests on; cells must be built."""
    cells, retailers, skus = (contract_table(described) for described in (CELLS, RETAILERS, SKUS))
    rested = cells_to_recover(cells, retailers, skus, as_of, settings.recovery.recensoring.free_skus)
    counted = contract_table(ORDER_LINES).anti_join(contract_table(QUARANTINED_LINE), "line_id")
    fetched = fetch(con, with_met_requests(rested, counted)).to_pandas()
    return censored_history(fetched.assign(week_start=pd.to_datetime(fetched.week_start)), settings.recovery.power)


def fetch_shelves(con: Warehouse) -> ShelfWeeks | None:
    """Fetch what shops told of their sales, with their orders; None where none did. Cells must be built."""
    if not has_rows(con, SELL_THROUGH):
        return None
    rows = fetch(con, sold_and_ordered(contract_table(SELL_THROUGH), contract_table(CELLS))).to_pandas()
    return shelf_weeks(rows.assign(week_start=pd.to_datetime(rows.week_start)))


def learn_recovery(settings: Settings, history: CensoredHistory, as_of: date, say: Say) -> Recensoring | None:
    """Learn what caps cut off from what was known as of a Sunday, and say how well that worked on SKUs it was not taught on."""
    grown = settings.recovery.recensoring
    learned = learn_to_uncap(
        history,
        as_of,
        law_settings(settings),
        RecensoringSettings(
            donors=grown.donors,
            max_orders=grown.max_orders,
            folds=grown.folds,
            rounds=grown.num_iterations,
            leaves=grown.num_leaves,
            min_rows_per_leaf=grown.min_data_in_leaf,
            learning_rate=grown.learning_rate,
            feature_fraction=grown.feature_fraction,
            tweedie_power=grown.tweedie_variance_power,
            threads=grown.num_threads,
            seed=grown.seed,
        ),
        _negative_binomial(settings),
    )
    hoarding = hoarding_rate(history.until(as_of).orders)
    if hoarding is not None:
        shown = f"{hoarding.rate:.1%} ± {hoarding.margin:.1%}"
        told = f"hoarding, or a surge, in {shown} of {hoarding.orders:,} orders under caps far above what is usual"
        say(Step(told, rows=hoarding.orders))
    if learned is None and hoarding is not None:
        learned = law_alone()
    if learned is not None:
        learned = replace(learned, hoarding=hoarding)
        say(_compared(learned))
        if learned.requests is not None:
            say(Step(_requests(learned.requests), rows=learned.requests.orders))
    return learned


def _compared(learned: Recensoring) -> str:
    """Say which family recovers, and the figures of all that were compared."""
    name = _words(learned.family)
    left_out = f"; negative binomial not tried: {learned.left_out}" if learned.left_out else ""
    judged = [check for check in learned.checks if check.where == "all"]
    if judged:
        figures = ", ".join(f"{_words(check.family)} bias {check.bias:+.1%} WAPE {check.wape:.3f}" for check in judged)
        return f"recovery by {name}: {judged[0].orders:,} orders capped on purpose found again by {figures}{left_out}{_open_weeks(learned)}"
    if not learned.held_out:
        return f"recovery by {name}: too few orders to compare it on{left_out}"
    figures = ", ".join(
        f"{_words(check.family)} loss {check.log_loss:.3f} nats, {check.capped_bias:+.1%} below caps" for check in learned.held_out
    )
    return f"recovery by {name}, nothing could be capped on purpose: {learned.held_out[0].orders:,} orders held out foretold by {figures}"


def _open_weeks(learned: Recensoring) -> str:
    """Say what the orders of open weeks ask for, and what of it is taken."""
    asked = learned.open_weeks
    if asked is None:
        return ""
    taken = f"{learned.level:.2f} taken" if asked.believed else "not believed, for caps seem to come and go with demand"
    return f"; open weeks ask for {asked.ratio:.2f} ± {asked.error:.2f} times the excess over caps that it finds, {taken}"


def _requests(recorded: RecordedRequests) -> str:
    """Say whether requests are believed."""
    taken = "taken for demand" if recorded.genuine else "taken for the most it can be, not for demand"
    asked = f"{recorded.ratio:.2f} ± {recorded.error:.2f} times what is found without them"
    return f"{recorded.orders:,} recorded requests under limits ask for {asked} beyond what was delivered: {taken}"


def _words(family: str) -> str:
    return family.replace("_", " ")


def recover_as_of(
    con: Warehouse, settings: Settings, history: CensoredHistory, cut_offs: Iterable[date], learned: Recensoring | None
) -> dict[date, pd.DataFrame]:
    """Recover the censored cells as of each cut-off, and keep the estimates in ``derived.recovered``.

    Parameters
    ----------
    history
        As ``fetch_censored`` gives it.
    learned
        As ``learn_recovery`` gives it.

    Returns
    -------
    dict
        By cut-off, the frame of ``models.recovery.recover``, corrected by what shops sold where hoarding is evident. No order after the
        cut-off counts, but what was learned may be of later ones.
    """
    threads, laws = settings.recovery.recensoring.num_threads, law_settings(settings)
    hoards = learned is not None and learned.hoarding is not None and learned.hoarding.evident
    shelves = fetch_shelves(con) if hoards else None
    recovered = {as_of: corrected_by_shelves(recover(history, as_of, laws, learned, threads), shelves, as_of)[0] for as_of in cut_offs}
    store(con, RECOVERED, pa.concat_tables(_as_rows(as_of, estimates) for as_of, estimates in recovered.items()))
    return recovered


def law_settings(settings: Settings) -> RecoverySettings:
    """Return the settings of the censored law in the model's own words."""
    return RecoverySettings(**settings.recovery.model_dump(exclude={"recensoring", "negative_binomial"}))


def _negative_binomial(settings: Settings) -> NegativeBinomialSettings:
    grown = settings.recovery.negative_binomial
    boosting = CensoredBoostingSettings(
        rounds=grown.num_iterations,
        leaves=grown.num_leaves,
        min_rows_per_leaf=grown.min_data_in_leaf,
        learning_rate=grown.learning_rate,
        threads=grown.num_threads,
        seed=grown.seed,
        feature_fraction=grown.feature_fraction,
        hessian_floor=grown.hessian_floor,
        rounds_per_alpha=grown.num_iterations,
    )
    return NegativeBinomialSettings(boosting, grown.max_orders, grown.spread_classes, grown.size_classes, grown.largest_history)


def _as_rows(as_of: date, estimates: pd.DataFrame) -> pa.Table:
    weeks = pa.array(estimates.week_start.dt.date if len(estimates) else [], pa.date32())
    columns = {
        "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), len(estimates)),
        "retailer_id": pa.array(estimates.retailer_id).cast(pa.string()),
        "sku_id": pa.array(estimates.sku_id).cast(pa.string()),
        "week_start": weeks,
        "true_units": pa.array(estimates.true_units, pa.float64()),
    }
    return pa.table(columns, schema=RECOVERED.arrow_schema)
