"""A source of some of the images of another source."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.images.array import content_digest
from shoal.images.levels import Pixels
from shoal.images.originals import SubsetOriginals
from shoal.images.pixel_range import PixelRange
from shoal.images.within import Within
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Originals


class Subset:
    """The images ``rows`` int64 (m,) of ``source``, in that order; nothing is copied.

    >>> import numpy as np
    >>> from shoal.images.array import ArraySource
    >>> images = np.arange(4, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    >>> some = Subset(ArraySource(images), np.array([3, 1]))
    >>> some.ids, some.read(np.array([0]))[0, 0, 0].tolist()
    (['3', '1'], [3])
    """

    def __init__(self, source: ImageSource, rows: IntArray) -> None:
        self.source = source
        self.rows = rows
        self.ids: Sequence[str] = [source.ids[row] for row in rows]
        self.shape = source.shape
        self.within = getattr(source, "within", Within())
        self.sides_by_effort = getattr(source, "sides_by_effort", {})
        self.fit = getattr(source, "fit", "crop")
        self.pixel_range = getattr(source, "pixel_range", PixelRange(eight_bit=True))
        self.colour: bool | None = getattr(source, "colour", None)
        self.composite: tuple[int, ...] | None = getattr(source, "composite", None)
        self.skipped: Sequence[tuple[str, str]] = ()
        self._digest: str | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def originals(self) -> Originals:
        return SubsetOriginals(self.source.originals, self.rows)

    def read(self, indices: Array) -> Pixels:
        return self.source.read(self.rows[indices])

    @property
    def n_dimensions(self) -> int:
        """The length of the vectors from elsewhere; 0 for images alone."""
        return int(getattr(self.source, "n_dimensions", 0))

    @property
    def centre(self) -> Array | None:
        """See `VectorSource`; None for images."""
        centre: Array | None = getattr(self.source, "centre", None)
        return centre

    def vectors(self, indices: Array, centre: Array | None = None) -> FloatArray:
        """The vectors ``indices`` (b,) of a `VectorSource`, float32 (b, d); see there."""
        return self.source.vectors(self.rows[indices], centre)  # type: ignore[attr-defined]

    def digest(self) -> str:
        if self._digest is None:
            self._digest = content_digest(self)
        return self._digest
