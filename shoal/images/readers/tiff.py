"""TIFF with many bands or pages, planar, of 16 bits or floats, BigTIFF, OME, ImageJ, LSM.

What Pillow reads right stays with Pillow, see `is_plain`. The channels of an image are its samples
and, where the file says so (OME, ImageJ), its axis of channels. Pages of which the file says
nothing are channels if there are at most ten, each with one sample of more than one bit, all of one
shape.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from shoal.images.readers._last_opened import LastOpened
from shoal.images.readers._planes import check_size, size_of
from shoal.images.readers._reasons import reasons
from shoal.images.readers._tiff_directory import holds_numbers, is_plain
from shoal.images.readers._tiff_images import (
    PALETTE,
    Image,
    image_of,
    images_of,
    n_joined_in,
)
from shoal.images.readers.raw import Content, Pages, Raw, ReasonError, needs_extra

__all__ = [
    "EXTRA", "LIBRARIES", "SUFFIXES", "is_plain", "members", "n_joined", "read", "recognises",
]  # fmt: skip

SUFFIXES = frozenset((".tif", ".tiff", ".btf", ".tf8", ".lsm"))
EXTRA = "scientific"
LIBRARIES = ("tifffile", "imagecodecs")
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _INKS, _YCBCR = 0, 1, 2, 5, 6
_LINEAR = 34892
_NO_DATA = 42113
_JPEG = (6, 7)


def recognises(head: bytes) -> bool:
    """Whether a file begins as TIFF or BigTIFF does."""
    return head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))


def members(content: Content, pages: Pages = "auto") -> list[str]:
    """The names of the images: ``['']``, ``['page=0', …]`` or, by axes, ``['t=0_z=3', …]``."""
    with _opened(content) as tiff:
        images = images_of(tiff, pages)
        if len(images) == 1:
            return [""]
        return list(images)


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    """One image: its planes as channels, the numbers as they are stored."""
    with _opened(content) as tiff:
        return _read(tiff, image_of(tiff, member), size_of(content))


def n_joined(content: Content) -> int:
    """How many pages are taken for the channels of one image though the file does not say so.

    0 if the file says what its pages are, or has one.
    """
    with _opened(content) as tiff:
        return n_joined_in(tiff)


def _open(content: Content) -> Any:
    import tifffile

    return tifffile.TiffFile(io.BytesIO(content) if isinstance(content, bytes) else str(content))


_last = LastOpened(_open)


@contextmanager
def _opened(content: Content) -> Iterator[Any]:
    """The file, opened by tifffile; the last one of this thread stays open.

    Reading a page of ten thousand needs the places of all pages before it.

    Raises:
        ValueError: it cannot be read; the message is the reason.
        ModuleNotFoundError: tifffile is not installed.
    """
    try:
        import imagecodecs  # noqa: F401 - compressed files need it, and all shall be read alike
        import tifffile  # noqa: F401
    except ModuleNotFoundError:
        raise needs_extra("this TIFF", EXTRA) from None
    with reasons("TIFF", "tifffile"):
        yield _last.get(content)


def _read(tiff: Any, image: Image, n_bytes: int) -> Raw:
    series = tiff.series[image.series]
    page = series.keyframe
    height, width = page.imagelength, page.imagewidth
    n_channels = len(image.planes) * page.samplesperpixel
    if image.last_is_channels:
        height, width, n_channels = series.shape
    if page.imagedepth > 1:
        raise ReasonError("a TIFF of volumes")
    if page.dtype is None or page.dtype.kind not in "buif":
        raise ReasonError(f"pixels of type {page.dtype}, which are not real numbers")
    check_size(height, width, n_channels, page.dtype.itemsize)
    planes = [_plane(tiff, series, number, n_bytes) for number in image.planes]
    if image.last_is_channels:
        pixels = np.stack([plane[..., 0] for plane in planes])
    else:
        pixels = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
    return _finished(page, pixels, len(image.planes) == 1)


def _plane(tiff: Any, series: Any, number: int, n_bytes: int) -> np.ndarray[Any, Any]:
    """One page of a series as (H, W, S)."""
    page = series.keyframe
    n_pages = len(series.pages)
    if number < n_pages and series.pages[number] is not None:
        page = series.pages[number]
        _check_whole(page, n_bytes)
        pixels = page.asarray(maxworkers=1)
    elif series.dataoffset is not None and n_pages <= 1:  # ImageJ lists the first page alone
        count = math.prod(page.shape)
        at = series.dataoffset + number * count * page.dtype.itemsize
        if at + count * page.dtype.itemsize > n_bytes:
            raise ReasonError("truncated")
        dtype = np.dtype(page.dtype).newbyteorder(tiff.byteorder)
        tiff.filehandle.seek(at)
        pixels = tiff.filehandle.read_array(dtype, count).reshape(page.shape)
    else:
        raise ReasonError(f"a page that is missing: {number}")
    axes = series.keyframe.axes
    if axes == "YX":
        pixels = pixels[..., None]
    elif axes == "SYX":
        pixels = np.moveaxis(pixels, 0, 2)
    elif axes != "YXS":
        raise ReasonError(f"a TIFF with axes {axes}")
    return pixels


def _check_whole(page: Any, n_bytes: int) -> None:
    """Refuse a page with less data than it announces: tifffile would leave what is there."""
    if len(page.dataoffsets) < math.prod(page.keyframe.chunked) and not page.keyframe.is_contiguous:
        raise ReasonError("parts of the image are missing")
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        if count and offset + count > n_bytes:
            raise ReasonError("truncated")


def _finished(page: Any, pixels: np.ndarray[Any, Any], is_one_page: bool) -> Raw:
    """Colours and what stands for no data, as the tags of the first page say."""
    photometric, extra = int(page.photometric), tuple(map(int, page.extrasamples))
    missing = None
    if page.tags.get(_NO_DATA) is not None:
        with np.errstate(all="ignore"):
            missing = pixels == np.float64(page.nodata).astype(pixels.dtype)
        if pixels.dtype.kind == "f":
            missing |= ~np.isfinite(pixels)
    if photometric == PALETTE and is_one_page and page.colormap is not None:
        colours = np.moveaxis(page.colormap, 0, 1)
        if pixels.max() >= len(colours):
            raise ReasonError("a colour that its palette does not have")
        return Raw((colours[pixels[..., 0]] >> 8).astype(np.uint8), True, None, _turned(page))
    if photometric == _YCBCR and int(page.compression) not in _JPEG:
        raise ReasonError("colours stored as YCbCr without JPEG, which shoal cannot read")
    known = (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, PALETTE, _INKS, _YCBCR, _LINEAR)
    if photometric not in known:
        raise ReasonError(f"colours stored as {page.photometric.name}, which shoal cannot read")
    if photometric == _WHITE_IS_ZERO and pixels.dtype.kind in "bu":
        pixels = ~pixels
    numbers = holds_numbers([tag.code for tag in page.tags], page.description.encode())
    coloured = is_one_page and photometric in (_RGB, _YCBCR)
    if coloured and extra in ((1,), (2,)) and pixels.dtype.kind == "u" and not numbers:
        pixels = _on_white(pixels, is_multiplied=extra == (1,))
    return Raw(pixels, coloured and pixels.shape[2] == 3, missing, _turned(page))


def _on_white(pixels: np.ndarray[Any, Any], *, is_multiplied: bool) -> np.ndarray[Any, Any]:
    """RGB and alpha, as seen on a white page."""
    white = np.float32(np.iinfo(pixels.dtype).max)
    colours = pixels[..., :3].astype(np.float32)
    share = pixels[..., 3:].astype(np.float32) / white
    if not is_multiplied:
        colours *= share
    colours += (1 - share) * white
    return np.clip(np.rint(colours), 0, white).astype(pixels.dtype)


def _turned(page: Any) -> int:
    orientation = page.tags.valueof(274, 1)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
