"""Images of the pile as photos in a document: scaled down from their originals and encoded."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from shoal.images.csv_files import as_text
from shoal.plots.strips import widened
from shoal.plots.thumbnails import thumbnails
from shoal.protocols import Array, ImageSource, IntArray
from shoal.reports.document import Photo, PhotoRow

SIDE = 160
"""Pixels of a photo's longer side, at most."""
_LOSSLESS = 64
"""A photo of no more pixels a side is kept without loss: it takes little room, and is enlarged."""
_QUALITY = 82

Wanted = tuple[str, tuple[float, float, float], IntArray]
"""The name of a row of photos, its colour, and the images in it, int64 (m,)."""


def photo_rows(source: ImageSource, wanted: Sequence[Wanted]) -> tuple[PhotoRow, ...]:
    """Rows of photos; an image in several rows is read once.

    Args:
        source: the images.
        wanted: what each row shows; empty rows are left out.
    """
    rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(w[2] for w in wanted)]))
    photo_of = dict(zip(rows.tolist(), photos(source, rows), strict=True))
    return tuple(
        PhotoRow(name, colour, tuple(photo_of[row] for row in members.tolist()))
        for name, colour, members in wanted
        if len(members)
    )


def photos(source: ImageSource, rows: IntArray, *, side: int = SIDE) -> list[Photo]:
    """Images ``rows`` int64 (m,) of ``source``, their longer side at most ``side`` pixels."""
    if not len(rows):
        return []
    pictures = widened(thumbnails(source, rows, side=side))
    return [
        _photo(int(row), as_text(source.ids[row]), picture, side)
        for row, picture in zip(rows, pictures, strict=True)
    ]


def _photo(row: int, name: str, pixels: Array, side: int) -> Photo:
    """``pixels`` uint8 (h, w, C) as a file, without loss where that costs little."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((side, side), Image.Resampling.BOX)  # an array may be larger than was asked for
    width, height = image.size
    file = io.BytesIO()
    if max(height, width) <= _LOSSLESS:
        image.save(file, "PNG", optimize=True)
        return Photo(row, name, file.getvalue(), "image/png", width, height)
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return Photo(row, name, file.getvalue(), "image/jpeg", width, height)
