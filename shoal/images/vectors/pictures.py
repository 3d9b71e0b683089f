"""The originals of the images that are shown for vectors."""

from __future__ import annotations

from pathlib import Path

from shoal.images.originals import SubsetOriginals
from shoal.protocols import IntArray, Originals


class PicturesOfVectors(SubsetOriginals):
    """The originals ``rows`` int64 (n,) of ``whole``; ``path`` is the file of the vectors."""

    def __init__(self, whole: Originals, rows: IntArray, path: Path | None) -> None:
        super().__init__(whole, rows)
        self.path = path
        self.shown = whole.path
        """The path of the images."""
