"""Checks of the paths that a command will write, made before its work begins."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Hashable, Iterable
from pathlib import Path

from shoal.errors import OutputError
from shoal.images.csv_files import printable
from shoal.images.files import check_regular, write_error
from shoal.images.remote.location import url_of

_LONGEST_NAME = 255
"""Bytes in a file's name, on every file system in common use."""


def check_distinct(outputs: Iterable[Path | None], inputs: Iterable[Path]) -> None:
    """Fail if an output would replace an input or another output.

    Raises:
        OutputError: two of them are the same file.
    """
    taken = {key: "is an input of this command" for path in inputs for key in _keys(path)}
    for path in outputs:
        if path is None:
            continue
        for key in _keys(path):
            if key in taken:
                raise OutputError(f"cannot write {path}: it {taken[key]}; name another file.")
            taken[key] = "is written twice"


def _keys(path: Path) -> list[Hashable]:
    """Keys that all names of a file share: the path behind links and, if it exists, the inode."""
    keys: list[Hashable] = [str(path)]
    with contextlib.suppress(OSError, ValueError):  # a list of paths may hold what is none
        keys[0] = os.path.realpath(path)
        about = path.stat()
        keys.append((about.st_dev, about.st_ino))
    return keys


def lies_in(path: Path, pile: Path | None) -> bool:
    """Whether a path is a folder of images or lies in it; other piles hold no files of others."""
    if pile is None or not pile.is_dir():
        return False
    real, folder = Path(os.path.realpath(path)), Path(os.path.realpath(pile))
    return real == folder or folder in real.parents


def outside(path: Path, pile: Path) -> Path:
    """``path``, or the same name beside the folder of images that it lies in.

    >>> import tempfile
    >>> pile = Path(tempfile.mkdtemp())
    >>> outside(pile / "found" / "sorted", pile) == pile.parent / "sorted"
    True
    """
    if not lies_in(path, pile):
        return path
    return Path(os.path.normpath(pile / os.pardir / path.name))


def check_free(path: Path, *, force: bool) -> None:
    """Fail if something is at ``path`` already, unless ``force`` is given.

    Raises:
        OutputError: something is there.
    """
    if not force and os.path.lexists(path):
        raise already_there(path)


def already_there(path: Path, option: str = "") -> OutputError:
    """The error of an output that would replace something; ``option`` names it, if one does."""
    other = f"another file with {option}" if option else "another file"
    return OutputError(
        f"{printable(str(path))} exists already; name {other}, or add force=True to replace it."
    )


def check_picture(path: Path) -> None:
    """Fail if ``path`` does not name a picture that can be drawn.

    Raises:
        OutputError: the suffix is none of .png, .pdf, .svg.
    """
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise OutputError(
            f"cannot write {path}: the name of a picture must end in .png, .pdf or .svg."
        )


def check_writable(path: Path) -> None:
    """Fail now, not after an hour of work, if ``path`` could not be written. Makes no folder.

    Raises:
        OutputError: ``path`` is a folder, or its nearest existing parent cannot hold a new file.
    """
    url = url_of(path)
    if url is not None:
        raise OutputError(
            f"cannot write {url}: shoal writes to this machine alone; name a file or a "
            "folder here, and copy it."
        )
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise OutputError(f"cannot write {str(path)[:60]}…: the name is too long; shorten it.")
    check_regular(path)
    parent = path.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise write_error(path, NotADirectoryError(errno.ENOTDIR, "not a folder", str(parent)))
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise write_error(path, error) from error
