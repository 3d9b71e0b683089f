"""The parts of files that were fetched, in one temporary file without a name."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache
from typing import IO

from shoal.errors import OutputError
from shoal.images.disk import check_room, temporary_folder

SIZE = 256 * 2**10
"""Bytes of a part; the last of a file is shorter."""
LIMIT = 4 * 2**30
"""Bytes that the temporary file may take; the parts used longest ago make room."""
_IN_MEMORY = 64 * 2**20
"""Bytes that are kept where there is no room on disk."""

Name = tuple[Hashable, int]


class Parts:
    """Parts by their names, as many as there is room for.

    The file has no name from its start, so that nothing is left of a process that is killed.
    """

    def __init__(self, limit: int) -> None:
        self._slots: OrderedDict[Name, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._most = max(1, limit // SIZE)
        self._file: IO[bytes]
        try:
            folder = temporary_folder()
            check_room(folder, limit)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - as long as the process
        except (OutputError, OSError):
            self._most = min(self._most, _IN_MEMORY // SIZE)
            self._file = tempfile.SpooledTemporaryFile(2 * _IN_MEMORY)  # noqa: SIM115

    def get(self, name: Name) -> bytes | None:
        """A part; None if it is not there."""
        with self._lock:
            known = self._slots.get(name)
            if known is None:
                return None
            self._slots.move_to_end(name)
            slot, length = known
            self._file.seek(slot * SIZE)
            return self._file.read(length)

    def put(self, name: Name, content: bytes) -> None:
        """Keep a part of at most `SIZE` bytes; where the disk is full, not."""
        with self._lock, contextlib.suppress(OSError):
            if name in self._slots:
                return
            slot = len(self._slots)
            if slot >= self._most:
                _, (slot, _) = self._slots.popitem(last=False)
            self._file.seek(slot * SIZE)
            self._file.write(content)
            self._slots[name] = slot, len(content)


def parts() -> Parts:
    """Those of this process."""
    return _parts(os.getpid())


@lru_cache(1)
def _parts(process: int) -> Parts:
    return Parts(LIMIT)
