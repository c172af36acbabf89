"""Files that are there whole or not at all, whatever moment the power goes."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

PARTIAL = ".put-"
"""How the name of a file begins that was not finished; nobody reads it and it can be deleted."""


def write_whole(path: Path, content: bytes) -> None:
    """Write beside ``path``, flush to the disk, and rename into place.

    The rename is on the disk only after `flush_directory` of the folder. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PARTIAL)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o640)  # mkstemp's 0600 shuts out back-ups
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def flush_directory(directory: Path) -> None:
    """Bring the names in ``directory`` to the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
