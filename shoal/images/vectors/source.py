"""A pile of vectors, each perhaps with an image that is shown for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.images.file_rows import FileRows
from shoal.images.left_out import Count
from shoal.images.originals import PixelOriginals
from shoal.images.vectors.cards import CARD, draw_cards
from shoal.images.vectors.names import MANY, RowNames
from shoal.images.vectors.pictures import PicturesOfVectors
from shoal.images.vectors.usable import check_usable, counts, fault, look_over
from shoal.plural import counted
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Originals

_KINDS = {"U": "text", "S": "text", "O": "objects", "c": "complex numbers", "M": "dates",
          "m": "times", "V": "records"}  # fmt: skip
"""What arrays hold besides numbers, by the letter that NumPy has for it."""
_BLOCK = 16 * 2**20
"""Bytes of float32 that are read at a time where all vectors are looked at."""


class VectorSource:
    """An `ImageSource` over vectors (n, d), which another program made.

    Clusters are found among the vectors; images, if there are any, are only shown. Without images
    each vector is shown by a card with its id.

    A memory map is not copied: vectors are read from its file as they are needed. Rows with a
    number that is not finite are left out, and listed in ``skipped``.

    They are given in single precision. Where that would not tell numbers of double precision apart
    (1.7e9 ± 10, say), ``centre`` is their mean, float64 (d,), else None: `vectors` can subtract it
    first.

    >>> source = VectorSource(np.float16([[0, 1], [2, 3], [np.nan, 4]]))
    >>> len(source), source.n_dimensions, source.vectors(np.array([1])).tolist()
    (2, 2, [[2.0, 3.0]])
    >>> source.skipped
    [('2', 'holds a number that is not finite')]
    """

    pixel_range = None
    larger_size = None
    labels = None
    class_names = None

    def __init__(
        self, vectors: Array, *, ids: Sequence[str] | None = None,
        images: ImageSource | None = None, name: str = "array", path: Path | None = None,
        missing: Sequence[int] = (), kept_open: Any = None,
    ) -> None:  # fmt: skip
        """See the class.

        Args:
            vectors: numbers (n, d), n ≥ 1 and d ≥ 1.
            ids: of the n vectors; by default those of the images, or else row numbers.
            images: image i is of vector i.
            name: what the vectors are called, for messages.
            path: the file that they were opened from.
            missing: rows that the file has no vector for.
            kept_open: what must live as long as the vectors do, such as a temporary file.

        Raises:
            DataError: they are no vectors, none of them is finite, or the numbers of ids or
                images differ from theirs.
        """
        check_shape(vectors, name)
        self._whole = vectors
        self._read = _reader_of(vectors)
        self._kept_open = kept_open
        names = _names(ids, images, len(vectors), name)
        n, d = vectors.shape
        with np.errstate(invalid="ignore", over="ignore"):  # such rows are left out
            seen = look_over(((rows, self._read(rows)) for rows in _row_blocks(n, d)), n, d)
        gone = set(missing)
        usable = seen.rows.copy()
        usable[list(missing)] = False
        rows = np.flatnonzero(usable)
        self.skipped: Sequence[tuple[str, str]] = [
            (names[row], "has no vector" if row in gone else fault(np.asarray(vectors[row])))
            for row in np.flatnonzero(~usable).tolist()
        ]
        check_usable(name, seen.largest, len(rows), [reason for _, reason in self.skipped])
        self.left_out: Sequence[Count] = counts(self.skipped)
        self._rows: IntArray | None = None if len(rows) == len(vectors) else rows
        self.ids: Sequence[str] = (
            names if self._rows is None else [names[row] for row in rows.tolist()]
        )
        self.images = images
        self._images_rows = rows
        self.n_dimensions, self.n_constant, self.centre = int(d), seen.n_constant, seen.centre
        self.shape: tuple[int, int, int] = (*CARD, 1) if images is None else images.shape
        self.composite = getattr(images, "composite", None)
        self.path = path
        self._digest: str | None = None
        self.notes = self._constant_columns()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def rows_left_out(self) -> IntArray:
        """The rows of the array that are in ``skipped``, int64 (m,) ascending."""
        if self._rows is None:
            return np.zeros(0, np.int64)
        return np.setdiff1d(np.arange(len(self._whole)), self._rows)

    def vectors(self, indices: Array, centre: Array | None = None) -> FloatArray:
        """The vectors ``indices`` (b,), float32 (b, d), less a ``centre`` (d,) if one is given.

        That is subtracted in double precision.
        """
        return to_single(self._read(self._rows_of(indices)), centre)

    def scattered(self, indices: Array, centre: Array | None = None) -> FloatArray:
        """The same as `vectors`, for very many rows here and there: by the file's memory map.

        A call of the system for each row would take longer than all else.
        """
        return to_single(np.asarray(self._whole[self._rows_of(indices)]), centre)

    def _rows_of(self, indices: Array) -> Array:
        rows: Array = np.asarray(indices)
        return rows if self._rows is None else self._rows[rows]

    def read(self, indices: Array) -> npt.NDArray[Any]:
        """The pictures shown for vectors ``indices`` (b,): images, or cards with their ids."""
        if self.images is not None:
            return self.images.read(self._images_rows[np.asarray(indices)])
        return draw_cards([self.ids[row] for row in np.asarray(indices).tolist()])

    @property
    def originals(self) -> Originals:
        if self.images is None:
            return PixelOriginals(self, self.path)
        return PicturesOfVectors(self.images.originals, self._images_rows, self.path)

    def digest(self) -> str:
        """SHA-256 of the vectors, as single precision tells them apart: pictures do not count."""
        if self._digest is None:
            self._digest = self._digest_around(self.centre)
        return self._digest

    def recognise(self, digest: str) -> None:
        """Take ``digest`` for these vectors' if an older shoal had it, which knew no centre."""
        if self.centre is not None and digest == self._digest_around(None):
            self._digest = digest

    def _digest_around(self, centre: Array | None) -> str:
        about = ("vectors", len(self), self.n_dimensions)
        digest = hashlib.sha256(repr(about).encode())
        digest.update(b"" if centre is None else centre.tobytes())
        for block in self.blocks(centre):
            digest.update(np.ascontiguousarray(block).data)
        return digest.hexdigest()

    def blocks(self, centre: Array | None = None) -> Iterator[FloatArray]:
        """All vectors in their order, some megabytes at a time: float32 (b, d); see `vectors`."""
        for rows in _row_blocks(len(self), self.n_dimensions):
            yield self.vectors(rows, centre)

    def _constant_columns(self) -> list[str]:
        if not 0 < self.n_constant < self.n_dimensions or len(self) < 2:
            return []
        are, tell = ("is", "tells") if self.n_constant == 1 else ("are", "tell")
        return [
            f"{self.n_constant:,} of {counted(self.n_dimensions, 'number')} {are} the same in all "
            f"vectors, and {tell} nothing"
        ]


