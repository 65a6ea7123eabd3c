"""Are the files of a registered model still those that it was registered with?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from contracts.errors import TrackingError

CONTENT = "content_sha256"
"""Tag of a version: digest of the files that it was registered with; versions from before it was kept lack it."""


def digest_of(folder: Path) -> str:
    """Return the digest of the names and contents of all files of a folder, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def require_untouched(folder: Path, registered: str | None, model: str) -> Path:
    """Return the folder of a model, if its files are those that it was registered with.

    A disk, a copy that broke off or a person may change them, and a model that reads half a file of trees forecasts nonsense.

    Parameters
    ----------
    folder
        What the model saved itself to.
    registered
        The tag ``CONTENT`` of the version; None for one that has none, which is taken as it is.
    model
        Name and version, for the message.

    Raises
    ------
    TrackingError
        If a file was changed, added or lost.
    """
    if registered is not None and digest_of(folder) != registered:
        raise TrackingError(
            f"{model}: the files in {folder} are not those that it was registered with",
            hint="put them back from a backup, take another version (`uncap rollback`), or train again with `uncap train`",
        )
    return folder
