"""Cameras' raw files, by rawpy, which is LibRaw.

An image is the preview that the camera wrote into the file where that is large enough and shows
the whole picture: it is what every viewer shows, and read in far less time. Otherwise the raw data
are developed, at half the size where that is enough, with the camera's white balance.
"""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import numpy as np

from shoal.images.file_kinds import image_suffix
from shoal.images.readers.raw import MOST_PIXELS, Content, Pages, Raw, check_pixels, needs_extra

SUFFIXES = frozenset((
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".k25", ".kdc",
    ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2",
    ".srf", ".srw", ".x3f",
))  # fmt: skip
EXTRA = "photos"
LIBRARIES = ("rawpy",)
_KINDS = (".cr3", ".raf", ".orf", ".rw2", ".x3f", ".mrw")
_SAME = 0.03
"""Sides of a preview may differ from the picture's by this share: cameras cut a few pixels off."""
_TURNS = {3: 3, 5: 8, 6: 6}
"""The EXIF orientation for each way in which LibRaw says that a camera was held."""
_SIDEWAYS = (5, 6)
_one = threading.Lock()
"""Developing takes some hundred MB."""


def recognises(head: bytes) -> bool:
    """Whether a file begins as a camera's raw file does.

    Many are TIFF files, known by their suffix, or by a first picture that is only a thumbnail.
    """
    if image_suffix(head) in _KINDS or head[6:14] == b"HEAPCCDR":
        return True
    if head[:4] == b"II*\0":
        return head[8:10] == b"CR" or _is_thumbnail(head, "little")
    return head[:4] == b"MM\0*" and _is_thumbnail(head, "big")


def _is_thumbnail(head: bytes, order: Any) -> bool:
    """Whether the first entry of the first directory of a TIFF file calls it a smaller version."""
    start = int.from_bytes(head[4:8], order)
    entry = head[start + 2 : start + 14]
    if len(entry) < 12:
        return False
    tag, value = int.from_bytes(entry[:2], order), int.from_bytes(entry[8:12], order)
    return tag == 254 and value == 1


def members(content: Content, pages: Pages = "auto") -> list[str]:
    return [""]


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    try:
        import rawpy
    except ImportError:
        raise needs_extra("a camera's raw file", EXTRA) from None
    try:
        with rawpy.imread(
            str(content) if isinstance(content, Path) else io.BytesIO(content)
        ) as opened:
            sizes = opened.sizes
            height, width = sizes.height, sizes.width
            preview = None if side is None else _preview(opened, side)
            if preview is not None:
                return preview
            half = side is not None and min(height, width) // 2 >= side
            check_pixels(height, width, most=MOST_PIXELS * (4 if half else 1))
            with _one:
                pixels = opened.postprocess(half_size=half, use_camera_wb=True, output_bps=8)
    except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
        what = error.args[0] if error.args else type(error).__name__
        what = what.decode("utf-8", "replace") if isinstance(what, bytes) else str(what)
        raise ValueError(f"a camera's raw file that LibRaw cannot read ({what})") from error
    size = (pixels.shape[0] * 2, pixels.shape[1] * 2) if half else None
    return Raw(pixels, colour=True, size=size)


def _preview(opened: Any, side: int) -> Raw | None:
    """The picture that the camera itself made, if it is as large as is needed, and whole."""
    import rawpy
    from PIL import Image

    try:
        thumbnail = opened.extract_thumb()
        if thumbnail.format != rawpy.ThumbFormat.JPEG:
            return None
        with Image.open(io.BytesIO(thumbnail.data), formats=("JPEG",)) as image:
            width, height = image.size
            if min(width, height) < side or width * height > MOST_PIXELS:
                return None
            sizes = opened.sizes
            turn = _turn(sizes, width / height)
            whole = (sizes.height, sizes.width)
            if turn == 1 and sizes.flip in _SIDEWAYS:
                whole = whole[::-1]
            if turn is None:
                return None
            image.draft("RGB", (side, side))
            pixels = np.asarray(image.convert("RGB"))
            return Raw(pixels, colour=True, orientation=turn, size=whole)
    except (rawpy.LibRawError, rawpy.NotSupportedError, OSError, ValueError, SyntaxError):
        return None


def _turn(sizes: Any, shape: float) -> int | None:
    """The EXIF orientation that a preview still has to be turned by.

    None: it shows another part of the picture.

    Args:
        sizes: what LibRaw says of the picture: its size as it lies on the sensor, and how the
            camera was held.
        shape: the width of the preview over its height.
    """
    whole = sizes.width / sizes.height * sizes.pixel_aspect
    if sizes.flip in _SIDEWAYS and abs(shape * whole - 1) < _SAME:
        return 1  # the camera has turned it already
    return _TURNS.get(sizes.flip, 1) if abs(shape / whole - 1) < _SAME else None
