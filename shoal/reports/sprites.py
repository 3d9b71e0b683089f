"""Thumbnails of very many images as a few WebP sheets, as good as a number of bytes allows."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from shoal.plots.strips import widened
from shoal.plots.thumbnails import thumbnails
from shoal.protocols import FloatArray, ImageSource, IntArray, Track, silent
from shoal.reports.originals import worth_reading

SHEET = 2048
"""Pixels along a side of a sheet, at most: 16 MiB once a browser has unpacked it."""
_LARGEST, _SMALLEST = 128, 12
_LOSSLESS = 64
"""Larger thumbnails are always compressed: without loss they take ten times the room and time."""
_SAMPLE = 512
_SHAPED = 64
"""Images that tell how large the originals are."""

Pictures = npt.NDArray[np.uint8]


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
    width: int
    height: int
    quality: int | None
    """WebP's, from 0 to 100; None loses nothing."""


def pack(source: ImageSource, order: IntArray, *, budget: int, track: Track = silent) -> Sheets:
    """The best sheets of at most ``budget`` bytes together.

    Thumbnails are of the originals where those can be read in little time, else of what the encoder
    sees. They keep the images' size, up to 128 pixels along the longer side, while a lower quality
    makes room; then they shrink, down to 12 pixels. A sample of the images tells where to begin,
    and the result is measured. If even the smallest take too many bytes, they are returned.

    Args:
        source: the images, read in ascending order, a batch at a time.
        order: int64 (m,), m > 0: which images, in the order of the thumbnails.
        budget: bytes of all the sheets.
        track: shows progress.
    """
    read = _reader(source)
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
    shrunk = _read(read, rows, shape, candidates[0], track)
    shrunk = shrunk[np.searchsorted(rows, order)]
    sheets = _encode(shrunk, candidates[0])
    while len(candidates) > 1 and _size(sheets) > budget:
        del candidates[0]
        sheets = _encode(shrunk, candidates[0])
    return sheets


def _reader(source: ImageSource) -> Callable[[IntArray], Pictures]:
    """What gives images ``rows`` int64 (m,) as uint8 (m, h, w, C), not always of one size."""
    if not worth_reading(source):
        return source.read
    return lambda rows: thumbnails(source, rows, side=_LARGEST)


def _size(sheets: Sheets) -> int:
    return sum(map(len, sheets.files))


def _candidates(shape: tuple[int, int, int]) -> Iterator[_Candidate]:
    """Sizes and qualities, the most beautiful first."""
    height, width = widened(np.empty((0, *shape))).shape[1:3]
    longer = max(height, width)
    own = min(longer, _LARGEST)
    sides = [own, *(side for side in (96, 80, 64, 48, 40, 32, 24, 20, 16, _SMALLEST) if side < own)]
    for side in sides:
        size = (max(1, round(width * side / longer)), max(1, round(height * side / longer)))
        if side == own <= _LOSSLESS:
            yield _Candidate(*size, None)
        for quality in (90, 75, 60):
            yield _Candidate(*size, quality)
    for quality in (40, 25, 10):
        yield _Candidate(*size, quality)


def _read(
    read: Callable[[IntArray], Pictures], rows: IntArray, shape: tuple[int, ...],
    wanted: _Candidate, track: Track,
) -> Pictures:  # fmt: skip
    """Images ``rows`` (m,), ascending, as thumbnails uint8 (m, height, width, C)."""
    thumbs = np.empty((len(rows), wanted.height, wanted.width, shape[2]), dtype=np.uint8)
    slices = _slices(len(rows), shape)
    for place in track(slices, "packing pictures", len(slices)):
        thumbs[place] = _shrink(widened(read(rows[place])), wanted)
    return thumbs


def _slices(count: int, shape: Sequence[int]) -> list[slice]:
    """Batches of images of one ``shape`` that take some 32 MiB as float32."""
    size = int(np.clip(2**23 // math.prod(shape), 1, 512))
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _encode(thumbnails: Pictures, wanted: _Candidate) -> Sheets:
    count = len(thumbnails)
    columns = min(count, SHEET // wanted.width)
    per_sheet = columns * (SHEET // wanted.height)
    files = tuple(
        _webp(_shrink(thumbnails[start : start + per_sheet], wanted), columns, wanted.quality)
        for start in range(0, count, per_sheet)
    )
    return Sheets(wanted.width, wanted.height, columns, per_sheet, wanted.quality, files)


def _webp(tiles: Pictures, columns: int, quality: int | None) -> bytes:
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
        method = 4 if max(height, width) <= _LOSSLESS else 2  # twice as fast, a tenth larger
        picture.save(file, "WEBP", quality=quality, method=method)
    return file.getvalue()


def _shrink(images: Pictures, wanted: _Candidate) -> Pictures:
    """Images (m, H, W, C), each pixel of the result the mean of the area it covers."""
    count, height, width, channels = images.shape
    if (height, width) == (wanted.height, wanted.width):
        return images
    down, across = _overlap(height, wanted.height), _overlap(width, wanted.width)
    shrunk = np.empty((count, wanted.height, wanted.width, channels), dtype=np.uint8)
    for place in _slices(count, images.shape[1:]):
        pixels = images[place].astype(np.float32)
        pixels = np.einsum("ah,mhwc->mawc", down, pixels, optimize=True)
        pixels = np.einsum("bw,mawc->mabc", across, pixels, optimize=True)
        shrunk[place] = np.rint(pixels)
    return shrunk


def _overlap(before: int, after: int) -> FloatArray:
    """Weights float32 (after, before), rows summing to 1: how much of each cell lies in which."""
    edges = np.arange(after + 1) * before / after
    cells = np.arange(before)
    low = np.maximum(edges[:-1, None], cells)
    high = np.minimum(edges[1:, None], cells + 1)
    return (np.clip(high - low, 0, None) * after / before).astype(np.float32)
