"""Numbers of any kind to the levels that shoal sees, 256 or 65,536 from black to white.

Worker processes import this module, so it imports neither torch nor the rest of shoal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shoal.images.pixel_range import ChannelBounds, Numbers, pairs

Pixels: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""8-bit levels (0 to 255), or 16-bit levels (0 to 65535)."""
MUCH_BEYOND = 0.1
"""From this share of its numbers on much of an image is outside the range."""
LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in brightness: ITU-R BT.601, as Pillow's mode L has them."""


def to_levels(
    pixels: Numbers, bounds: ChannelBounds, dtype: npt.DTypeLike = np.uint8
) -> npt.NDArray[Any]:
    """Finite numbers (…, C) as levels: ``bounds`` become the ends, beyond is cut off.

    Where one pair is for all channels, the numbers may have any shape.

    >>> to_levels(np.array([900, 1000, 2050, 3100, 9999]), (1000.0, 3100.0)).tolist()
    [0, 0, 128, 255, 255]
    >>> to_levels(np.array([[5, 5]]), ((0.0, 10.0), (5.0, 6.0)), np.uint16).tolist()
    [[32768, 0]]
    """
    return np.rint(to_shares(pixels, bounds, white_of(np.dtype(dtype)))).astype(dtype)


def to_shares(pixels: Numbers, bounds: ChannelBounds, white: float) -> npt.NDArray[Any]:
    """The same before it is rounded: floats in [0, ``white``]."""
    exact: Any = np.float32
    if pixels.dtype.itemsize > 2 and pixels.dtype != np.float32:
        exact = np.float64
    each = np.array(pairs(bounds), np.float64)
    low, high = each[0] if len(each) == 1 else each.T
    shares: Numbers = pixels.astype(exact)
    with np.errstate(over="ignore"):
        if np.any(low):
            np.subtract(shares, low.astype(exact), out=shares)
        np.multiply(shares, (white / (high - low)).astype(exact), out=shares)
    return np.clip(shares, 0, white, out=shares)


def is_beyond(image: Numbers, bounds: ChannelBounds) -> bool:
    """Whether much of an image (H, W, C) lies outside the range, so that it is cut off.

    A single number there that much of the image has is a mask, or stands for no data.

    >>> is_beyond(np.arange(100.0).reshape(10, 10, 1), (0.0, 80.0))
    True
    >>> is_beyond(np.arange(100.0).reshape(10, 10, 1), (0.0, 95.0))
    False
    """
    each = np.array(pairs(bounds), np.float64)
    low, high = each[0] if len(each) == 1 else each.T
    margin = (high - low) / 100
    outside = (image < low - margin) | (image > high + margin)
    share = float(outside.mean())
    return share >= MUCH_BEYOND and (share > 0.9 or bool(np.ptp(image[outside]) > 0))


def white_of(dtype: np.dtype[Any]) -> float:
    """The level that is white."""
    return 255.0 if dtype == np.uint8 else 65535.0


def widen(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    """8-bit levels as 16-bit levels: 255 becomes 65535, and each is as bright as before."""
    return pixels.astype(np.uint16) * np.uint16(257)


def in_grey_levels(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Levels as float32 in [0, 255], whatever their type."""
    grey_levels = pixels.astype(np.float32)
    return grey_levels if pixels.dtype == np.uint8 else grey_levels / np.float32(257.0)


def stacked(images: Sequence[Pixels]) -> Pixels:
    """Images (H, W, C) of either type as one array, 16-bit if one of them is."""
    some_wide = any(image.dtype != np.uint8 for image in images)
    widened = [widen(image) if some_wide and image.dtype == np.uint8 else image for image in images]
    pixels: npt.NDArray[Any] = np.stack(widened)
    return pixels


def fill(image: Numbers, missing: npt.NDArray[np.bool_], bounds: ChannelBounds) -> Numbers:
    """An image (H, W, C), the missing pixels of each channel set to the median of its others.

    A channel that is missing as a whole becomes black.
    """
    filled = image.astype(np.float64)
    each = pairs(bounds)
    for channel in range(image.shape[2]):
        absent, plane = missing[..., channel], filled[..., channel]
        if not absent.any():
            continue
        black = each[channel if len(each) > 1 else 0][0]
        plane[absent] = black if absent.all() else np.median(plane[~absent])
    return filled
