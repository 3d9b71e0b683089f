"""PNG of 16-bit colours, or of 16-bit grey with transparency, by imagecodecs.

Pillow gives these with 8 bits, and everything else in a PNG right. Where imagecodecs is missing it
reads these, too.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

from PIL.PngImagePlugin import PngImageFile

from shoal.images.readers.raw import Content, Pages, Raw, check_pixels
from shoal.images.readers.transparency import without_opacity

SUFFIXES: frozenset[str] = frozenset()
EXTRA = "scientific"
LIBRARIES = ("imagecodecs",)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBB")
"""Width, height, bits and colour type (PNG specification, 11.2.1), 16 bytes behind the start."""
_GREY_AND_OPACITY = 4
_CUT_BY_PILLOW = (2, _GREY_AND_OPACITY, 6)
"""Colours, grey with opacity, colours with opacity."""


def recognises(head: bytes) -> bool:
    """Whether a file is a PNG of which Pillow would give 8 of 16 bits."""
    if not head.startswith(_SIGNATURE) or len(head) < 26:
        return False
    _, _, bits, kind = _HEADER.unpack_from(head, 16)
    return bits == 16 and kind in _CUT_BY_PILLOW


def is_plain(content: Content) -> bool:
    """Whether it is left to Pillow: where nothing else can read it."""
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        return True
    return False


def members(content: Content, pages: Pages = "auto") -> list[str]:
    return [""]


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    import imagecodecs

    content = content.read_bytes() if isinstance(content, Path) else content
    width, height, _, kind = _HEADER.unpack_from(content, 16)
    check_pixels(height, width)
    try:
        pixels = imagecodecs.png_decode(content)
    except Exception as error:  # said for programmers
        raise ValueError("damaged PNG") from error
    shown, colour = without_opacity(pixels, grey=kind == _GREY_AND_OPACITY)
    is_animated = b"acTL" in content[: content.find(b"IDAT")]
    return Raw(shown, colour, orientation=_orientation(content), among_others=is_animated)


def _orientation(content: bytes) -> int:
    try:
        with PngImageFile(io.BytesIO(content)) as image:
            found = int(image.getexif().get(0x0112, 1))
    except Exception:  # noqa: BLE001 - broken tags are no reason to lose the image
        return 1
    return found if 1 <= found <= 8 else 1
