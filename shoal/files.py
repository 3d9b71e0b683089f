"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from shoal.errors import OutputError

_LONGEST_NAME = 255
"""Bytes in a file's name, on every file system in common use."""


def _explain(path: Path, error: OSError) -> OutputError:
    reasons = {
        errno.ENOSPC: "the disk is full; free some space",
        errno.EDQUOT: "the disk quota is used up; free some space",
        errno.EACCES: "permission denied; choose a folder that you may write to",
        errno.EPERM: "permission denied; choose a folder that you may write to",
        errno.EROFS: "the file system is read-only; choose another folder",
        errno.ENOTDIR: "part of its path is a file, not a folder; choose another path",
        errno.EEXIST: "part of its path is a file, not a folder; choose another path",
        errno.EISDIR: "it is a folder; name a file",
    }
    reason = reasons.get(error.errno or 0, f"{error.strerror or error}; choose another path")
    return OutputError(f"cannot write {path}: {reason}, then run the command again.")


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` and rename it to ``path`` when the block succeeds.

    Missing folders are made. When the block fails, the temporary file is removed and what stood
    at ``path`` before is untouched.

    Raises:
        OutputError: the file cannot be written (permission, full disk, a folder in its place).

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "new" / "hello.txt"
    >>> with atomic_path(target) as temporary:
    ...     _ = temporary.write_text("hello")
    >>> target.read_text()
    'hello'
    """
    temporary: Path | None = None
    path = Path(os.path.realpath(path))  # a link is followed, not replaced
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_regular(path)
        # The suffix stays last: matplotlib and pyarrow read the format from it.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".shoal-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes private files; an output has the permissions any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _explain(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_distinct(outputs: Iterable[Path | None], inputs: Iterable[Path]) -> None:
    """Fail if an output would replace an input or another output.

    Raises:
        OutputError: two of them are the same file.
    """
    taken = {os.path.realpath(path): "is an input of this command" for path in inputs}
    for path in outputs:
        if path is None:
            continue
        real = os.path.realpath(path)
        if real in taken:
            raise OutputError(f"cannot write {path}: it {taken[real]}; name another file.")
        taken[real] = "is written twice"


def check_picture(path: Path) -> None:
    """Fail if ``path`` does not name a picture that can be drawn.

    Raises:
        OutputError: the suffix is none of .png, .pdf, .svg.
    """
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise OutputError(
            f"cannot write {path}: a picture is expected as .png, .pdf or .svg; change its suffix."
        )


def _check_regular(path: Path) -> None:
    if path.is_dir():
        raise _explain(path, IsADirectoryError(errno.EISDIR, "is a folder", str(path)))
    if path.exists() and not path.is_file():  # a rename would replace a device or a pipe
        raise OutputError(
            f"cannot write {path}: it is a device or a pipe, not a file; name a file."
        )


def check_writable(path: Path) -> None:
    """Fail now, not after an hour of work, if ``path`` could not be written. Makes no folder.

    Raises:
        OutputError: ``path`` is a folder, or its nearest existing parent cannot hold a new file.
    """
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise OutputError(f"cannot write {str(path)[:60]}…: the name is too long; shorten it.")
    _check_regular(path)
    parent = path.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise _explain(path, NotADirectoryError(errno.ENOTDIR, "not a folder", str(parent)))
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise _explain(path, error) from error
