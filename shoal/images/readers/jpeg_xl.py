"""JPEG XL, by pillow-jxl-plugin.

The decoder turns an image upright as its codestream says; an EXIF orientation beside it is a
comment, which every viewer ignores. Only a JPEG that is packed in JPEG XL is turned by its EXIF.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from shoal.images.file_kinds import image_suffix
from shoal.images.readers.raw import Content, Pages, Raw, check_pixels, needs_extra
from shoal.images.readers.transparency import without_opacity

SUFFIXES = frozenset((".jxl",))
EXTRA = "photos"
LIBRARIES = ("pillow_jxl",)
_CODESTREAM = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height, as a codestream numbers them from 1."""


def recognises(head: bytes) -> bool:
    """Whether a file begins as a codestream or as a container of JPEG XL."""
    return image_suffix(head) == ".jxl"


def members(content: Content, pages: Pages = "auto") -> list[str]:
    return [""]


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    try:
        from pillow_jxl.JpegXLImagePlugin import JXLImageFile
    except ImportError:
        raise needs_extra("JPEG XL", EXTRA) from None
    content = content.read_bytes() if isinstance(content, Path) else content
    check_pixels(*size(content))  # the plugin decodes before it tells the size
    try:
        with JXLImageFile(io.BytesIO(content)) as image:
            orientation = int(image.getexif().get(0x0112, 1)) if image.jpeg else 1
            # The plugin knows L, LA, RGB, RGBA, I;16 and F; a JPEG may also be CMYK.
            pixels = np.asarray(image.convert("RGB") if image.mode == "CMYK" else image)
            mode = image.mode
    except Exception as error:  # what its decoder happens to hit, said for programmers
        raise ValueError("damaged JPEG XL") from error
    if mode == "F":
        return Raw(pixels[..., None], orientation=orientation)
    shown, colour = without_opacity(pixels, grey=mode in ("L", "LA", "I;16"))
    return Raw(shown, colour, orientation=orientation if 1 <= orientation <= 8 else 1)


def size(content: bytes) -> tuple[int, int]:
    """Height and width, as the codestream announces them (ISO/IEC 18181-1, SizeHeader).

    Raises:
        ValueError: there is no codestream.
    """
    stream = _Bits(_codestream(content))
    small = stream.read(1)
    height = (stream.read(5) + 1) * 8 if small else stream.size()
    ratio = stream.read(3)
    if ratio:
        wide, high = _RATIOS[ratio - 1]
        return height, height * wide // high
    return height, (stream.read(5) + 1) * 8 if small else stream.size()


class _Bits:
    """Reads numbers from the bits of a codestream, the lowest bit of a byte first."""

    def __init__(self, content: bytes) -> None:
        self._bits = int.from_bytes(content[:16], "little")

    def read(self, n: int) -> int:
        number = self._bits & ((1 << n) - 1)
        self._bits >>= n
        return number

    def size(self) -> int:
        return self.read((9, 13, 18, 30)[self.read(2)]) + 1


def _codestream(content: bytes) -> bytes:
    """The beginning of the codestream, after its two bytes of signature; within a container or not.

    Raises:
        ValueError: there is none.
    """
    if content.startswith(_CODESTREAM):
        return content[2:18]
    at = 0
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        start = at + 8
        if length == 1:
            length, start = int.from_bytes(content[start : start + 8], "big"), start + 8
        if kind in (b"jxlc", b"jxlp"):
            start += 4 if kind == b"jxlp" else 0  # the number of the part
            return content[start + 2 : start + 18]
        if length < 8:
            break
        at += length
    raise ValueError("damaged JPEG XL (there is no image in it)")
