"""The axes of an array of images: whether there are channels, and which axis holds them."""

from __future__ import annotations

import numpy as np

from shoal.errors import DataError
from shoal.images.readers.raw import MOST_CHANNELS
from shoal.protocols import Array

MUST_BE = (
    f"an array of images must be (N, H, W) or (N, H, W, C) with 1 to {MOST_CHANNELS} channels C"
)
_CLEARLY = 4
"""An axis that is so many times as short as another holds the channels."""


def check_shape(images: Array, name: str, channels: str | None = None) -> Array:
    """Return ``images`` as (N, H, W, C), of their own type; nothing is copied.

    Raises:
        DataError: see `array_pixels.check_images`.
    """
    problem = f"{name}: {MUST_BE}, got"
    if channels not in (None, "first", "last"):
        raise DataError(f"channels must be first or last for an array, got {channels!r}.")
    if images.dtype.kind not in "buif":
        raise DataError(f"{problem} dtype {images.dtype}; save the pixels as numbers.")
    if images.ndim not in (3, 4):
        vectors = ", or cluster vectors with 'shoal cluster'" if images.ndim == 2 else ""
        raise DataError(f"{problem} shape {images.shape}; reshape it first{vectors}.")
    if len(images) and 0 in images.shape:
        raise DataError(f"{problem} shape {images.shape}, without pixels.")
    if images.ndim == 3:
        return images[..., None]
    first = axis_of_channels(images.shape, name, channels) == "first"
    if images.shape[1 if first else 3] > MOST_CHANNELS:
        raise DataError(f"{problem} shape {images.shape}; reshape it first.")
    return np.moveaxis(images, 1, -1) if first else images


def axis_of_channels(
    shape: tuple[int, ...], name: str, channels: str | None = None,
    image_shape: tuple[int, int, int] | None = None,
) -> str | None:  # fmt: skip
    """``first`` or ``last``: as a person says, as in training, or as the shape shows.

    Args:
        shape: of the array. One without an axis for channels is left alone.
        name: for messages.
        channels: what a person says.
        image_shape: (H, W, C) of the images of a training.

    Raises:
        DataError: it cannot be seen.

    >>> axis_of_channels((9, 8, 8, 8), "x", image_shape=(8, 8, 8))
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: x: shape (9, 8, 8, 8) could be (N, C, H, W) or (N, H, W, C); say which
    by channels='first' or channels='last'.
    >>> axis_of_channels((9, 8, 7, 6), "x", image_shape=(8, 7, 6))
    'last'
    """
    if len(shape) != 4 or channels is not None:
        return channels
    if image_shape is not None:
        height, width, n_channels = image_shape
        last = shape[1:] == (height, width, n_channels)
        if last != (shape[1:] == (n_channels, height, width)):
            return "last" if last else "first"
    return "first" if channels_are_first(shape, name) else "last"


def channels_are_first(shape: tuple[int, ...], name: str) -> bool:
    """Whether images of four axes are (N, C, H, W).

    Raises:
        DataError: both are possible, or neither is.

    >>> channels_are_first((10, 5, 80, 80), "x"), channels_are_first((10, 32, 32, 3), "x")
    (True, False)
    >>> channels_are_first((10, 8, 10, 12), "x")
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: x: shape (10, 8, 10, 12) could be (N, C, H, W) or (N, H, W, C); say
    which by channels='first' or channels='last'.
    """
    _, one, two, three = shape
    if min(one, three) > MOST_CHANNELS:
        raise DataError(f"{name}: {MUST_BE}, got shape {shape}; reshape it first.")
    if max(one, three) > MOST_CHANNELS:
        return one < three
    if three in (1, 3) or one in (1, 3):
        return three not in (1, 3)
    if one != three and two in (one, three):  # images are square more often than not
        return two == three
    if _CLEARLY * min(one, three) <= max(one, three):
        return one < three
    raise DataError(
        f"{name}: shape {shape} could be (N, C, H, W) or (N, H, W, C); say which by "
        "channels='first' or channels='last'."
    )
