"""An image that a reader reads, at its own size, as a file that other programs show."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from shoal.images.decoding.form import Member
from shoal.images.decoding.raw_pixels import turned
from shoal.images.readers import reader_of, video
from shoal.images.readers.raw import Raw

_ENDS = (0.5, 99.5)
"""Percentiles that are black and white in a picture of numbers without a range of their own."""


def as_png(image: Member) -> bytes:
    """The image upright, as PNG: without loss where it has 8 bits, or is grey and has 16.

    Of other numbers it is a picture. Of channels that are no colours the first is shown, or the
    first three.

    Raises:
        OSError, ValueError: it cannot be read; the message is the reason.
        ModuleNotFoundError: the library that reads it is not installed.
    """
    raw = _read(image)
    pixels = turned(raw.pixels, raw.orientation)
    pixels = pixels[..., : 3 if pixels.shape[2] >= 3 else 1]
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    exact = pixels.dtype == np.uint8 or (pixels.dtype == np.uint16 and pixels.shape[2] == 1)
    if not exact:
        pixels = _shown(pixels, bool(raw.colour))
    return to_png(pixels)


def as_jpeg(image: Member, side: int) -> bytes | None:
    """A photograph upright, as JPEG, for a browser; None if Pillow reads it, or it is none.

    Args:
        image: the image.
        side: the longest side that is wanted, in pixels.

    Raises:
        OSError, ValueError, ModuleNotFoundError: see `as_png`.
    """
    if reader_of(image.content, image.suffix) is None:
        return None
    raw = _read(image)
    if not (raw.colour or (raw.pixels.dtype == np.uint8 and raw.pixels.shape[2] == 1)):
        return None
    pixels = raw.pixels if raw.pixels.dtype == np.uint8 else _shown(raw.pixels, bool(raw.colour))
    picture, file = _picture(turned(pixels, raw.orientation)), io.BytesIO()
    picture.thumbnail((side, side))
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def _read(image: Member) -> Raw:
    reader = reader_of(image.content, image.suffix)
    if reader is None and image.suffix not in video.ANIMATIONS:
        raise ValueError("not of a kind that holds several images")
    return (reader or video).read(image.content, image.member)


def to_png(pixels: npt.NDArray[Any]) -> bytes:
    """A picture (H, W, 1 or 3) as a PNG file's content, losslessly."""
    file = io.BytesIO()
    _picture(pixels).save(file, "PNG")
    return file.getvalue()


def _picture(pixels: npt.NDArray[Any]) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _shown(pixels: npt.NDArray[Any], colour: bool) -> npt.NDArray[np.uint8]:
    """Any numbers as 8-bit levels: 16-bit colours by their own scale, others by their range."""
    if colour and pixels.dtype == np.uint16:
        return (pixels >> np.uint16(8)).astype(np.uint8)
    numbers = pixels.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    low, high = np.percentile(finite, _ENDS) if len(finite) else (0.0, 1.0)
    levels = (numbers - low) / max(high - low, np.finfo(float).tiny) * 255
    return np.nan_to_num(levels).clip(0, 255).round().astype(np.uint8)
