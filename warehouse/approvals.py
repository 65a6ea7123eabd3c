"""Does an override that was approved stay what was approved?"""

from __future__ import annotations

from contracts.raw import SEGMENT_OVERRIDES
from warehouse.faults import Fault
from warehouse.session import Warehouse
from warehouse.sql import qualified, quoted, same_key
from warehouse.staging import StagedTable

_APPROVAL = ("approved_by", "approved_on")
_SUBJECT = tuple(name for name in SEGMENT_OVERRIDES.column_names if name not in (*SEGMENT_OVERRIDES.key, *_APPROVAL))


def approval_faults(con: Warehouse, staged: StagedTable) -> list[Fault]:
    """Return the fault that a stored, approved override gets another content without a later approval.

    Whoever may change a row would else approve it himself: the approval of the old content would cover the new one.
    """
    if staged.table is not SEGMENT_OVERRIDES or not set(SEGMENT_OVERRIDES.required) <= set(staged.columns):
        return []
    other = " OR ".join(f"staged.{quoted(name)} IS DISTINCT FROM stored.{quoted(name)}" for name in _SUBJECT)
    count, first_row = con.execute(
        f"SELECT count(*), min(staged.rowid) FROM {staged.relation} AS staged JOIN {qualified(staged.table)} AS stored"
        f" ON {same_key(staged.table, 'staged', 'stored')} WHERE stored.approved_on IS NOT NULL AND ({other})"
        " AND NOT coalesce(staged.approved_on > stored.approved_on, false)"
    )[0]
    expected = "a new override_id, or an approval later than the stored one"
    return [Fault(staged, "approved_on", "changed after it was approved", expected, count, first_row)] if count else []
