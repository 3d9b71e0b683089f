"""The size that a JPEG, JPEG-LS or JPEG 2000 codestream announces, read before it is decoded."""

from __future__ import annotations

import struct

_NO_FRAME = (0xC4, 0xC8, 0xCC)
"""Markers among those of frames that are none: tables, and one that is reserved."""
_JPEG_LS = 0xF7


def announced_size(content: bytes) -> tuple[int, int] | None:
    """Height and width; None if they are not to be found.

    >>> announced_size(b"\\xff\\xd8\\xff\\xc0\\0\\x0b\\x08\\0\\x18\\0\\x14\\1\\1\\x11\\0")
    (24, 20)
    """
    if content[:4] == b"\xff\x4f\xff\x51" and len(content) >= 24:
        right, below, left, above = struct.unpack_from(">4I", content, 8)
        return below - above, right - left
    at = 2
    while at + 9 <= len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == _JPEG_LS:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return height, width
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
    return None
