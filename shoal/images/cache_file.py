"""The file of a pile's decoded images.

It is a `.npy` file, uint8 or uint16 (n, H, W, C), that any program can open. Behind the pixels
follow the ids and what else is known (JSON, compressed) and a footer with check sums of all.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias

import numpy as np

HEADER = 128
"""Bytes before the pixels."""
_FOOTER = struct.Struct("<QII8s")
_MAGIC = b"shoal-02"
_READ = 4 * 2**20

Index: TypeAlias = dict[str, Any]
Fill: TypeAlias = Callable[[Callable[[Any], Any]], Index]
"""Writes the pixels with the function it gets, and returns their index, with the key ``shape``
(n, H, W, C), and ``dtype`` unless that is uint8. It is called again if the first place has no
room."""
_CODES = {"uint8": "|u1", "uint16": "<u2"}


def write_file(file: BinaryIO | Any, fill: Fill) -> Index:
    """Let ``fill`` write the pixels into an open file, and write the rest around them."""
    # Written, never mapped for writing: on a full disk a store into a map kills the process.
    file.write(bytes(HEADER))
    checksum = 0

    def write(pixels: Any) -> None:
        nonlocal checksum
        checksum = zlib.crc32(pixels, checksum)
        file.write(pixels)

    index = fill(write)
    tail = zlib.compress(json.dumps(index).encode(), 1)
    header = _header(index["shape"], dtype_of(index))
    about = zlib.crc32(tail, zlib.crc32(header))
    file.write(tail + _FOOTER.pack(len(tail), about, checksum, _MAGIC))
    file.seek(0)
    file.write(header)
    file.flush()
    return index


def dtype_of(index: Index) -> np.dtype[Any]:
    """The type of the pixels."""
    return np.dtype(_CODES[index.get("dtype", "uint8")])


def _header(shape: list[int], dtype: np.dtype[Any]) -> bytes:
    """The beginning of a .npy file, format version 1.0, always of 128 bytes."""
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.ljust(117).encode() + b"\n"


def read_index(file: BinaryIO) -> Index | None:
    """The index of the images in an open file; None if the file is not whole."""
    size = file.seek(0, io.SEEK_END)
    if size < HEADER + _FOOTER.size:
        return None
    file.seek(-_FOOTER.size, io.SEEK_END)
    length, about, checksum, magic = _FOOTER.unpack(file.read(_FOOTER.size))
    start = size - _FOOTER.size - length
    if magic != _MAGIC or start < HEADER:
        return None
    file.seek(0)
    header = file.read(HEADER)
    file.seek(start)
    tail = file.read(length)
    if zlib.crc32(tail, zlib.crc32(header)) != about:
        return None
    index: Index = json.loads(zlib.decompress(tail))
    whole = start == HEADER + math.prod(index["shape"]) * dtype_of(index).itemsize
    return index if whole and _checksum(file, start) == checksum else None


def _checksum(file: BinaryIO, end: int) -> int:
    """Of the pixels, which end there: they are read, not mapped, so that none stays in memory."""
    file.seek(HEADER)
    checksum, left = 0, end - HEADER
    while left > 0 and (part := file.read(min(_READ, left))):
        checksum = zlib.crc32(part, checksum)
        left -= len(part)
    return checksum
