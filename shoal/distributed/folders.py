"""Temporary folders for Ray, outside the project. They go with the command, however it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX = "shoal-ray-"
_SHORT = 60
"""Characters of a temporary folder below which Ray's sockets, at most 107 in all, fit."""
_YOUNG = 60.0
"""Seconds within which a folder may not be locked yet."""


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A folder with a short name, gone after the block. Those of killed commands are removed, too.

    The command holds a lock on its folder, which ends with its process.
    """
    usual = tempfile.gettempdir()
    where = Path(usual if len(usual) + len("/shoal-ray-12345678") < _SHORT else "/tmp")
    _sweep(where)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=where))
    lock = _locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _sweep(where: Path) -> None:
    """Remove the folders whose command has ended."""
    for folder in where.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime < _YOUNG:
                continue
            lock = _locked(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """A lock on a folder; None if another process has it, or there are no such locks."""
    handle = None if fcntl is None else os.open(folder, os.O_RDONLY)
    try:
        if handle is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        assert handle is not None
        os.close(handle)
        return None
    return handle
