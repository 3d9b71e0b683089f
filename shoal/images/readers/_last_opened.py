"""The file that a thread opened last stays open, because the next image is mostly in it, too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from shoal.images.readers.raw import Content


class LastOpened(threading.local):
    """Opens files, and keeps the last one of each thread open.

    Args:
        open_file: opens a file to something with a method ``close``.

    >>> import io
    >>> opened = LastOpened(io.BytesIO)
    >>> first = opened.get(b"a")
    >>> opened.get(b"a") is first, opened.get(b"b") is first, first.closed
    (True, False, True)
    """

    def __init__(self, open_file: Callable[[Content], Any]) -> None:
        self._open = open_file
        self._key: tuple[Any, ...] | None = None
        self._file: Any = None

    def get(self, content: Content) -> Any:
        """The file, opened. Whatever the opening raises is raised."""
        key = _key(content)
        if self._file is None or key != self._key:
            self.close()
            self._file, self._key = self._open(content), key
        return self._file

    def close(self) -> None:
        """Close the file that this thread opened last."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _key(content: Content) -> tuple[Any, ...]:
    """What tells a file from others, and from itself as it was before a change."""
    if isinstance(content, bytes):
        return len(content), hash(content)
    about = content.stat()
    return str(content), about.st_size, about.st_mtime_ns
