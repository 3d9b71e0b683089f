"""Arrays of any numbers as the images that shoal sees."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.images.array_axes import MUST_BE, check_shape
from shoal.images.levels import MUCH_BEYOND, Pixels, fill, is_beyond, to_levels, widen
from shoal.images.pixel_range import ChannelBounds, PixelRange, check_channels, pairs
from shoal.images.range_learning import Sample, extremes_of, spread
from shoal.plural import counted
from shoal.protocols import Array

_SAMPLE = 2**20
"""Roughly the number of pixels from which the range of an array is learned."""
_BLOCK = 2**22
"""Numbers brought to levels at a time."""


@dataclass(frozen=True)
class Checked:
    """Images as levels, and how they were made."""

    pixels: Pixels
    """(N, H, W, C)."""
    pixel_range: PixelRange
    missing: tuple[int, int] = (0, 0)
    """How many pixels were no numbers, and in how many images; see `describe_missing`."""
    n_beyond: int = 0
    """How many images are outside the range to a large part, see `levels.is_beyond`."""


def check_images(images: Array, name: str, channels: str | None = None) -> Pixels:
    """``images`` as levels uint8 or uint16 (N, H, W, C), C from 1 to 64.

    uint8 is passed through untouched (a memory map stays one); booleans are black and white.
    Integers in [0, 255] keep their values. Other numbers become 16-bit levels by one range for all
    images, see `range_learning`: floats in [0, 1] are scaled by 65535. Pixels that are not finite
    get the median of their image.

    Args:
        images: (N, H, W), (N, H, W, C) or (N, C, H, W).
        name: for messages.
        channels: which axis holds the channels, ``first`` or ``last``; None: it is to be seen from
            the shape.

    Raises:
        DataError: wrong rank, empty axes, type or number of channels; or it cannot be seen which
            axis holds the channels.

    >>> check_images(np.zeros((2, 4, 4), dtype=np.uint8), "x").shape
    (2, 4, 4, 1)
    >>> check_images(np.ones((2, 5, 9, 9), dtype=np.uint16), "x.npy").shape
    (2, 9, 9, 5)
    """
    return to_pixels(images, name, channels=channels).pixels


def to_pixels(
    images: Array,
    name: str,
    known: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
    channels: str | None = None,
) -> Checked:
    """`check_images`, with the range by which it was done.

    Args:
        images: (N, H, W), (N, H, W, C) or (N, C, H, W).
        name: for messages.
        known: ranges that go before what the images themselves suggest; None: the rule of
            checkpoints that know no range, where only [0, 1] and [0, 255] are allowed.
        channels: see `check_images`.

    Raises:
        DataError: see `check_images`; no pixel is finite; by the older rule also numbers out of
            range.
    """
    images = check_shape(images, name, channels)
    if images.dtype == np.uint8 or images.size == 0:
        return Checked(images.astype(np.uint8, copy=False), with_eight_bits(known))
    if images.dtype.kind == "b":
        return Checked(images.astype(np.uint8) * np.uint8(255), with_eight_bits(known))
    step = max(1, _BLOCK // images[0].size)
    blocks = [images[start : start + step] for start in range(0, len(images), step)]
    bounds = find_bounds(blocks, images.size, name, known)
    pixel_range = knowing(known, images.dtype, bounds)
    pixels = np.empty(images.shape, levels_type(images.dtype, known, bounds))
    n_missing, n_beyond = np.zeros(2, np.int64), 0
    for start, block in zip(range(0, len(images), step), blocks, strict=True):
        pixels[start : start + step], missing = block_to_levels(block, bounds, pixels.dtype)
        n_missing += missing
        n_beyond += count_beyond(block, bounds)
    if n_missing[0] == images.size:
        raise DataError(f"{name}: all pixels are NaN or infinite.")
    return Checked(pixels, pixel_range, (int(n_missing[0]), int(n_missing[1])), n_beyond)


def find_bounds(
    blocks: Iterable[Array], size: int, name: str, known: PixelRange | None
) -> ChannelBounds:
    """What is black and what is white in images that come in blocks (b, H, W, C).

    Args:
        blocks: gone through once.
        size: how many numbers they have together.
        name: for messages.
        known: see `to_pixels`.

    Raises:
        DataError: no pixel is finite, or the known range has another number of channels; by the
            older rule, one is not finite, or is out of range.
    """
    whole, floats, n_finite = True, True, 0
    sample = Sample()
    for block in blocks:
        floats, n_channels = block.dtype.kind == "f", block.shape[3]
        if known is not None and (bounds := known.of(block.dtype)) is not None:
            try:
                check_channels(bounds, n_channels)
            except ValueError as error:
                if known.given:
                    raise DataError(f"{name}: {error}.") from None
                raise DataError(
                    f"{name} must hold images of {len(pairs(bounds))} channels, as those that the "
                    f"range was learned from, got {n_channels}."
                ) from None
            return bounds
        flat = block.reshape(-1, n_channels)
        extremes = extremes_of(flat)
        count = max(1, math.ceil(len(flat) * min(1.0, _SAMPLE / size)))
        values = spread(flat, count)
        if floats:
            usable = np.isfinite(flat).all(axis=1)
            if not usable.all():
                whole = False
                few = flat[usable]
                values = spread(few, count) if len(few) else values
            values = np.where(np.isfinite(values), values, np.nan)
        n_finite += bool(np.isfinite(extremes[0]).any())
        sample.add(values, extremes)
    if known is None:
        return _older_bounds(*sample.extremes, whole, floats, f"{name}: {MUST_BE}, got")
    if size and not n_finite:
        raise DataError(f"{name}: all pixels are NaN or infinite.")
    return sample.learn(floats=floats, conventional=known.eight_bit, colour=None)


def block_to_levels(
    block: Array, bounds: ChannelBounds, dtype: npt.DTypeLike
) -> tuple[Pixels, tuple[int, int]]:
    """Images (b, H, W, C) as levels, and the numbers of missing pixels and of their images."""
    if block.dtype.kind == "b":
        levels = block.astype(np.uint8) * np.uint8(255)
        return levels if np.dtype(dtype) == np.uint8 else widen(levels), (0, 0)
    missing = ~np.isfinite(block) if block.dtype.kind == "f" else np.zeros(0, bool)
    if not missing.any():
        return to_levels(block, bounds, dtype), (0, 0)
    block = np.where(missing, 0, block)
    some = np.flatnonzero(missing.reshape(len(missing), -1).any(axis=1))
    for row in some:
        block[row] = fill(block[row], missing[row], bounds)
    return to_levels(block, bounds, dtype), (int(missing.sum()), len(some))


def count_beyond(block: Array, bounds: ChannelBounds) -> int:
    """How many images (b, H, W, C) are outside the range to a large part."""
    return 0 if block.dtype.kind == "b" else sum(is_beyond(image, bounds) for image in block)


def levels_type(
    dtype: np.dtype[Any], known: PixelRange | None, bounds: ChannelBounds
) -> np.dtype[Any]:
    """uint8 where 8 bits hold all levels of numbers of ``dtype``, or where they were learned so."""
    eight = known is None or knowing(known, dtype, bounds).keeps_eight_bits(dtype)
    return np.dtype(np.uint8 if eight else np.uint16)


def knowing(known: PixelRange | None, dtype: np.dtype[Any], bounds: ChannelBounds) -> PixelRange:
    """The known range with the bounds for numbers of ``dtype``."""
    return (PixelRange(levels=8) if known is None else known).knowing(dtype, bounds)


def describe_missing(missing: Sequence[int]) -> list[str]:
    """Notes on pixels that were filled.

    >>> describe_missing((1, 1))
    ['1 pixel of 1 image is missing or no number: it gets the median of its image']
    """
    n_pixels, n_images = missing
    if not n_pixels:
        return []
    are, get = ("is", "it gets") if n_pixels == 1 else ("are", "they get")
    image = "its image" if n_images == 1 else "their image"
    return [
        f"{counted(n_pixels, 'pixel')} of {counted(n_images, 'image')} {are} missing or no number: "
        f"{get} the median of {image}"
    ]


def describe_beyond(n_beyond: int, n_images: int) -> list[str]:
    """A warning of images that the range cuts off.

    >>> describe_beyond(1, 40)
    ['warning: 1 of 40 images has 10% or more of its pixels outside the range, where they are cut to
    black or white; has it the same unit and scale as the images that the range is of?']
    """
    if not n_beyond:
        return []
    has, its, they = ("has", "its", "has it") if n_beyond == 1 else ("have", "their", "have they")
    return [
        f"warning: {n_beyond:,} of {counted(n_images, 'image')} {has} {MUCH_BEYOND:.0%} or more of "
        f"{its} pixels outside the range, where they are cut to black or white; {they} the same "
        "unit and scale as the images that the range is of?"
    ]


def with_eight_bits(known: PixelRange | None) -> PixelRange:
    """The known range, if it is known; else a range for 8-bit images."""
    if known is None:
        return PixelRange(eight_bit=True, levels=8)
    if known.integers is None and known.floats is None:
        return replace(known, eight_bit=True)
    return known


def _older_bounds(
    low: float, high: float, whole: bool, floats: bool, problem: str
) -> tuple[float, float]:
    if not whole or low > high:
        raise DataError(f"{problem} NaN or infinite pixels; replace them before saving.")
    if low < 0 or high > 255:
        raise DataError(
            f"{problem} values from {low:g} to {high:g}; scale them to [0, 255], or floats to "
            "[0, 1]."
        )
    return (0.0, 1.0) if floats and high <= 1.0 else (0.0, 255.0)
