"""Which models are to be trained anew, by what their champions knew and by how they do in use?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from contracts.monitoring import MONITORING
from contracts.scored import RUNS
from flows.registry import registered_model
from flows.settings import Settings
from flows.tracking import CHURN_MODEL, DEMAND_MODEL, champion
from models.retraining import Due, MonitoredFigure, retraining_due
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

AREAS = {"demand": DEMAND_MODEL, "churn": CHURN_MODEL}
"""Models by the area in which monitoring tells of them."""


def due_models(con: Warehouse, settings: Settings, as_of: date) -> dict[str, Due]:
    """Return why models are due, by name; nothing of one that may go on.

    Parameters
    ----------
    con
        The warehouse, which holds what monitoring measured.
    as_of
        The newest Sunday that is known.

    Raises
    ------
    TrackingError
        If the tracking store cannot be reached.
    WarehouseError
        If the warehouse cannot be read.
    """
    monitored = monitored_figures(con)
    found = {name: _due(settings, name, as_of, monitored.get(name, ()), _trained_in_vain(con, area)) for area, name in AREAS.items()}
    return {name: due for name, due in found.items() if due is not None}


def monitored_figures(con: Warehouse) -> dict[str, list[MonitoredFigure]]:
    """Return the figures of all retailers and SKUs together that ask for a training when out of bounds, by model."""
    stored = contract_table(MONITORING)
    asking = stored.filter(stored.retrains, stored.slice_kind == "all", stored.area.isin(list(AREAS))).order_by("as_of", "measure")
    figures: dict[str, list[MonitoredFigure]] = {}
    for row in fetch(con, asking.select("area", "as_of", "measure", "value", "lower", "upper")).to_pylist():
        figure = MonitoredFigure(row["as_of"], row["measure"], row["value"], row["lower"], row["upper"])
        figures.setdefault(AREAS[row["area"]], []).append(figure)
    return figures


def _trained_in_vain(con: Warehouse, area: str) -> date | None:
    """Return the newest Sunday as of which a training succeeded without this model: there was too little to learn it from."""
    runs = contract_table(RUNS)
    trained = runs.filter(runs.flow == "train", runs.status == "succeeded", runs.demand_model_version.notnull())
    without = trained.filter(trained[f"{area}_model_version"].isnull())
    newest: date | None = fetch(con, without.aggregate(as_of=without.as_of.max())).to_pylist()[0]["as_of"]
    return newest


def _due(settings: Settings, name: str, as_of: date, figures: Sequence[MonitoredFigure], in_vain: date | None) -> Due | None:
    """Say why a model is due; a pinned champion never is, and where there was too little to learn from, one is not tried each time."""
    current, lifecycle = champion(settings, name), settings.lifecycle
    if current is None or "as_of" not in current.tags:
        again = in_vain is None or (as_of - in_vain).days >= 7 * lifecycle.most_weeks
        return Due("there is no champion yet", forced=False) if again else None
    if registered_model(settings, name).pinned is not None:
        return None
    trained = date.fromisoformat(current.tags["as_of"])
    counts_from = trained + timedelta(weeks=lifecycle.settling_weeks)
    own = [figure for figure in figures if figure.as_of >= counts_from]
    return retraining_due(trained, as_of, own, most_weeks=lifecycle.most_weeks, weeks_out=lifecycle.weeks_out_of_bounds)
