"""How is the schema of a warehouse brought up to this version when somebody asks for it, rather than when it is next opened?"""

from __future__ import annotations

from flows.opening import open_warehouse
from flows.settings import Settings
from flows.write_lock import warehouse_lock
from warehouse.migrations import newest_version, stored_version


def migrate(settings: Settings, *, backed_up: bool) -> str:
    """Open the warehouse, which brings it up, and return a sentence that says where it is; the steps are told on stderr.

    Parameters
    ----------
    settings
        Where the warehouse is.
    backed_up
        Whether there is a backup of a database server; of a file a copy is kept anyway.

    Raises
    ------
    WarehouseError
        If it is newer than this code, or steps are due on a server and nobody said that there is a backup.
    """
    with warehouse_lock(settings, "write", "migrate"), open_warehouse(settings, server_backed_up=backed_up) as con:
        return f"the warehouse has schema version {stored_version(con)}, the newest that this uncap knows is {newest_version()}"
