"""Which inputs of the models moved from their training? Read from what scoring left in ``scored.feature_drift``."""

from __future__ import annotations

from datetime import date

from contracts.monitoring import FEATURE_DRIFT
from models.drift import chance_index
from models.estimates import Estimate, Measured
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


def feature_measures(con: Warehouse, as_of: date) -> list[Measured]:
    """Return the stability index of each input, and the share without a value where there is any.

    Rows of one retailer move together, so the index of chance is that of as many draws as there are retailers.
    """
    stored = contract_table(FEATURE_DRIFT)
    measured = []
    for row in fetch(con, stored.filter(stored.as_of == as_of).order_by("model", "feature")).to_pylist():
        mean, spread = chance_index(row["bins"], row["retailers_trained"], row["retailers"])
        where, n = (f"{row['model']}_input", row["feature"]), row["retailers"]
        measured.append(
            Measured("features", "psi_trained", *where, Estimate(row["psi"], spread, n, mean, row["psi_usual"]), row["moved_most"])
        )
        if row["missing_share"] or row["missing_share_trained"]:
            share, before = row["missing_share"], row["missing_share_trained"]
            error = ((share * (1 - share) + before * (1 - before)) / max(n, 1)) ** 0.5
            measured.append(Measured("features", "missing", *where, Estimate(share, error, n, before)))
    return measured
