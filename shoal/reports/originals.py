"""The originals behind a page's pictures: whether all are read, and whether a page links them."""

from __future__ import annotations

import os
import urllib.parse
from pathlib import Path

import numpy as np

from shoal.errors import DataError
from shoal.images.originals import PixelOriginals
from shoal.protocols import ImageSource

_MOST_BYTES = 1_000_000_000
"""Larger piles are not decoded once more: it takes as long as opening them did."""
_SAMPLE = 16


def worth_reading(source: ImageSource) -> bool:
    """Whether the originals show more than the encoder sees, and can all be read in little time."""
    originals = source.originals
    if isinstance(originals, PixelOriginals) or not len(source):
        return False
    rows = np.unique(np.linspace(0, len(source) - 1, _SAMPLE).astype(np.int64)).tolist()
    try:
        sizes = originals.n_bytes()
        total = (
            float(np.mean([len(originals.content(row)) for row in rows])) * len(source)
            if sizes is None
            else float(sizes.sum())
        )
        largest = max(max(originals.size(row)) for row in rows)
    except DataError:  # moved since the images were opened
        return False
    return total <= _MOST_BYTES and largest > max(source.shape[:2])


def folder_beside(source: ImageSource, page: Path) -> str | None:
    """The folder of the images as a relative URL, if it lies beside ``page`` or one level above.

    A page and its folder of images can then be moved together. The way to a folder elsewhere would
    tell whoever gets the page how this machine is laid out.
    """
    originals = source.originals
    path = originals.path
    if path is None or not path.is_dir() or not len(source) or originals.file(0) is None:
        return None
    try:
        relative = os.path.relpath(os.path.abspath(path), os.path.abspath(page.parent))
    except ValueError:  # on another drive
        return None
    parts = Path(relative).parts
    if parts.count(os.pardir) > 1:
        return None
    return "".join(urllib.parse.quote(part, errors="replace") + "/" for part in parts or (".",))


def link(folder: str | None, name: str) -> str | None:
    """The URL of an image in a folder of images.

    >>> link("../photos/", "a b/1.png"), link(None, "1.png")
    ('../photos/a%20b/1.png', None)
    """
    return None if folder is None else folder + urllib.parse.quote(name, errors="replace")
