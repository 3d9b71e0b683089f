"""The files that the images of a pile are in: how large each is, and which have several names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from shoal.protocols import Array, ImageSource, IntArray


def sizes_of_files(source: ImageSource) -> IntArray | None:
    """The bytes of the file that each image is in, int64 (n,); None if no image has a file.

    An image without one has 0. Of several images in a file each has the size of the whole file.
    """
    sizes = np.zeros(len(source), np.int64)
    for row, _, _, about in _places(source):
        sizes[row] = about.st_size
    return sizes if sizes.any() else None


def named_again(source: ImageSource) -> Array:
    """Which images are in the pile under another name as well, bool (n,): all but one of each.

    A link and the file that it leads to are one file, and so are hard links, and two paths of a
    list that end at the same file. The name that is the file's own counts, else the first.
    """
    again = np.zeros(len(source), bool)
    chosen: dict[tuple[int, int, str], tuple[int, bool]] = {}
    for row, path, member, about in _places(source):
        file = about.st_dev, about.st_ino, member
        real = path.as_posix() + (f"#{member}" if member else "")
        is_own = f"/{real}".endswith(f"/{source.ids[row]}")
        before, was_own = chosen.setdefault(file, (row, is_own))
        if is_own and not was_own:
            chosen[file] = row, is_own
            again[before] = True
        elif before != row:
            again[row] = True
    return again


def _places(source: ImageSource) -> Iterator[tuple[int, Path, str, os.stat_result]]:
    """The row of each image that is in a file on disk, the file, its name there, and its state."""
    originals = source.originals
    for row in range(len(source)):
        place = originals.place(row)
        if place is None:  # nor has any other
            return
        path, member = place
        try:
            about = path.stat()
        except OSError:  # gone since the pile was opened
            continue
        yield row, path, member, about
