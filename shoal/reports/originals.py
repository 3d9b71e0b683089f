"""The originals behind a page's pictures: how a page links them."""

from __future__ import annotations

import os
import urllib.parse
from pathlib import Path

from shoal.protocols import ImageSource


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
