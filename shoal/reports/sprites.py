"""Thumbnails of very many images as a few WebP sheets, as good as a number of bytes allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from shoal.images.pictures import read_pictures
from shoal.plots.sheets import LOSSLESS, SHEET, Pictures, scaled, shrunk, slices, webp
from shoal.plots.strips import widened
from shoal.plots.thumbnails import thumbnails
from shoal.protocols import ImageSource, IntArray, Track, silent

_LARGEST, _SMALLEST = 128, 12
_SAMPLE = 512
_SHAPED = 64
"""Images that tell how large the originals are."""


@dataclass(frozen=True)
class Sheets:
    """Thumbnails of one size in rows, from the top left; every sheet but the last is full."""

    width: int
    height: int
    """Pixels of a thumbnail."""
    columns: int
    """Thumbnails in a row of a sheet."""
    per_sheet: int
    """Thumbnails in a sheet."""
    quality: int | None
    """WebP's, from 0 to 100; None: nothing is lost."""
    files: tuple[bytes, ...]
    """The sheets as WebP files."""


@dataclass(frozen=True)
class _Candidate:
    height: int
    width: int
    quality: int | None
    """WebP's, from 0 to 100; None loses nothing."""


def pack(
    source: ImageSource,
    order: IntArray,
    *,
    budget: int,
    from_originals: bool,
    track: Track = silent,
) -> Sheets:
    """The best sheets of at most ``budget`` bytes together.

    They keep the images' size, up to 128 pixels along the longer side, while a lower quality
    makes room; then they shrink, down to 12 pixels. A sample of the images tells where to begin,
    and the result is measured. If even the smallest take too many bytes, they are returned.

    Args:
        source: the images, read in ascending order, a batch at a time.
        order: int64 (m,), m > 0: which images, in the order of the thumbnails.
        budget: bytes of all the sheets.
        from_originals: whether thumbnails are of the originals, see `worth_reading`; otherwise they
            are of what the encoder sees.
        track: shows progress.
    """
    read: Callable[[IntArray], Pictures] = partial(read_pictures, source)
    if from_originals:
        read = partial(thumbnails, source, side=_LARGEST)
    sample = np.sort(np.random.default_rng(0).permutation(order)[:_SAMPLE])
    shape = read(sample[:_SHAPED]).shape[1:]
    candidates = list(_candidates((shape[0], shape[1], shape[2])))
    if candidates[0].quality is not None:  # large: fewer tell as much
        sample = sample[:: _SAMPLE // 128]
    first = _read(read, sample, shape, candidates[0], silent)
    share = 0.97 * budget * len(sample) / len(order)  # encoding all twice takes the longest
    while len(candidates) > 1 and _size(_encode(first, candidates[0])) > share:
        del candidates[0]

    rows = np.sort(order)
    small = _read(read, rows, shape, candidates[0], track)
    small = small[np.searchsorted(rows, order)]
    sheets = _encode(small, candidates[0])
    while len(candidates) > 1 and _size(sheets) > budget:
        del candidates[0]
        sheets = _encode(small, candidates[0])
    return sheets


def _size(sheets: Sheets) -> int:
    return sum(map(len, sheets.files))


def _candidates(shape: tuple[int, int, int]) -> Iterator[_Candidate]:
    """Sizes and qualities, the most beautiful first."""
    height, width = widened(np.empty((0, *shape))).shape[1:3]
    own = min(max(height, width), _LARGEST)
    sides = [own, *(side for side in (96, 80, 64, 48, 40, 32, 24, 20, 16, _SMALLEST) if side < own)]
    for side in sides:
        size = scaled(height, width, side)
        if side == own <= LOSSLESS:
            yield _Candidate(*size, None)
        for quality in (90, 75, 60):
            yield _Candidate(*size, quality)
    for quality in (40, 25, 10):
        yield _Candidate(*size, quality)


def _read(
    read: Callable[[IntArray], Pictures], rows: IntArray, shape: tuple[int, ...],
    wanted: _Candidate, track: Track,
) -> Pictures:  # fmt: skip
    """Images ``rows`` (m,), ascending, as thumbnails uint8 (m, height, width, C).

    ``read`` gives images of some rows as uint8 (m, h, w, C), not always of one size.
    """
    thumbs = np.empty((len(rows), wanted.height, wanted.width, shape[2]), dtype=np.uint8)
    blocks = slices(len(rows), shape)
    for place in track(blocks, "packing pictures", len(blocks)):
        thumbs[place] = shrunk(widened(read(rows[place])), wanted.height, wanted.width)
    return thumbs


def _encode(thumbnails: Pictures, wanted: _Candidate) -> Sheets:
    count = len(thumbnails)
    columns = min(count, SHEET // wanted.width)
    per_sheet = columns * (SHEET // wanted.height)
    files = tuple(
        webp(
            shrunk(thumbnails[start : start + per_sheet], wanted.height, wanted.width),
            columns, wanted.quality,
        )
        for start in range(0, count, per_sheet)
    )  # fmt: skip
    return Sheets(wanted.width, wanted.height, columns, per_sheet, wanted.quality, files)
