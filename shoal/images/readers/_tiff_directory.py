"""The directory of a TIFF file, read without a library: what its pages are, not their pixels.

This tells the files that Pillow reads right from those that it would cut down to 8 bits or to the
first of their bands or pages.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shoal.images.readers.raw import Content

_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 16: "Q"}
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_DESCRIPTION, _SAMPLES, _EXTRA, _FORMAT = 270, 277, 338, 339
_MADE_OF_NUMBERS = (33550, 33922, 34264, 34735, 42112, 42113)
"""Tags of GeoTIFF and GDAL: what such a file calls alpha is more often a band."""
_WANTED = (_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _EXTRA, _FORMAT)
_PILLOW_DECODES = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34925, 50000)
_GREY, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = (0, 1), 2, 3, 5, 6, 8
_MOST_DESCRIPTION = 4096
_MOST_PAGES = 3
"""To know that there are several, so many are enough."""


@dataclass(frozen=True)
class Directory:
    """What one page of a file says of itself."""

    values: dict[int, tuple[int, ...]]
    description: bytes
    has_numbers: bool
    """Whether it is said to hold measured numbers, not a picture: GeoTIFF, GDAL, NumPy."""

    def value(self, tag: int, default: int) -> int:
        return (self.values.get(tag) or (default,))[0]

    @property
    def is_reduced(self) -> bool:
        """Whether it is a smaller version of another page, or a mask."""
        return bool(self.value(_SUBFILE, 0) & 5)

    def is_plain(self) -> bool:
        """Whether Pillow reads the page right, with all its bits and bands."""
        samples = self.value(_SAMPLES, 1)
        bits = self.values.get(_BITS) or (1,)
        kinds = self.values.get(_FORMAT) or (1,)
        photometric = self.value(_PHOTOMETRIC, -1)
        if self.value(_COMPRESSION, 1) not in _PILLOW_DECODES:
            return False
        if len(set(bits)) > 1 or len(set(kinds)) > 1:
            return False
        kind, depth = kinds[0], bits[0]
        if samples == 1:
            if photometric not in (*_GREY, _PALETTE):
                return False
            return (kind, depth) in ((2, 16), (2, 32), (3, 32)) or (kind in (1, 4) and depth <= 16)
        if kind not in (1, 4) or depth > 8:
            return False
        extra = self.values.get(_EXTRA) or ()
        alpha = samples == len(extra) + _COLOURS.get(photometric, 0) and extra in ((1,), (2,))
        if alpha and not self.has_numbers:
            return photometric in (*_GREY, _RGB)
        return not extra and samples == _COLOURS.get(photometric, 0)


_COLOURS = {0: 1, 1: 1, _RGB: 3, _CMYK: 4, _YCBCR: 3, _LAB: 3}


def is_plain(content: Content) -> bool:
    """Whether Pillow reads a TIFF right: one page, of 8 bits a colour or of one grey channel.

    A file whose directory cannot be read counts as plain, so that Pillow says what is wrong.
    """
    try:
        with _opened(content) as file:
            pages: list[Directory] = []
            for page in directories(file):
                if not pages or not page.is_reduced:
                    pages.append(page)
                if len(pages) == _MOST_PAGES:
                    break
    except (OSError, ValueError, struct.error, OverflowError):
        return True
    if len(pages) != 1:
        return not pages
    return pages[0].is_plain() and not _holds_several(pages[0].description)


def holds_numbers(tags: Iterable[int], description: bytes) -> bool:
    """Whether a page holds measured numbers, so that what it calls alpha is more likely a band.

    GDAL and tifffile call the fourth band alpha, whatever it is.
    """
    return description.startswith(b'{"shape"') or any(tag in tags for tag in _MADE_OF_NUMBERS)


def _holds_several(description: bytes) -> bool:
    """Whether the text of a file says that pages follow that its directory does not list."""
    if description.startswith(b"ImageJ="):
        return b"images=" in description and b"images=1\n" not in description
    return b'"truncated"' in description


def _opened(content: Content) -> BinaryIO:
    return open(content, "rb") if isinstance(content, Path) else io.BytesIO(content)


def directories(file: BinaryIO) -> Iterator[Directory]:
    """The directories of a file, one for each page, in order.

    Raises:
        ValueError, struct.error: it is no TIFF, or is cut off.
    """
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None:
        raise ValueError("not a TIFF")
    big = head[2:4] in (b"+\0", b"\0+")
    count, entry, offset = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    (place,) = struct.unpack_from(order + offset, head, 8 if big else 4)
    seen: set[int] = set()
    while place and place not in seen:
        seen.add(place)
        file.seek(place)
        (n,) = struct.unpack(order + count, file.read(struct.calcsize(order + count)))
        if n > 4096:
            raise ValueError("a directory that is too long")
        size = struct.calcsize(order + entry)
        table = file.read(n * size)
        (place,) = struct.unpack(order + offset, file.read(struct.calcsize(order + offset)))
        yield _directory(file, order, [struct.unpack_from(order + entry, table, at * size)
                                       for at in range(n)])  # fmt: skip


def _directory(file: BinaryIO, order: str, entries: list[tuple[int, int, int, bytes]]) -> Directory:
    values: dict[int, tuple[int, ...]] = {}
    description = b""
    for tag, kind, n, field in entries:
        if tag == _DESCRIPTION:
            description = description or _bytes(file, order, min(n, _MOST_DESCRIPTION), field)
        elif tag in _WANTED and kind in _TYPES and n <= 4096:
            letters = f"{order}{n}{_TYPES[kind]}"
            values[tag] = struct.unpack(
                letters, _bytes(file, order, struct.calcsize(letters), field)
            )
    tags = [tag for tag, *_ in entries]
    return Directory(values, description, holds_numbers(tags, description))


def _bytes(file: BinaryIO, order: str, n_bytes: int, field: bytes) -> bytes:
    """The value of an entry: in its field, or at the place that the field tells."""
    if n_bytes <= len(field):
        return field[:n_bytes]
    (place,) = struct.unpack(order + ("I" if len(field) == 4 else "Q"), field)
    file.seek(place)
    return file.read(n_bytes)
