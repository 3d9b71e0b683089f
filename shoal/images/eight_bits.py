"""Arrays of any numbers as the 8-bit images that shoal sees."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.images.pixel_range import PixelRange, fill, learn, spread, to_levels
from shoal.plural import counted
from shoal.protocols import Array

_MUST_BE = "images must be uint8 (N, H, W, 3) or (N, H, W)"
_SAMPLE = 2**20
"""Roughly the number of pixels from which the range of an array is learned."""
_BLOCK = 2**22
"""Pixels brought to 8 bits at a time."""


@dataclass(frozen=True)
class Checked:
    """Images of 8 bits, and how they were made."""

    pixels: npt.NDArray[np.uint8]
    """(N, H, W, C), C 1 or 3."""
    pixel_range: PixelRange
    missing: tuple[int, int] = (0, 0)
    """How many pixels were no numbers, and in how many images; see `describe_missing`."""


def check_images(images: Array, name: str) -> npt.NDArray[np.uint8]:
    """``images`` as uint8 (N, H, W, C), C 1 or 3.

    uint8 is passed through untouched (a memory map stays one); booleans are black and white. Other
    numbers are brought to 8 bits by one range for all images, see `pixel_range`: floats in [0, 1]
    are scaled by 255, numbers in [0, 255] keep their values. Pixels that are not finite get the
    median of their image.

    Raises:
        DataError: wrong rank, empty axes, channels or type.

    >>> check_images(np.zeros((2, 4, 4), dtype=np.uint8), "x").shape
    (2, 4, 4, 1)
    >>> check_images(np.ones((2, 3, 4, 4), dtype=np.uint8), "x.npy")
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: x.npy: images must be uint8 (N, H, W, 3) or (N, H, W), got shape
    (2, 3, 4, 4), which looks channels-first; save it with np.moveaxis(x, 1, -1).
    """
    return to_eight_bits(images, name).pixels


def to_eight_bits(
    images: Array,
    name: str,
    known: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
) -> Checked:
    """`check_images`, with the range by which it was done.

    Args:
        images: (N, H, W) or (N, H, W, C).
        name: for messages.
        known: ranges that go before what the images themselves suggest; None: the rule of
            checkpoints that know no range, where only [0, 1] and [0, 255] are allowed.

    Raises:
        DataError: see `check_images`; by the older rule also numbers out of range.
    """
    images = check_shape(images, name)
    if images.dtype == np.uint8 or images.size == 0:
        return Checked(images.astype(np.uint8, copy=False), with_eight_bits(known))
    if images.dtype.kind == "b":
        return Checked(images.astype(np.uint8) * np.uint8(255), with_eight_bits(known))
    step = max(1, _BLOCK // images[0].size)
    blocks = [images[start : start + step] for start in range(0, len(images), step)]
    bounds = find_bounds(blocks, images.size, name, known)
    pixels = np.empty(images.shape, np.uint8)
    n_missing = np.zeros(2, np.int64)
    for start, block in zip(range(0, len(images), step), blocks, strict=True):
        pixels[start : start + step], missing = block_to_levels(block, bounds)
        n_missing += missing
    pixel_range = (known or PixelRange()).knowing(images.dtype, bounds)
    return Checked(pixels, pixel_range, (int(n_missing[0]), int(n_missing[1])))


def check_shape(images: Array, name: str) -> Array:
    """Return ``images`` as (N, H, W, C) with C 1 or 3, of their own type.

    Raises:
        DataError: wrong rank, empty axes, channels or type.
    """
    problem = f"{name}: {_MUST_BE}, got"
    if images.dtype.kind not in "buif":
        raise DataError(f"{problem} dtype {images.dtype}; save the pixels as uint8.")
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        raise DataError(
            f"{problem} shape {images.shape}, which looks channels-first; save it with "
            "np.moveaxis(x, 1, -1)."
        )
    if images.ndim == 4 and images.shape[3] == 4:
        raise DataError(f"{problem} shape {images.shape}; take x[..., :3], without alpha.")
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)):
        raise DataError(f"{problem} shape {images.shape}; reshape it first.")
    if len(images) and 0 in images.shape:
        raise DataError(f"{problem} shape {images.shape}, without pixels.")
    return images[..., None] if images.ndim == 3 else images


def find_bounds(
    blocks: Iterable[Array], size: int, name: str, known: PixelRange | None
) -> tuple[float, float]:
    """What is black and what is white in images that come in blocks (b, H, W, C).

    Args:
        blocks: gone through once.
        size: how many pixels they have together.
        name: for messages.
        known: see `to_eight_bits`.

    Raises:
        DataError: no pixel is finite; by the older rule, one is not, or is out of range.
    """
    low, high, whole = np.inf, -np.inf, True
    samples: list[Array] = []
    floats = True
    for block in blocks:
        floats = block.dtype.kind == "f"
        if known is not None and (bounds := known.of(block.dtype)) is not None:
            return bounds
        finite = block.ravel()
        if floats:
            usable = np.isfinite(finite)
            if not usable.all():
                finite, whole = finite[usable], False
        if len(finite):
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            count = max(1, math.ceil(len(finite) * min(1.0, _SAMPLE / size)))
            samples.append(spread(finite, count).astype(np.float64))
    if known is None:
        return _older_bounds(low, high, whole, floats, f"{name}: {_MUST_BE}, got")
    if size and not samples:
        raise DataError(f"{name}: all pixels are NaN or infinite.")
    values = np.concatenate(samples) if samples else np.empty(0)
    return learn(values, (low, high), floats=floats, conventional=known.eight_bit)


def block_to_levels(
    block: Array, bounds: tuple[float, float]
) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """Images (b, H, W, C) as uint8, and the numbers of missing pixels and of their images."""
    missing = ~np.isfinite(block) if block.dtype.kind == "f" else np.zeros(0, bool)
    if not missing.any():
        return to_levels(block, bounds), (0, 0)
    block = np.where(missing, 0, block)
    some = np.flatnonzero(missing.reshape(len(missing), -1).any(axis=1))
    for row in some:
        block[row] = fill(block[row], missing[row], bounds)
    return to_levels(block, bounds), (int(missing.sum()), len(some))


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


def with_eight_bits(known: PixelRange | None) -> PixelRange:
    """The known range, if it is known; else a range for 8-bit images."""
    if known is None or (known.integers is None and known.floats is None):
        return PixelRange(eight_bit=True)
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
