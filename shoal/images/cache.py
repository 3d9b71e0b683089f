"""Decoded images on disk, so that they are decoded once, and read through a memory map.

For the format see `cache_file`. The name of a file is a digest of what went in. It is written under
another name and renamed, so that two processes may write the same file at once, and a reader meets
a whole file or none. Copies of files that lie elsewhere are kept in the same folder.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import math
import os
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shoal.errors import OutputError
from shoal.images.cache_file import HEADER, Fill, Index, dtype_of, read_index, write_file
from shoal.images.disk import check_room, folder, shown, size_of, temporary_folder
from shoal.images.file_rows import FileRows
from shoal.images.files import atomic_path, reason_of, sweep
from shoal.protocols import Array

LIMIT = 20 * 10**9
"""Bytes that all cache files may take together; those used longest ago are deleted first."""
MEMORY_LIMIT = 10**9
"""Bytes that are kept in memory when neither the cache nor a temporary file can hold them."""
_COPY = "copy-"
"""How the names of copies begin, see `keep_copy`."""
_temporary_copies: dict[str, Path] = {}
_STALE_SECONDS, _FRESH_SECONDS = 24 * 3600, 1.0


@dataclass(frozen=True)
class Kept:
    """Decoded images (n, H, W, C), read-only, their index, and a line on where they are."""

    pixels: Array
    index: Index
    note: str
    rows: FileRows | None = None
    """Reads images from a file without a name; None if the file has one or they are in memory."""


def load(key: str) -> Kept | None:
    """The images kept under ``key``; None if there are none, or the file is not whole."""
    path = _path(key)
    _sweep(path.parent)
    try:
        with path.open("rb") as file:
            index = read_index(file)
        if index is None:
            return None
        pixels = np.memmap(path, dtype_of(index), "r", HEADER, tuple(index["shape"]))
    except (OSError, ValueError, KeyError, TypeError, zlib.error):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # used just now: see _prune
    return Kept(pixels, index, f"decoded before: {size_of(pixels.nbytes)} in {shown(path)}")


def keep(key: str | None, n_bytes: int, fill: Fill) -> Kept:
    """Let ``fill`` write images of at most ``n_bytes`` to the cache, and read them from there.

    With no ``key``, or where the cache cannot take them, to a temporary file that nothing leaves
    behind; where that cannot either, to memory, up to `MEMORY_LIMIT`.

    Raises:
        OutputError: none of the three is possible.
    """
    reason = ""
    if key is not None:
        try:
            return _keep_in_cache(key, n_bytes, fill)
        except OutputError as error:
            reason = f"the cache cannot be used ({_cause(error)}); "
    try:
        return _keep_in_temporary_file(n_bytes, fill, reason)
    except OutputError as error:
        if n_bytes > MEMORY_LIMIT:
            raise OutputError(
                f"there is no room for the decoded images, which take {size_of(n_bytes)}: "
                f"{_cause(error)}; free some space, let TMPDIR name a folder with more, or choose "
                "a smaller size."
            ) from error
    memory = io.BytesIO()
    index = write_file(memory, fill)
    pixels = np.frombuffer(memory.getbuffer(), dtype_of(index), math.prod(index["shape"]), HEADER)
    pixels.flags.writeable = False
    return Kept(pixels.reshape(index["shape"]), index,
                f"{reason}decoded to memory, {size_of(pixels.nbytes)}")  # fmt: skip


def also(key: str, other: str) -> None:
    """Give the images of ``key`` a second key ``other``, on a disk with hard links."""
    temporary = _path(other).with_name(f".shoal-{os.getpid()}-{other[:8]}.npy")
    with contextlib.suppress(OSError):
        os.link(_path(key), temporary)
        temporary.replace(_path(other))
        temporary.unlink(missing_ok=True)  # it stays if both were the same file already


def keep_copy(key: str, suffix: str, n_bytes: int, write: Callable[[BinaryIO], None]) -> Path:
    """A file that ``write`` fills, kept under ``key`` until there is no more room for it.

    Where the cache cannot take it, it is a temporary file that is gone when the process ends; the
    next process removes what one that was killed left.

    Raises:
        OutputError: there is no room for it.
    """
    path = folder() / f"{_COPY}{key[:32]}{suffix}"
    if path.is_file():
        with contextlib.suppress(OSError):
            os.utime(path)  # used just now: see _prune
        return path
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # pictures are private
        check_room(path.parent, n_bytes)
        _sweep(path.parent)
    except (OSError, OutputError):
        return _temporary_copy(key, suffix, n_bytes, write)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        with contextlib.suppress(OSError, ImportError):
            _hold(file)
        write(file)
    _prune(path)
    return path


def _temporary_copy(key: str, suffix: str, n_bytes: int, write: Callable[[BinaryIO], None]) -> Path:
    if key in _temporary_copies:
        return _temporary_copies[key]
    where = temporary_folder()
    sweep(where)
    check_room(where, n_bytes)
    handle, name = tempfile.mkstemp(suffix, f".shoal-{os.getpid()}-", where)
    atexit.register(Path(name).unlink, missing_ok=True)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
    except OSError as error:
        raise OutputError(f"cannot write {where}: {reason_of(error)}") from error
    _temporary_copies[key] = Path(name)
    return Path(name)


def _path(key: str) -> Path:
    return folder() / f"{key[:32]}.npy"


def _keep_in_cache(key: str, n_bytes: int, fill: Fill) -> Kept:
    path = _path(key)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # pictures are private
    except OSError as error:
        raise OutputError(f"cannot write {path.parent}: {reason_of(error)}") from error
    check_room(path.parent, n_bytes)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        with contextlib.suppress(OSError, ImportError):
            _hold(file)  # else _sweep would take it for that of a process that was killed
        write_file(file, fill)
    _prune(path)
    kept = load(key)
    if kept is None:  # deleted, or replaced by something else, that very moment
        raise OutputError(f"cannot write {path}: it did not stay there")
    return Kept(
        kept.pixels,
        kept.index,
        f"decoded once: {size_of(kept.pixels.nbytes)} in {shown(path)} (shoal keeps up to "
        f"{size_of(LIMIT)} there, the last used; delete what you like)",
    )


def _keep_in_temporary_file(n_bytes: int, fill: Fill, reason: str) -> Kept:
    where = temporary_folder()
    check_room(where, n_bytes)
    try:
        # On Unix it has no name from the start, elsewhere it goes with the last who has it open.
        file = tempfile.TemporaryFile(dir=where)  # noqa: SIM115 - kept as long as the images
        index = write_file(file, fill)
        pixels = np.memmap(file, dtype_of(index), "r", HEADER, tuple(index["shape"]))
    except OSError as error:
        raise OutputError(f"cannot write {where}: {reason_of(error)}") from error
    note = f"{reason}decoded to a temporary file of {size_of(pixels.nbytes)} in {shown(where)}"
    rows = FileRows(file, HEADER, pixels.shape, pixels.dtype) if hasattr(os, "preadv") else None
    return Kept(pixels, index, note, rows)


def _hold(file: BinaryIO) -> None:
    """Lock a file for as long as it is open, which ends with this process at the latest.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the file system knows no locks.
        ImportError: the system knows none; on Windows a file that is open cannot be deleted anyway.
    """
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(path: Path) -> bool:
    age = time.time() - path.stat().st_mtime
    try:
        with path.open("rb") as file:
            _hold(file)
    except BlockingIOError:
        return True
    except ImportError:
        pass
    except OSError:
        return age < _STALE_SECONDS
    return age < _FRESH_SECONDS  # it may not be locked yet


def _sweep(folder: Path) -> None:
    """Delete what processes that were killed left half-written."""
    for path in folder.glob(".shoal-*"):
        with contextlib.suppress(OSError):  # somebody else may have deleted it just now
            if not _is_held(path):
                path.unlink()


def _prune(newest: Path) -> None:
    """Delete the files used longest ago until the rest keep `LIMIT`.

    ``newest`` stays in any case. On Windows a file that somebody reads cannot be deleted, elsewhere
    whoever reads it keeps it.
    """
    total = 0
    files = []
    for path in {*newest.parent.glob("[!.]*.npy"), *newest.parent.glob(f"{_COPY}*")}:
        with contextlib.suppress(OSError):
            about = path.stat()
            files.append((path == newest, about.st_mtime, about.st_ino, about.st_size, path))
    counted: set[int] = set()
    for is_newest, _, inode, size, path in sorted(files, reverse=True):
        total += size if inode not in counted else 0  # see also()
        counted.add(inode)
        if not is_newest and total > LIMIT:
            with contextlib.suppress(OSError):
                path.unlink()


def _cause(error: OutputError) -> str:
    cause = str(error).removeprefix("cannot write ")
    return shown(cause.removesuffix(", then run the command again."))
