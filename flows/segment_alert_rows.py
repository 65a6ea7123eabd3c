"""How the audit of a reclassification becomes rows of the scored table."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa

from contracts.customers import RETAILER_SEGMENT, SEGMENT_ALERT
from contracts.raw import RETAILERS, SEGMENT_OVERRIDES
from contracts.segment_definitions import VERSION
from flows.settings import Settings
from models.segment_alerts import segment_alerts
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


def segment_alert_rows(con: Warehouse, settings: Settings, as_of: date, segments: pd.DataFrame, run_id: str) -> pa.Table:
    """Audit a reclassification.

    Parameters
    ----------
    segments
        Rows of ``scored.retailer_segment`` of this ``as_of``.

    Returns
    -------
    pyarrow.Table
        Rows of ``scored.segment_alert``; none where nothing was noticed.
    """
    overrides: pd.DataFrame = fetch(con, contract_table(SEGMENT_OVERRIDES).order_by("override_id")).to_pandas()
    register = fetch(con, contract_table(RETAILERS).select("retailer_id", "account_manager")).to_pandas()
    managers = segments.retailer_id.map(register.set_index("retailer_id").account_manager).astype(object)
    alerts = segment_alerts(
        segments.assign(account_manager=managers.where(managers.notna(), None)),
        _previous(con, as_of),
        overrides,
        as_of,
        false_alarm_share=settings.audit.false_alarm_share,
    )
    rows = alerts.assign(as_of=as_of, run_id=run_id)[list(SEGMENT_ALERT.column_names)]
    return pa.Table.from_pandas(rows.astype({"retailers": "int64"}), schema=SEGMENT_ALERT.arrow_schema, preserve_index=False)


def _previous(con: Warehouse, as_of: date) -> pd.DataFrame:
    """The reclassification before; no row the first time."""
    stored = contract_table(RETAILER_SEGMENT)
    earlier = stored.filter(stored.as_of < as_of, stored.definition_version == VERSION)
    newest = earlier.filter(earlier.as_of == earlier.as_of.max())
    rows: pd.DataFrame = fetch(con, newest.select("lifetime_value", "margin_52w", "abc_class")).to_pandas()
    return rows
