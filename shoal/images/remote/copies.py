"""Whole files of a store on this machine, for what only reads files: memory maps, videos."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import BinaryIO

from shoal.images.cache import keep_copy
from shoal.images.remote.files import about
from shoal.images.remote.location import Location


def here(path: Path) -> Path:
    """The file on this machine: ``path`` itself, or a copy of what is in a store.

    The copy lies in the cache of pixels. It is made once, and anew when the file has changed.

    Raises:
        StoreError: it cannot be read.
        OutputError: there is no room for it.
    """
    if not isinstance(path, Location):
        return path
    told = about(path)
    question = f"{path}\0{told.size}\0{told.stamp}"
    key = hashlib.sha256(question.encode()).hexdigest()

    def write(file: BinaryIO) -> None:
        with path.open() as opened:
            shutil.copyfileobj(opened, file, 2**20)

    return keep_copy(key, path.suffix.lower(), told.size or 0, write)
