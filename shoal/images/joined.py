"""A source of the images of several sources, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.images.array import content_digest
from shoal.images.levels import Pixels
from shoal.images.originals import SubsetOriginals
from shoal.protocols import Array, ImageSource, Originals


class Joined:
    """The images of ``sources``, which have one shape; nothing is copied.

    What else is known of the images is that of the first source.

    >>> from shoal.images.array import ArraySource
    >>> black, white = (np.full((2, 3, 3), x, np.uint8) for x in (0, 255))
    >>> both = Joined([ArraySource(black), ArraySource(white)])
    >>> len(both), both.read(np.array([3, 0, 2]))[:, 0, 0, 0].tolist()
    (4, [255, 0, 255])
    """

    def __init__(self, sources: Sequence[ImageSource]) -> None:
        self.sources = sources
        self.borders = np.cumsum([0, *map(len, sources)])
        self.ids: Sequence[str] = [name for source in sources for name in source.ids]
        self.shape = sources[0].shape
        self.skipped: Sequence[tuple[str, str]] = ()
        self._digest: str | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "sources":
            raise AttributeError(name)
        return getattr(self.sources[0], name)

    def __len__(self) -> int:
        return int(self.borders[-1])

    @property
    def originals(self) -> Originals:
        """Those of the first source alone: of the others nobody asks here."""
        first = self.sources[0]
        return SubsetOriginals(first.originals, np.arange(len(first)))

    def read(self, indices: Array) -> Pixels:
        rows = np.asarray(indices)
        of = np.searchsorted(self.borders, rows, side="right") - 1
        first = self.sources[0].read(np.zeros(0, np.int64))
        pixels = np.empty((len(rows), *self.shape), first.dtype)
        for number in np.unique(of):
            own = of == number
            pixels[own] = self.sources[number].read(rows[own] - self.borders[number])
        return pixels

    def digest(self) -> str:
        if self._digest is None:
            self._digest = content_digest(self)
        return self._digest
