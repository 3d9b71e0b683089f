"""Rows of a file of pixels, read as they are asked for."""

from __future__ import annotations

import os
import weakref
from typing import BinaryIO

import numpy as np

from shoal.errors import DataError
from shoal.protocols import Array, IntArray


class FileRows:
    """Images uint8 (n, H, W, C) that lie one after the other in an open file.

    Reading them adds nothing to what the process holds but the images asked for. Through a memory
    map Linux makes whole runs of pages around each image resident: 512 images drawn at random from
    200,000 of 3 kB have been seen to add 440 MB, and a few batches the file.
    """

    def __init__(self, file: BinaryIO, offset: int, shape: tuple[int, ...]) -> None:
        self.file = file
        self.offset = offset
        self.shape = shape
        weakref.finalize(self, file.close)

    @staticmethod
    def below(images: Array) -> FileRows | None:
        """The rows in the file that a memory map shows; None if it shows them otherwise."""
        if not hasattr(os, "preadv") or not isinstance(images, np.memmap):
            return None
        root: Array = images
        while isinstance(root.base, np.memmap):
            root = root.base
        plain = (
            images.dtype == np.uint8 and images.flags.c_contiguous and images.mode in ("r", "r+")
        )
        if not plain or not isinstance(root, np.memmap) or root.filename is None:
            return None
        start = images.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        try:
            file = open(root.filename, "rb", buffering=0)  # noqa: SIM115 - as long as the images
        except OSError:
            return None
        return FileRows(file, root.offset + start, images.shape)

    def read(self, indices: IntArray) -> Array:
        """Images ``indices`` (b,), each from 0 to n - 1: uint8 (b, H, W, C).

        Raises:
            DataError: the file has become shorter.
        """
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
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
                    "the file of images was whole when it was opened, and has become shorter "
                    "since; leave it alone and run the command again."
                )
            buffer, place = buffer[n_bytes:], place + n_bytes
