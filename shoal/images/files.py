"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from shoal.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows has no locks that end with their process; there nothing is locked
    fcntl = None  # type: ignore[assignment]

_TEMPORARY = ".shoal-"


RUN_AGAIN = ", then run the command again."
"""How a command that cannot write ends what it says; a server goes on by itself."""


_ANOTHER = "choose another path"
_ROOM = "free some space"
_ALLOWED = "choose a folder that you may write to"
_REASONS = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("the disk quota is used up", _ROOM),
    errno.EACCES: ("permission denied", _ALLOWED),
    errno.EPERM: ("permission denied", _ALLOWED),
    errno.EROFS: ("the file system is read-only", "choose another folder"),
    errno.ENOTDIR: ("part of its path is a file, not a folder", _ANOTHER),
    errno.EEXIST: ("part of its path is a file, not a folder", _ANOTHER),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.ENOENT: ("nothing can be made in that folder", _ANOTHER),
    errno.ENODEV: ("the disk is not there any more", _ANOTHER),
    errno.EIO: ("the disk has a fault", _ANOTHER),
    errno.EMFILE: ("too many files are open", "close some programs"),
    errno.ENAMETOOLONG: ("the name is too long", "shorten it"),
}
"""Why a file cannot be written, and what to do about it."""


def reason_of(error: OSError) -> str:
    """Why a file cannot be written, as it stands within a sentence.

    >>> reason_of(OSError(errno.ENOSPC, "No space left on device"))
    'the disk is full'
    >>> reason_of(OSError(errno.EINVAL, "Invalid argument"))
    "the system says 'invalid argument'"
    """
    said = error.strerror or str(error)
    known = _REASONS.get(error.errno or 0)
    return known[0] if known else f"the system says '{said[:1].lower()}{said[1:]}'"


def write_error(path: Path, error: OSError) -> OutputError:
    """The error of a path that cannot be written, with what to do about it."""
    advice = _REASONS.get(error.errno or 0, ("", _ANOTHER))[1]
    return OutputError(f"cannot write {path}: {reason_of(error)}; {advice}{RUN_AGAIN}")


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
        check_regular(path)
        # The suffix stays last: matplotlib and pyarrow read the format from it.
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f"{_TEMPORARY}{os.getpid()}-", suffix=path.suffix
        )
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
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in ``folder``; missing is fine.

    The name of each tells the process that writes it. Files of processes that still run stay.
    """
    with contextlib.suppress(OSError):
        for file in folder.glob(f"{_TEMPORARY}*"):
            process = re.match(r"(\d+)-", file.name.removeprefix(_TEMPORARY))
            if process is not None and file.is_file() and not _is_running(int(process[1])):
                file.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there a signal of 0 would end the process
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # of another user
    return True


@contextlib.contextmanager
def locked(folder: Path, what: str) -> Iterator[None]:
    """Hold ``folder`` for this process alone, until the block or the process ends.

    The folder is made if it is missing, and removed again if it stays empty. The lock is on the
    folder itself and leaves no file. Where the system has no such locks nothing is locked.

    Args:
        folder: what to hold.
        what: the thing in use, for the message.

    Raises:
        OutputError: another process holds it, or the folder cannot be made.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY) if fcntl is not None else None
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        if handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    f"another shoal process is writing {what}; wait until it ends."
                ) from None
            except OSError:
                pass  # a network folder without locks
        yield
    finally:
        if handle is not None:
            os.close(handle)
        with contextlib.suppress(OSError):
            for path in made or [folder]:
                path.rmdir()  # only if nothing came of it


def digest_of(path: Path) -> str:
    """The sha256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def check_regular(path: Path) -> None:
    """Raise unless ``path`` is a regular file, or is not there.

    Raises:
        OutputError: it is a folder, a device or a pipe.
    """
    if path.is_dir():
        raise write_error(path, IsADirectoryError(errno.EISDIR, "is a folder", str(path)))
    if path.exists() and not path.is_file():  # a rename would replace a device or a pipe
        raise OutputError(
            f"cannot write {path}: it is a device or a pipe, not a file; name a file."
        )


def free(path: Path) -> Path:
    """``path``, or with a number in its name if something is there already."""
    return free_name(path) if os.path.lexists(path) else path


def free_name(path: Path) -> Path:
    """``path`` with the first number that no file has: ``prediction.1.csv``."""
    numbers = itertools.count(1)
    names = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in numbers)
    return next(name for name in names if not os.path.lexists(name))
