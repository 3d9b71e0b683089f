"""A folder of image files, nested to any depth."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from shoal.errors import DataError
from shoal.protocols import ImageSource
from shoal.sources._decoding import Listing, Wanted, decode_pile
from shoal.sources._naming import ARCHIVES, KINDS, classes_of, found_instead, is_image, order

_LINK = "a link to a folder, which is not followed, as it may lead in a circle"


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``."""
    return path.is_dir()


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode a folder's images, see `decode_pile`; unreadable files are skipped, and listed.

    Ids are the paths relative to the folder, with ``/``, sorted folder by folder. Hidden files and
    folders are not looked at; links to files are read, links to folders are skipped. The names of
    the folders in which the images are sorted are kept as their classes.

    Images decoded before are taken from the cache if the folder's path and every image's path,
    size, time of change and inode are what they were: a file changed in place with its time set
    back is not noticed; ``--no-cache`` reads it.

    Raises:
        DataError: no image files, or none that can be read.
    """
    names, skipped = _find(path)
    if not names:
        raise DataError(f"{path}: a folder with images ({KINDS}) is expected, and {_none(path)}")
    listing = Listing(
        names,
        lambda: (path / name for name in names),
        lambda row: path / names[row],
        skipped,
        classes_of(names),
    )
    stamp = _stamp(path, [*names, *(name for name, _ in skipped)])
    return decode_pile(str(path), stamp, lambda _: listing, wanted, ids_are_paths=True)


def _find(folder: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The ids of the images below ``folder``, sorted, and links that are not followed."""
    found: list[str] = []
    links: list[str] = []
    root = len(os.path.join(folder, ""))
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = base[root:].replace(os.sep, "/") + "/" if len(base) > root else ""
        links += [below + name for name in folders if os.path.islink(os.path.join(base, name))]
        found += [below + name for name in files if is_image(name)]
    return sorted(found, key=order), [(link, _LINK) for link in sorted(links, key=order)]


def _stamp(folder: Path, names: Sequence[str]) -> str:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(folder)))
    for name in names:
        try:
            about = os.stat(os.path.join(folder, name))
            what = f"{name}\0{about.st_size}\0{about.st_mtime_ns}\0{about.st_ino}\0"
        except OSError as error:
            what = f"{name}\0{error.errno}\0"
        digest.update(os.fsencode(what))
    return digest.hexdigest()


def _none(folder: Path) -> str:
    """What is there in place of images, and what to do."""
    names = [name for _, _, files in os.walk(folder) for name in files]
    for kinds in (ARCHIVES, (".parquet",), (".npy", ".npz")):
        instead = found_instead(names, kinds)
        if instead:
            return f"it has none, but {instead}; give that, several files as a pattern in quotes."
    return "it has none."
