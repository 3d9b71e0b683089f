"""Sheets: many thumbnails of one size in one WebP picture, for pages that show very many images."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from shoal.errors import DataError
from shoal.images.originals import PixelOriginals
from shoal.protocols import FloatArray, ImageSource

SHEET = 2048
"""Pixels along a side of a sheet, at most: 16 MiB once a browser has unpacked it."""
LOSSLESS = 64
"""Larger thumbnails are always compressed: without loss they take ten times the room and time."""
_MOST_BYTES = 1_000_000_000
"""Larger piles are not decoded once more: it takes as long as opening them did."""
_SAMPLE = 16

Pictures = npt.NDArray[np.uint8]


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


def scaled(height: int, width: int, side: int) -> tuple[int, int]:
    """The height and width in which the longer side has ``side`` pixels.

    >>> scaled(30, 40, 20), scaled(1, 900, 12)
    ((15, 20), (1, 12))
    """
    longer = max(height, width)
    return max(1, round(height * side / longer)), max(1, round(width * side / longer))


def webp(tiles: Pictures, columns: int, quality: int | None) -> bytes:
    """Thumbnails uint8 (m, h, w, C) in rows of ``columns``, from the top left, as a WebP file.

    Args:
        tiles: the thumbnails.
        columns: thumbnails in a row.
        quality: WebP's, from 0 to 100; None loses nothing.
    """
    count, height, width, channels = tiles.shape
    lines = -(-count // columns)
    sheet = np.zeros((lines * columns, height, width, channels), dtype=np.uint8)
    sheet[:count] = tiles
    sheet = sheet.reshape(lines, columns, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(lines * height, columns * width, channels)
    picture = Image.fromarray(sheet[..., 0] if channels == 1 else sheet)
    file = io.BytesIO()
    if quality is None:
        picture.save(file, "WEBP", lossless=True, quality=60, method=4)
    else:
        method = 4 if max(height, width) <= LOSSLESS else 2  # twice as fast, a tenth larger
        picture.save(file, "WEBP", quality=quality, method=method)
    return file.getvalue()


def shrunk(images: Pictures, to_height: int, to_width: int) -> Pictures:
    """Images (m, H, W, C), each pixel of the result the mean of the area it covers."""
    count, height, width, channels = images.shape
    if (height, width) == (to_height, to_width):
        return images
    down, across = _overlap(height, to_height), _overlap(width, to_width)
    means = np.empty((count, to_height, to_width, channels), dtype=np.uint8)
    for place in slices(count, images.shape[1:]):
        pixels = images[place].astype(np.float32)
        pixels = np.einsum("ah,mhwc->mawc", down, pixels, optimize=True)
        pixels = np.einsum("bw,mawc->mabc", across, pixels, optimize=True)
        means[place] = np.rint(pixels)
    return means


def slices(count: int, shape: Sequence[int]) -> list[slice]:
    """Batches of images of one ``shape`` that take some 32 MiB as float32."""
    size = int(np.clip(2**23 // math.prod(shape), 1, 512))
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _overlap(before: int, after: int) -> FloatArray:
    """Weights float32 (after, before), rows summing to 1: how much of each cell lies in which."""
    edges = np.arange(after + 1) * before / after
    cells = np.arange(before)
    low = np.maximum(edges[:-1, None], cells)
    high = np.minimum(edges[1:, None], cells + 1)
    return (np.clip(high - low, 0, None) * after / before).astype(np.float32)
