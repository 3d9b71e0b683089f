"""HEIC and HEIF, the photographs of most phones, by pillow-heif.

Of several images in a file the primary one is read, as every viewer shows it. libheif turns it
upright as the file itself says (``irot``, ``imir``); the EXIF orientation, which repeats that, is
not applied once more.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.images.file_kinds import image_suffix
from shoal.images.readers.raw import Content, Pages, Raw, ReasonError, check_pixels, needs_extra
from shoal.images.readers.transparency import without_opacity

SUFFIXES = frozenset((".heic", ".heif", ".hif", ".heics", ".heifs"))
EXTRA = "photos"
LIBRARIES = ("pillow_heif",)


def recognises(head: bytes) -> bool:
    """Whether a file begins as HEIF does. (Pillow reads AVIF, which is HEIF in another code.)"""
    return image_suffix(head) == ".heic"


def members(content: Content, pages: Pages = "auto") -> list[str]:
    return [""]


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    try:
        import pillow_heif
    except ImportError:
        raise needs_extra("HEIC", EXTRA) from None
    try:
        opened = pillow_heif.open_heif(_opened(content), convert_hdr_to_8bit=False)
        image = opened[opened.primary_index]
        width, height = image.size
        check_pixels(height, width)
        pixels = np.array(image)
        if pixels.dtype == np.uint16:  # 10 bits, say, in the upper ones of 16: white is all ones
            depth: Any = image.info["bit_depth"]
            pixels |= pixels >> depth
    except ReasonError:
        raise
    except (ValueError, RuntimeError, EOFError, SyntaxError, OSError, IndexError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise ValueError(f"damaged HEIC ({lines[0]})") from error
    # Only colours are subsampled, so a file that tells how its colours are has some.
    raw = Raw(*without_opacity(pixels, grey="chroma" not in image.info))
    return replace(raw, among_others=len(opened) > 1)


def _opened(content: Content) -> Any:
    return content if isinstance(content, Path) else io.BytesIO(content)
