"""The journal: a file of JSON lines, one for each thing a person said, that survives any kill.

A line is on the disk before it counts. Nothing is ever changed in the file or removed from it; only
a last line that is cut off makes room for the next one, and what is left of it is kept beside it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from shoal.corrections.entry import REDO, UNDO, Entry
from shoal.corrections.history import replay
from shoal.corrections.journal_file import line_of, not_begun, read_journal, torn_beside
from shoal.corrections.nouns import entry_of_vectors
from shoal.errors import DataError, OutputError
from shoal.images.files import atomic_path, write_error

try:
    import fcntl
except ImportError:  # Windows has no locks that end with their process; there nothing is locked
    fcntl = None  # type: ignore[assignment]


class Journal:
    """A journal that is open for writing. One process at a time has it.

    Args:
        path: the file; made with ``begin`` as its first entry if there is none.
        begin: see `start_entry`; None if the file must exist.
        vectors: whether the pile is of vectors without pictures, which sentences then speak of.

    Raises:
        DataError: see `read_journal`.
        OutputError: it cannot be written, or another process has it open.
    """

    def __init__(
        self, path: str | Path, begin: Entry | None = None, *, vectors: bool = False
    ) -> None:
        self.path, self._vectors = Path(path), vectors
        self.kept: Path | None = None
        """Where what was there is kept, if not even its first line was whole."""
        self._in_the_way = False
        if begin is None and not self.path.exists():
            read_journal(self.path)  # says that there is none
        self._file = open_alone(self.path)
        try:
            if begin is not None and not_begun(self.path):
                self.kept = _kept_aside(self.path)
                self._begin(begin)
                return
            read = read_journal(self.path)
            self.torn, self.history, self._length = read.torn, read.history, read.n_bytes
            self._in_the_way = read.torn
            if self._length and os.pread(self._file, 1, self._length - 1) != b"\n":
                self._put(b"\n")
        except BaseException:
            self.close()
            raise

    def _begin(self, entry: Entry) -> None:
        self.torn, self._length = False, 0
        first = self._stamped(entry, 1)
        try:
            os.ftruncate(self._file, 0)
            self._write(first)
        except (OSError, OutputError):
            self.path.unlink(missing_ok=True)
            raise
        self.history = replay([first])
        _sync_folder(self.path.parent)

    def append(self, entry: Entry) -> Entry:
        """Write an entry; it is on the disk when this returns. The entry with number and time.

        Raises:
            DataError: the entry does not fit what is there; nothing is written.
            OutputError: it cannot be written; the journal is as it was.
        """
        entry = self._stamped(entry, len(self.history.entries) + 1)
        history = self.history.then(entry)
        self._check_there()
        self._make_room()
        self._write(entry)
        self.history = history
        return entry

    def undo(self, about: Mapping[str, Any] | None = None) -> Entry:
        """Undo the last entry that counts. The undone entry.

        Args:
            about: further facts for the entry that says so.

        Raises:
            DataError: there is nothing to undo.
        """
        return self._back_or_on(UNDO, "Undid", self.history.done, about)

    def redo(self, about: Mapping[str, Any] | None = None) -> Entry:
        """Do again what was undone last. That entry.

        Args:
            about: further facts for the entry that says so.

        Raises:
            DataError: there is nothing to redo.
        """
        return self._back_or_on(REDO, "Did again", self.history.undone, about)

    def _back_or_on(
        self, op: str, did: str, entries: Sequence[Entry], about: Mapping[str, Any] | None
    ) -> Entry:
        """Undo or redo the last of ``entries``, and return it."""
        if not entries:
            raise DataError(f"there is nothing to {op}.")
        last = entries[-1]
        self.append(Entry(op, f"{did}: {last.says}", of=last.n, about=about or {}))
        return last

    def close(self) -> None:
        """Let another process have the journal."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stamped(self, entry: Entry, n: int) -> Entry:
        entry = entry_of_vectors(entry) if self._vectors else entry
        return replace(entry, n=n, time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def _check_there(self) -> None:
        """Raise if the file is another one now, or shorter: what is written would be lost."""
        here = os.fstat(self._file)
        try:
            same = os.path.samestat(os.stat(self.path), here) and here.st_size >= self._length
        except OSError:
            same = False
        if not same:
            raise OutputError(
                f"{self.path} was moved, replaced or cut by another program, so nothing is written "
                "to it; stop this review and begin it again."
            )

    def _make_room(self) -> None:
        """Keep what is left of a line that was cut off, before another is written in its place.

        Not before that: until then each command tells it.
        """
        if self._in_the_way:
            left = os.pread(self._file, os.fstat(self._file).st_size - self._length, self._length)
            _keep(self.path, left)
            self._in_the_way = False

    def _write(self, entry: Entry) -> None:
        self._put(line_of(entry))

    def _put(self, content: bytes) -> None:
        try:
            view, place = memoryview(content), self._length
            if os.fstat(self._file).st_size > place:  # a torn line, or one that failed
                os.ftruncate(self._file, place)
            while view:
                written = os.pwrite(self._file, view, place)
                view, place = view[written:], place + written
            os.fsync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._length)
            raise write_error(self.path, error) from error
        self._length += len(content)


def _kept_aside(path: Path) -> Path | None:
    """Copy what a file holds to one beside it; None of an empty one."""
    content = path.read_bytes()
    return _keep(path, content) if content else None


def _keep(journal: Path, content: bytes) -> Path:
    """Write what was cut off beside its journal."""
    kept = torn_beside(journal)
    with atomic_path(kept) as temporary:
        temporary.write_bytes(content)
    return kept


def open_alone(path: Path) -> int:
    """Open a journal, which must not be open in another process, to read and write."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise write_error(path, error) from error
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise OutputError(
                f"another shoal process is correcting {path}; use its page, or stop it first."
            ) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                os.close(file)
                raise write_error(path, error) from error  # else a network folder without locks
    return file


def _sync_folder(folder: Path) -> None:
    """Make sure that a new file's name is on the disk, too."""
    with contextlib.suppress(OSError):  # not every system lets a folder be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
