"""Images read from a file of pixels when they are needed."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.protocols import Array, IntArray


@dataclass(frozen=True)
class MappedFile:
    """A read-only memory map that another process can open, by the name of its file."""

    file: str
    offset: int
    dtype: str
    shape: tuple[int, ...]
    n_bytes: int

    @staticmethod
    def below(images: Array) -> MappedFile | None:
        """The file and the place of the images of a memory map.

        None if they are not one block of a file, or if the file has lost its name.
        """
        root = _root(images)
        if root is None or not images.flags.c_contiguous:
            return None
        start = images.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        file = os.path.abspath(str(root.filename))
        try:
            n_bytes = os.stat(file).st_size
        except OSError:
            return None
        offset = root.offset + start
        if offset + images.nbytes > n_bytes:
            return None
        return MappedFile(file, offset, images.dtype.str, images.shape, n_bytes)

    def open(self) -> Array:
        """The images.

        Raises:
            DataError: the file is gone, or another file has its name.
        """
        try:
            if os.stat(self.file).st_size != self.n_bytes:
                raise OSError(0, "it has another size")
            return np.memmap(self.file, np.dtype(self.dtype), "r", self.offset, self.shape)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(
                f"cannot open {Path(self.file).name}, from which the images were read, again: "
                f"{reason}; open the pile anew."
            ) from error


def _root(images: Array) -> np.memmap[Any, Any] | None:
    """The read-only memory map of a named file that ``images`` are a part of."""
    root: Array = images
    while isinstance(root, np.memmap) and isinstance(root.base, np.memmap):
        root = root.base
    usable = isinstance(root, np.memmap) and root.mode == "r" and root.filename is not None
    return root if usable else None  # type: ignore[return-value]


class FileRows:
    """Images (n, H, W, C) that lie one after the other in an open file, as uint8 or uint16.

    Reading takes no more memory than the images read. A memory map takes more: Linux keeps whole
    runs of pages around each image, so that 512 random images of 200,000 of 3 kB took 440 MB.
    """

    def __init__(
        self,
        file: BinaryIO,
        offset: int,
        shape: tuple[int, ...],
        dtype: npt.DTypeLike = np.uint8,
    ) -> None:
        self.file = file
        self.offset = offset
        self.shape = shape
        self.dtype = np.dtype(dtype)
        weakref.finalize(self, file.close)

    @staticmethod
    def below(images: Array) -> FileRows | None:
        """The same images as a memory map, read from its file; None if that is not possible."""
        if not hasattr(os, "preadv") or not isinstance(images, np.memmap):
            return None
        root: Array = images
        while isinstance(root.base, np.memmap):
            root = root.base
        plain = images.dtype in (np.uint8, np.uint16) and images.mode in ("r", "r+")
        plain = plain and images.flags.c_contiguous
        if not plain or not isinstance(root, np.memmap) or root.filename is None:
            return None
        start = images.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        try:
            file = open(root.filename, "rb", buffering=0)  # noqa: SIM115 - as long as the images
        except OSError:
            return None
        return FileRows(file, root.offset + start, images.shape, images.dtype)

    def read(self, indices: IntArray) -> Array:
        """Images ``indices`` (b,), each from 0 to n - 1, (b, H, W, C).

        Raises:
            DataError: the file has become shorter.
        """
        images = np.empty((len(indices), *self.shape[1:]), self.dtype)
        buffer = images.data.cast("B")
        size = images[:1].nbytes
        first = np.flatnonzero(np.diff(indices, prepend=-2) != 1)  # of each run of neighbours
        places = self.offset + indices[first] * size
        ends = np.append(first[1:], len(indices))
        for start, end, place in zip(first * size, ends * size, places, strict=True):
            self._fill(buffer[start:end], int(place))
        return images

    def _fill(self, buffer: memoryview, place: int) -> None:
        while buffer:
            n_bytes = os.preadv(self.file.fileno(), [buffer], place)
            if n_bytes == 0:
                raise DataError(
                    "the file of the images became shorter while it was read; leave it alone and "
                    "run the command again."
                )
            buffer, place = buffer[n_bytes:], place + n_bytes
