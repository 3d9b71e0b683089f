"""The originals behind a page's pictures: how a page links them."""

from __future__ import annotations

import os
import re
import urllib.parse
from pathlib import Path

from shoal.protocols import ImageSource

_LOOKED_AT = 100
"""So many images tell whether images of the pile are files."""


def folder_beside(source: ImageSource, page: Path) -> str | None:
    """The folder of the images as a relative URL, if it lies beside ``page`` or one level above.

    A page and its folder of images can then be moved together. The way to a folder elsewhere would
    tell whoever gets the page how this machine is laid out.
    """
    originals = source.originals
    path = originals.path
    if path is None or not path.is_dir():
        return None
    # Frames of videos are no files of their own.
    if all(originals.file(row) is None for row in range(min(_LOOKED_AT, len(source)))):
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

    An image within a file links to the file: a frame of a video, to its time there.

    >>> link("../photos/", "a b/1.png"), link(None, "1.png"), link("", "a b.mp4#t=1.5")
    ('../photos/a%20b/1.png', None, 'a%20b.mp4#t=1.5')
    """
    if folder is None:
        return None
    within = re.search(r"#([a-z]+=[^#/]*)$", name)
    if within is not None:
        name = name[: within.start()]
    time = within[0] if within is not None and within[1].startswith("t=") else ""
    return folder + urllib.parse.quote(name, errors="replace") + time
