"""A folder of image files, nested to any depth."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from shoal.errors import DataError
from shoal.images.decoding.channel_files import group, is_pattern
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.file_kinds import head_of
from shoal.images.file_names import ARCHIVES, KINDS, classes_of, found_instead, is_image, order
from shoal.images.left_out import (
    LONGEST_MARK,
    MARK,
    OF_SHOAL,
    LeftOut,
    as_counts,
    by_content,
    by_name,
    is_mark_of_shoal,
    service_folder,
)
from shoal.images.originals import EncodedOriginals, FileOriginals
from shoal.images.readers.zarr_store import is_store
from shoal.images.readers.zarr_store import stamp as store_stamp
from shoal.protocols import ImageSource

_LINK = "a link to a folder, which is not followed, as it may lead in a circle"


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``."""
    return path.is_dir() and not is_store(path)


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode a folder's images, see `decode_pile`; unreadable files are skipped, and listed.

    Ids are the paths relative to the folder, with ``/``, sorted folder by folder. A file is used or
    left out with a reason: hidden files, thumbnails that other programs keep, folders that shoal
    wrote, files that are no images. The first bytes tell what a file without a known suffix is.
    Links to files are followed, links to folders are left out. The folders into which the images
    are sorted become their classes.

    Images come from the cache if the path of the folder and the path, size, time of change and
    inode of every image are unchanged. A file that was changed in place, with its time set back, is
    only read again with ``cache=False``.

    With a pattern as ``wanted.channels`` files are the channels of images, see
    `decoding.channel_files`. A folder that is a Zarr store is taken for a file.

    Raises:
        DataError: no image files, or none that can be read.
    """
    names, left_out, stamp = _find(path)
    if not names:
        raise DataError(f"{path} holds no images ({KINDS}){_instead(left_out)}")
    if wanted.channels is not None and is_pattern(wanted.channels):
        return _open_channels(path, names, left_out, stamp, wanted)
    listing = Listing(
        names,
        lambda: (path / name for name in names),
        lambda row: path / names[row],
        left_out,
        classes_of(names),
    )
    return decode_pile(
        str(path), stamp, listing.itself, wanted, originals=partial(FileOriginals, path)
    )


def _open_channels(
    path: Path, names: Sequence[str], left_out: Sequence[LeftOut], stamp: str, wanted: Wanted
) -> ImageSource:
    """Images whose channels are files of their own."""
    pattern = wanted.channels or ""
    wanted = replace(wanted, within=replace(wanted.within, channels=pattern))
    grouped = group(names, pattern, str(path))
    listing = grouped.listing(path, left_out)
    return decode_pile(
        str(path),
        stamp,
        listing.itself,
        wanted,
        originals=partial(EncodedOriginals, path, listing.itself),
        notes=[grouped.note(pattern)],
    )


def _find(folder: Path) -> tuple[list[str], list[LeftOut], str]:
    """The ids of the images below ``folder``, sorted; the other files; and a digest of both."""
    images: list[str] = []
    left: list[LeftOut] = []
    sniffed: list[str] = []
    root = len(os.path.join(folder, ""))

    def name_of(path: str) -> str:
        return path[root:].replace(os.sep, "/")

    def closed(error: OSError) -> None:
        name = name_of(str(error.filename))
        left.append(LeftOut(name, f"a folder that cannot be opened ({error.strerror})"))

    for base, folders, files in os.walk(folder, onerror=closed):
        below = name_of(base) + "/" if len(base) > root else ""
        if below and MARK in files and _is_of_shoal(os.path.join(base, MARK)):
            left += _all_below(base, below, OF_SHOAL)
            folders.clear()
            continue
        for name in list(folders):
            path, reason = os.path.join(base, name), service_folder(name)
            if os.path.islink(path):
                left.append(LeftOut(below + name, _LINK))
            elif reason:
                left += _all_below(path, below + name + "/", reason)
                folders.remove(name)
            elif is_store(Path(path)):
                images.append(below + name)
                folders.remove(name)
        for name in files:
            known = by_name(below + name)
            if known is not None:
                left.append(known)
            elif is_image(name):
                images.append(below + name)
            else:
                sniffed.append(below + name)
    for name in sniffed:
        unknown = _by_content(folder, name)
        if unknown is None:
            images.append(name)
        else:
            left.append(unknown)
    images.sort(key=order)
    left.sort(key=lambda entry: order(entry.name))
    return images, left, _stamp(folder, [*images, *sniffed], left)


def _all_below(path: str, name: str, reason: str) -> list[LeftOut]:
    """The files of a folder that is left out; the folder itself if it cannot be opened."""
    left: list[LeftOut] = []

    def closed(error: OSError) -> None:
        left.append(LeftOut(name, f"a folder that cannot be opened ({error.strerror})"))

    for base, _, files in os.walk(path, onerror=closed):
        below = base[len(os.path.join(path, "")) :].replace(os.sep, "/")
        left += [LeftOut(f"{name}{below}{'/' if below else ''}{file}", reason, name)
                 for file in files]  # fmt: skip
    return left


def _is_of_shoal(mark: str) -> bool:
    try:
        if os.stat(mark).st_size > LONGEST_MARK:
            return False
        with open(mark, "rb") as file:
            return is_mark_of_shoal(file.read())
    except OSError:
        return False


def _by_content(folder: Path, name: str) -> LeftOut | None:
    try:
        return by_content(name, head_of(os.path.join(folder, name)))
    except OSError as error:
        return LeftOut(name, error.strerror or str(error))


def _stamp(folder: Path, names: Sequence[str], left: Sequence[LeftOut]) -> str:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(folder)))
    for name in names:
        try:
            about = os.stat(os.path.join(folder, name))
            what = f"{name}\0{about.st_size}\0{about.st_mtime_ns}\0{about.st_ino}\0"
            if stat.S_ISDIR(about.st_mode):
                what += store_stamp(Path(folder, name))
        except OSError as error:
            what = f"{name}\0{error.errno}\0"
        digest.update(os.fsencode(what))
    for entry in left:
        digest.update(os.fsencode(f"{entry.name}\0{entry.reason}\0"))
    return digest.hexdigest()


def _instead(left: Sequence[LeftOut]) -> str:
    """What a folder without images holds, and what to do: the end of a sentence."""
    names = [entry.name for entry in left]
    for kinds in (ARCHIVES, (".parquet",), (".npy", ".npz")):
        instead = found_instead(names, kinds)
        if instead:
            return f", but {instead}; give that, several files as a pattern in quotes."
    if not left:
        return "."
    counts = as_counts(left)
    more = f" and {len(counts) - 1} kinds more" if len(counts) > 1 else ""
    number = f"{counts[0].n_files:,} " if counts[0].n_files > 1 else ""
    return f", but {number}{counts[0].what} ({counts[0].reason}){more}."
