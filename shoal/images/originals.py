"""The files behind the images of a pile, where there are any: only ever read."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from shoal.protocols import Array, ImageSource, IntArray

_SIGNATURES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\x00": ".tif",
    b"MM\x00*": ".tif",
    b"P6": ".ppm",
    b"P5": ".pgm",
}


@runtime_checkable
class HasOriginals(Protocol):
    """An `ImageSource` that can give each image as it was encoded, before it was resized."""

    def original(self, index: int) -> bytes:
        """The content of image ``index``'s file."""
        ...


class Originals:
    """For each image of ``source`` its file on disk, its encoded content, or its pixels as PNG.

    Args:
        source: the images.
        data: what the source was opened from. In a folder, an id is a path to a file.

    >>> from shoal import ArraySource
    >>> originals = Originals(ArraySource(np.zeros((2, 4, 4), np.uint8)), Path("x.npy"))
    >>> originals.file(0) is None, originals.content(0)[:4], originals.suffix(0)
    (True, b'\\x89PNG', '.png')
    """

    def __init__(self, source: ImageSource, data: Path) -> None:
        self.source = source
        self.data = data
        self._in_folder = data.is_dir()
        self._files: dict[int, Path | None] = {}

    def file(self, index: int) -> Path | None:
        """The file that image ``index`` was read from, links followed; None if there is none."""
        if not self._in_folder:
            return None
        if index not in self._files:
            path = Path(os.path.realpath(self.data / self.source.ids[index]))
            self._files[index] = path if path.is_file() else None
        return self._files[index]

    def content(self, index: int) -> bytes:
        """Image ``index`` encoded: its file as it is, or else its pixels as PNG."""
        path = self.file(index)
        if path is not None:
            return path.read_bytes()
        if isinstance(self.source, HasOriginals):
            return self.source.original(index)
        return to_png(self.source.read(np.array([index]))[0])

    def suffix(self, index: int) -> str:
        """How a file of image ``index`` is to end, such as ``.jpg``."""
        own = Path(self.source.ids[index]).suffix
        if self.file(index) is not None:
            return own
        if not isinstance(self.source, HasOriginals):
            return ".png"
        if own.lower() in (*_SIGNATURES.values(), ".jpeg", ".webp", ".tiff"):
            return own
        start = self.source.original(index)[:12]
        if start[:4] == b"RIFF" and start[8:] == b"WEBP":
            return ".webp"
        return next((end for sign, end in _SIGNATURES.items() if start.startswith(sign)), "")

    def described(self) -> str:
        """What is written of each image, as a phrase."""
        if self._in_folder:
            return "as their files"
        if isinstance(self.source, HasOriginals):
            return "as they are encoded there"
        height, width, _ = self.source.shape
        return f"as PNG of {width} × {height} pixels"

    def sizes(self) -> IntArray | None:
        """Bytes of each image's file, int64 (n,), or None where not every image is a file."""
        n = len(self.source) if self._in_folder else 0
        files = [path for path in map(self.file, range(n)) if path is not None]
        if len(files) < len(self.source):
            return None
        return np.array([path.stat().st_size for path in files], dtype=np.int64)


def to_png(pixels: Array) -> bytes:
    """One image uint8 (H, W, C) as a PNG file's content, losslessly."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.squeeze(axis=2) if pixels.shape[2] == 1 else pixels).save(file, "png")
    return file.getvalue()
