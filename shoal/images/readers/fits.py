"""FITS: images and cubes of astronomy, compressed ones among them.

Numbers are those that BSCALE and BZERO mean; BLANK pixels are missing. The rows are in the order of
the array, from the bottom up. Axes of length one are dropped. Where extensions are called SCI they
alone are read, not their errors and flags. Up to ten planes of one shape are channels, see
`_planes`. The library is astropy; nothing is fetched, and nothing is unpickled.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.images.readers._last_opened import LastOpened
from shoal.images.readers._planes import are_channels, check_size, size_of
from shoal.images.readers._reasons import reasons
from shoal.images.readers.raw import Content, Pages, Raw, ReasonError, needs_extra

SUFFIXES = frozenset((".fits", ".fit", ".fts", ".fz"))
EXTRA = "scientific"
LIBRARIES = ("astropy",)


def recognises(head: bytes) -> bool:
    """Whether a file begins as FITS does."""
    return head.startswith(b"SIMPLE  =") and head[29:30] == b"T"


def members(content: Content, pages: Pages = "auto") -> list[str]:
    """The names of the images: ``['']``, or ``['plane=0', …]``, ``['hdu=1', …]``."""
    with _opened(content) as file:
        return list(file.images(pages))


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    """One image: its planes as channels, scaled as the header says."""
    with _opened(content) as file:
        return _read(file.hdus, file.image(member), size_of(content))


def n_joined(content: Content) -> int:
    """How many planes are taken for the channels of one image; 0 if that is no question."""
    with _opened(content) as file:
        image = file.images("auto").get("")
        return len(image.planes) if image is not None and len(image.planes) > 1 else 0


@dataclass(frozen=True)
class _Image:
    """One image of a file: planes, each of an extension (HDU)."""

    planes: tuple[tuple[int, int], ...]
    """(number of the HDU, number of the plane in it)."""


class _File:
    """An open file: its extensions (HDU), and the images in them."""

    def __init__(self, content: Content) -> None:
        from astropy.io import fits

        # A file that is open: a name could be taken for an address.
        self._file = content.open("rb") if isinstance(content, Path) else io.BytesIO(content)
        self._images: dict[Pages, dict[str, _Image]] = {}
        try:
            self.hdus = fits.open(self._file, memmap=False, lazy_load_hdus=True)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self.hdus.close()
        self._file.close()

    def images(self, pages: Pages) -> dict[str, _Image]:
        """The images by their names."""
        if pages not in self._images:
            self._images[pages] = _images(self.hdus, pages)
        return self._images[pages]

    def image(self, member: str) -> _Image:
        """The image of that name.

        Raises:
            ValueError: there is none.
        """
        ways: tuple[Pages, ...] = ("auto", "images") if member else ("auto", "channels")
        for pages in ways:
            images = self.images(pages)
            if member in images:
                return images[member]
        raise ReasonError(f"no image {member} in it")


_last = LastOpened(_File)


@contextmanager
def _opened(content: Content) -> Iterator[_File]:
    """The file; the last one of this thread stays open.

    Raises:
        ValueError: it cannot be read; the message is the reason.
        ModuleNotFoundError: astropy is not installed.
    """
    try:
        import astropy.io.fits  # noqa: F401
    except ModuleNotFoundError:
        raise needs_extra("FITS", EXTRA) from None
    with reasons("FITS file", "astropy"):
        yield _last.get(content)


def _shape(hdu: Any) -> tuple[int, ...]:
    """(planes, H, W) of an extension that holds an image; else ()."""
    if not hdu.is_image or len(hdu.shape) < 2 or 0 in hdu.shape:
        return ()
    *outer, height, width = hdu.shape
    return (math.prod(outer), height, width)


def _images(file: Any, pages: Pages) -> dict[str, _Image]:
    """The images of a file by their names."""
    shapes = {at: shape for at, hdu in enumerate(file) if (shape := _shape(hdu))}
    if not shapes:
        raise ReasonError("a FITS file without an image")
    science = [at for at in shapes if str(file[at].name).upper() == "SCI"]
    if science:
        shapes = {at: shapes[at] for at in science}
    planes = [(at, number) for at, (n, _, _) in shapes.items() for number in range(n)]
    if len(planes) > 10_000_000:
        raise ReasonError(f"{len(planes):,} planes")
    one_shape = len({shape[1:] for shape in shapes.values()}) == 1
    if pages == "channels" and not one_shape:
        raise ReasonError("planes of several shapes, which cannot be channels")
    if len(planes) == 1 or (one_shape and are_channels(len(planes), pages)):
        return {"": _Image(tuple(planes))}
    if len(shapes) == 1:
        return {f"plane={plane}": _Image(((at, plane),)) for at, plane in planes}
    if all(n == 1 for n, _, _ in shapes.values()):
        return {f"hdu={at}": _Image(((at, plane),)) for at, plane in planes}
    return {f"hdu={at}_plane={plane}": _Image(((at, plane),)) for at, plane in planes}


def _read(file: Any, image: _Image, n_bytes: int) -> Raw:
    numbers = {at for at, _ in image.planes}
    for at in numbers:
        hdu = file[at]
        _, height, width = _shape(hdu)
        check_size(height, width, len(image.planes), abs(int(hdu.header["BITPIX"])) // 8)
        about = hdu.fileinfo() or {}
        if about.get("datLoc", 0) + hdu.size > n_bytes and not hasattr(hdu, "compression_type"):
            raise ReasonError("truncated")
    pixels = np.stack([_plane(file[at], plane) for at, plane in image.planes], axis=2)
    return Raw(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def _plane(hdu: Any, number: int) -> np.ndarray[Any, Any]:
    """One plane (H, W) of an extension, without reading the others."""
    *outer, height, width = hdu.shape
    place = np.unravel_index(number, outer) if outer else ()
    return np.asarray(hdu.section[(*map(int, place), slice(0, height), slice(0, width))])