def n_dimensions_of(source: ImageSource) -> int:
    """The length of a source's vectors from elsewhere; 0 for images alone."""
    return int(getattr(source, "n_dimensions", 0))


def noun_held(source: ImageSource) -> str:
    """What a source holds, in a word: image, or vector, whether an image is shown for it or not."""
    return "vector" if n_dimensions_of(source) else "image"


def centre_of(source: ImageSource) -> Array | None:
    """The centre of vectors from elsewhere that single precision would not tell apart, or None."""
    centre: Array | None = getattr(source, "centre", None)
    return centre


def has_pictures(source: ImageSource) -> bool:
    """Whether there is an image for each row; cards with ids are none."""
    below = getattr(source, "source", source)
    return n_dimensions_of(source) == 0 or getattr(below, "images", None) is not None


def _row_blocks(n: int, d: int) -> Iterator[IntArray]:
    """The rows 0 to n - 1 in blocks, each of as many vectors (d,) as `_BLOCK` bytes hold."""
    step = max(1, _BLOCK // (4 * d))
    for start in range(0, n, step):
        yield np.arange(start, min(start + step, n))


def check_shape(vectors: Array, name: str) -> None:
    """Raise unless an array holds vectors (n, d), real numbers.

    Raises:
        DataError: it does not; ``name`` is what it is called.
    """
    if vectors.dtype.kind not in "fiub":
        kind = _KINDS.get(vectors.dtype.kind, f"the type {vectors.dtype}")
        raise DataError(f"{name}: vectors must be real numbers, got {kind}.")
    if vectors.ndim != 2:
        more = "; images go with 'shoal run' and its checkpoints" if vectors.ndim in (3, 4) else ""
        raise DataError(
            f"{name}: vectors must have shape (n, d), a row for each, got {vectors.shape}{more}."
        )
    if 0 in vectors.shape:
        raise DataError(f"{name} holds no vectors, but an array of shape {vectors.shape}.")


def _names(
    ids: Sequence[str] | None, images: ImageSource | None, n: int, name: str
) -> Sequence[str]:
    for what, given in (("ids", ids), ("images", images)):
        if given is not None and len(given) != n:
            raise DataError(f"{name} has {n:,} vectors, but there are {len(given):,} {what}.")
    if ids is not None:
        return ids
    if images is not None:
        return images.ids
    return RowNames(n) if n > MANY else [str(row) for row in range(n)]


def _reader_of(vectors: Array) -> Callable[[IntArray], Array]:
    """What reads rows (b, d): of a memory map from its file, where that is possible."""
    d, kind = vectors.shape[1], vectors.dtype
    if isinstance(vectors, np.memmap) and vectors.flags.c_contiguous:
        file = FileRows.below(vectors.view(np.uint8))
        if file is not None:

            def read(rows: IntArray) -> Array:
                content = np.ascontiguousarray(file.read(rows.astype(np.int64, copy=False)))
                return content.view(kind).reshape(len(rows), d)

            return read
    return lambda rows: np.asarray(vectors[rows])


def to_single(numbers: Array, centre: Array | None = None) -> FloatArray:
    """Numbers (b, d) in single precision, less a ``centre`` float64 (d,) if one is given.

    >>> to_single(np.array([[1.7e9 + 3]]), np.array([1.7e9])).tolist()
    [[3.0]]
    """
    if centre is not None:
        numbers = numbers.astype(np.float64, copy=False) - centre
    with np.errstate(over="ignore"):  # a greater number becomes infinite, and is left out
        return numbers.astype(np.float32, copy=False)
