"""What to say of a pile with too few images: a file in it may hold more than were taken."""

from __future__ import annotations

import contextlib
from pathlib import Path

from shoal.errors import DataError
from shoal.images.csv_files import printable
from shoal.images.decoding.form import Member
from shoal.images.file_names import is_image
from shoal.images.readers import reader_of, video
from shoal.images.within import Within
from shoal.plural import counted
from shoal.protocols import ImageSource

_EVERY = 0.1
"""Seconds that are proposed where a second is too much."""


def too_few(path: Path, source: ImageSource, at_least: int, *, as_learned: bool) -> DataError:
    """The error of a pile of fewer than ``at_least`` images, with what gives more.

    Args:
        path: what was opened.
        source: its images.
        at_least: how many are needed.
        as_learned: whether a checkpoint says what is taken of a file.
    """
    problem = f"{path} must hold at least {counted(at_least, 'image')}, got {len(source)}"
    within = getattr(source, "within", Within())
    for row in () if as_learned else range(len(source)):
        content = source.originals.encoded(row)
        more = ""
        with contextlib.suppress(OSError, ValueError, ModuleNotFoundError):
            more = _more_in(content, within) if isinstance(content, Member) else ""
        if more:
            return DataError(f"{problem}: {printable(source.ids[row])} {more}.")
    if path.is_file() and is_image(path.name):
        problem = f"{problem}; give a folder of images"
    return DataError(f"{problem}.")


def _more_in(image: Member, within: Within) -> str:
    """How more images are taken of the file of an image, as a predicate; empty if it has no more.

    Raises:
        OSError, ValueError, ModuleNotFoundError: it can no longer be read.
    """
    file = image.content
    if image.suffix in video.ANIMATIONS:
        if image.member or not video.is_animation(file):
            return ""
        return f"is an animated picture, of which one frame is taken; every={_EVERY} takes more"
    reader = reader_of(file, image.suffix)
    if reader is None:
        return ""
    if reader.SUFFIXES is video.SUFFIXES:
        sparse = within.every in (None, "cuts") or float(within.every or 0) > _EVERY
        return f"is of a video, of which few frames are taken; every={_EVERY} takes more" * sparse
    n_pages = len(reader.members(file, "images"))
    if n_pages < 2 or within.pages == "images":
        return ""
    return f"has {n_pages:,} pages, taken for the channels of one image; pages=images takes each"
