"""Images already in memory, or in a file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.images.array_pixels import Checked, describe_beyond, describe_missing, to_pixels
from shoal.images.file_rows import FileRows, MappedFile
from shoal.images.left_out import Count
from shoal.images.levels import Pixels
from shoal.images.originals import PixelOriginals
from shoal.images.pictures import check_composite
from shoal.images.pixel_range import PixelRange
from shoal.images.vectors.names import MANY, RowNames
from shoal.images.within import Within
from shoal.protocols import Array, ImageSource, IntArray, Originals

_PICKLED = 2**30
"""Bytes that are copied to another process rather than opened there."""
_BLOCK = 16 * 2**20
"""Bytes that the digest reads at a time."""


class ArraySource:
    """An `ImageSource` over an array (N, H, W, C), (N, C, H, W) or (N, H, W).

    For the numbers that it may hold, and for ``channels``, see `array_pixels.check_images`.

    ``pixel_range`` says what is black and white in numbers other than uint8, such as that of a
    checkpoint. The attribute of that name is the range that was used. ``colour`` says whether
    three channels are red, green and blue; None: it is to be seen from the images. ``composite``
    names the channels that pictures show, counted from 1; the attribute counts from 0, see
    `pictures`. ``as_levels`` says that
    the images are levels already, as `read` gives them.

    A memory map is not copied. Images are read from its file, so that a pile of any size takes no
    more memory than the images read. On Windows, and for a map that is not in C order, the map
    itself is read, and the system frees its memory when it is needed.

    ``labels``, int64 (N,), numbers the ``class_names`` of images that came sorted into folders.
    They are only for comparing afterwards: no training, clustering or choosing reads them.
    ``skipped`` may have one row for many files; ``left_out`` has their numbers. ``notes`` are lines
    for a person on how the images were made; ``missing`` are the numbers of pixels that were no
    numbers, and of their images. ``larger_size`` is a number of pixels a side that would show more
    of images that were shrunk, if one is worth trying.
    ``path`` is the file of the array, and ``originals`` are its images before they were resized,
    where they are known; see `shoal.images.originals`.

    >>> source = ArraySource(np.zeros((3, 8, 8), dtype=np.uint8))
    >>> len(source), source.shape, source.ids
    (3, (8, 8, 1), ['0', '1', '2'])
    """

    def __init__(
        self,
        images: Array,
        *,
        ids: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
        name: str = "array",
        labels: IntArray | None = None,
        class_names: Sequence[str] | None = None,
        notes: Sequence[str] = (),
        rows: FileRows | None = None,
        left_out: Sequence[Count] | None = None,
        pixel_range: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
        path: Path | None = None,
        originals: Originals | None = None,
        larger_size: int | None = None,
        channels: str | None = None,
        colour: bool | None = None,
        composite: Sequence[int] | None = None,
        as_levels: bool = False,
        fit: str = "crop",
        sides_by_effort: dict[str, int] | None = None,
    ) -> None:
        if as_levels:
            checked = Checked(images, pixel_range or PixelRange())
        else:
            checked = to_pixels(images, name, pixel_range, channels)
        self.images: Array = checked.pixels
        self.colour = colour
        self.within = Within()
        self.n_files: tuple[int, int] | None = None
        """Of how many files there are images, and how many files there are in all; None: it is not
        files that hold them, or it is not known."""
        self.pixel_range = None if pixel_range is None else checked.pixel_range
        self.missing = checked.missing
        n = len(self.images)
        numbers = RowNames(n) if n > MANY else [str(row) for row in range(n)]
        self.ids: Sequence[str] = numbers if ids is None else list(ids)
        self.skipped: Sequence[tuple[str, str]] = list(skipped)
        self.left_out: Sequence[Count] = (
            [Count(1, *row) for row in self.skipped] if left_out is None else list(left_out)
        )
        height, width, channels_seen = (int(side) for side in self.images.shape[1:])
        self.shape = (height, width, channels_seen)
        self.labels = labels
        self.class_names = class_names
        self.notes: Sequence[str] = [*notes]
        if images.dtype != np.uint8 and not as_levels:
            self.notes = [
                *notes, *checked.pixel_range.describe(pixel_range),
                *describe_missing(checked.missing),
                *describe_beyond(checked.n_beyond, len(images)),
            ]  # fmt: skip
        self.larger_size = larger_size
        self.fit = fit
        self.sides_by_effort = sides_by_effort or {}
        self.composite = check_composite(composite, channels_seen)
        self._rows = FileRows.below(self.images) if rows is None else rows
        self._digest: str | None = None
        self._path = path
        self._originals = originals

    def __len__(self) -> int:
        return len(self.images)

    @property
    def originals(self) -> Originals:
        # Made when it is asked for: a source that held itself would keep its file open for longer.
        return self._originals or PixelOriginals(self, self._path)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """All images, as NumPy and scikit-learn's tools ask for them."""
        return self.read(np.arange(len(self))).astype(dtype or self.images.dtype, copy=False)

    def __getstate__(self) -> dict[str, Any]:
        """For another process: the name of the file, or else the images themselves.

        Raises:
            DataError: they are in a temporary file without a name, and many.
        """
        mapped = MappedFile.below(self.images)
        if mapped is None and self._rows is not None and self.images.nbytes > _PICKLED:
            raise DataError(
                f"these images take {self.images.nbytes / 1e9:.1f} GB in a temporary file, which "
                "another process cannot open; open the pile with cache=True."
            )
        images = np.ascontiguousarray(self.images) if mapped is None else mapped
        return self.__dict__ | {"images": images, "_rows": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        images = state["images"]
        self.__dict__.update(state)
        if isinstance(images, MappedFile):
            self.images = images.open()
            self._rows = FileRows.below(self.images)

    def read(self, indices: Array) -> Pixels:
        if self._rows is not None:
            rows = np.asarray(indices)
            if rows.dtype.kind in "iu" and rows.size and rows.min() >= 0 and rows.max() < len(self):
                return self._rows.read(rows.astype(np.int64, copy=False))
        return np.ascontiguousarray(self.images[indices])

    def digest(self) -> str:
        if self._digest is None:
            self._digest = content_digest(self)
        return self._digest

    def take_digest(self, digest: str) -> None:
        """Take the word of another process for the digest, which has read the same images."""
        self._digest = digest


def content_digest(source: ImageSource) -> str:
    """SHA-256 of the number, the shape and the pixels of a source's images, read block by block."""
    shape = (len(source), *source.shape)
    digest = hashlib.sha256(repr(shape).encode())
    step = max(1, _BLOCK // max(1, math.prod(source.shape)))
    for start in range(0, len(source), step):
        digest.update(source.read(np.arange(start, min(start + step, len(source)))).data)
    return digest.hexdigest()
