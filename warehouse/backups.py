"""How is a warehouse file copied, whole and under a name that tells when, before its schema changes?"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from contracts.errors import WarehouseError
from warehouse.session import Warehouse

PARTIAL = ".partial"
"""Ends the name of a copy that is not whole yet."""

_COPY = "import os, shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2]); os.fsync(os.open(sys.argv[2], os.O_RDONLY))"


@dataclass(frozen=True)
class CopyBeside:
    """Copies the file of an open embedded warehouse to one beside it.

    Attributes
    ----------
    path
        The file.
    """

    path: Path

    def __call__(self, con: Warehouse, number: int) -> str:
        """Return the name of the copy: the file's, the version and the time in UTC, such as ``w.duckdb.v0-20261122T091500Z.backup``.

        Raises
        ------
        WarehouseError
            If it cannot be written; no part of it is left.
        """
        con.execute("CHECKPOINT")
        began = datetime.fromtimestamp(float(con.execute("SELECT extract(epoch FROM current_timestamp)")[0][0]), UTC)
        copy = self.path.with_name(f"{self.path.name}.v{number}-{began:%Y%m%dT%H%M%SZ}.backup")
        partial = copy.with_name(f"{copy.name}{PARTIAL}")
        for left in self.path.parent.glob(f"{escape(self.path.name)}.v*.backup{PARTIAL}"):
            # of a migration that was killed
            left.unlink(missing_ok=True)
        # Another process copies: if this one opened and closed the file, the system would free DuckDB's lock on it.
        copying = subprocess.run(  # noqa: S603 - no user's words
            [sys.executable, "-c", _COPY, str(self.path), str(partial)], capture_output=True, text=True, check=False
        )
        if copying.returncode:
            partial.unlink(missing_ok=True)
            reason = copying.stderr.strip().rpartition("\n")[2]
            raise WarehouseError(
                f"{copy}: the warehouse could not be copied before its migration: {reason}",
                hint="free space beside the warehouse file, or let uncap write there; nothing was changed",
            )
        partial.replace(copy)
        return str(copy)
