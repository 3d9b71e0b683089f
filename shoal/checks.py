"""Validation of images and labels: one message style, one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.protocols import Array, IntArray

_EXPECTED = "images are expected as uint8 (N, H, W, 3) or (N, H, W)"


def check_images(images: Array, name: str) -> npt.NDArray[np.uint8]:
    """Return ``images`` as uint8 (N, H, W, C) with C 1 or 3, or say why it cannot be done.

    uint8 is passed through untouched (a memory map stays one). Other integers and booleans must
    lie in 0 to 255; floats in [0, 1] are scaled by 255, floats in [0, 255] rounded.

    Raises:
        DataError: wrong rank, empty axes, channels, type, or values out of range.

    >>> check_images(np.zeros((2, 4, 4), dtype=np.uint8), "x").shape
    (2, 4, 4, 1)
    >>> check_images(np.ones((2, 3, 4, 4), dtype=np.uint8), "x.npy")
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: x.npy: images are expected as uint8 (N, H, W, 3) or (N, H, W), and
    this array has shape (2, 3, 4, 4): it looks channels-first; save it with np.moveaxis(x, 1, -1).
    """
    came = f"{name}: {_EXPECTED}, and this array has"
    if images.dtype.kind not in "buif":
        raise DataError(f"{came} dtype {images.dtype}; save the pixels as uint8.")
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        raise DataError(
            f"{came} shape {images.shape}: it looks channels-first; "
            "save it with np.moveaxis(x, 1, -1)."
        )
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)):
        raise DataError(f"{came} shape {images.shape}; reshape it first.")
    if len(images) and 0 in images.shape:
        raise DataError(f"{came} shape {images.shape}: the images have no pixels.")
    if images.ndim == 3:
        images = images[..., None]
    return _to_uint8(images, came)


def _to_uint8(images: Array, came: str) -> npt.NDArray[np.uint8]:
    if images.dtype == np.uint8 or images.size == 0:
        return images.astype(np.uint8, copy=False)
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    low, high = images.min(), images.max()
    if not np.isfinite([low, high]).all():
        raise DataError(f"{came} NaN or infinite pixels; replace them before saving.")
    if low < 0 or high > 255:
        raise DataError(
            f"{came} values from {low:g} to {high:g}; scale them to [0, 255], or floats to [0, 1]."
        )
    if images.dtype.kind == "f":
        scale = 255.0 if high <= 1.0 else 1.0
        return np.rint(images * scale).astype(np.uint8)
    return images.astype(np.uint8)


def check_labels(labels: Array, n_images: int, name: str) -> IntArray:
    """Return ``labels`` as int64 (n_images,), or say why it cannot be done.

    Raises:
        DataError: another length or rank, or values that are not whole numbers.
    """
    if labels.ndim != 1 or len(labels) != n_images:
        raise DataError(
            f"{name}: one label an image is expected, shape ({n_images},), and this array has "
            f"shape {labels.shape}; give the labels of these very images."
        )
    if labels.dtype.kind not in "bui" and not (
        labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == labels.round()).all()
    ):
        raise DataError(
            f"{name}: labels are expected as whole numbers, and this array has dtype "
            f"{labels.dtype}; number the classes from 0."
        )
    return labels.astype(np.int64)


def check_interval(
    name: str,
    value: Any,
    low: float,
    high: float,
    error: type[Exception],
    *,
    open_low: bool = False,
) -> None:
    """Raise ``error`` unless ``low`` ≤ ``value`` ≤ ``high`` (``low`` < ``value`` if open)."""
    inside = (low < value if open_low else low <= value) and value <= high
    if not inside:  # NaN lands here too
        bracket = "(" if open_low else "["
        end = "∞)" if high == float("inf") else f"{high:g}]"
        raise error(f"{name} is expected in {bracket}{low:g}, {end}, and {value!r} came.")


def check_n_clusters(n_clusters: int, n_images: int) -> None:
    """Raise unless there are at least 1 and at most as many clusters as images.

    Raises:
        DataError: ``n_clusters`` below 1 or above ``n_images``.
    """
    if n_clusters < 1:
        raise DataError(f"at least 1 cluster is expected, and -k {n_clusters} came; try -k 2.")
    if n_clusters > n_images:
        raise DataError(
            f"at most one cluster an image is expected, and {n_clusters} clusters were asked of "
            f"{n_images} images; choose a smaller -k."
        )
