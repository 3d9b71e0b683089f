"""Checks of values that a user gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.images.pixel_range import PixelRange, describe_bounds
from shoal.images.sampling import sample_rows
from shoal.plural import counted, plain
from shoal.protocols import Array, ImageSource, IntArray

_SAMPLE = 256
"""So many images of a pile show whether there is anything in them."""


def check_same_range(opened: PixelRange | None, known: PixelRange | None) -> None:
    """Raise if images were opened with another range than a checkpoint learned with.

    Raises:
        DataError: the ranges for one kind of numbers differ.
    """
    for kind in ("integers", "floats"):
        theirs, ours = getattr(opened, kind, None), getattr(known, kind, None)
        if theirs is not None and ours is not None and theirs != ours:
            raise DataError(
                f"the images were opened with pixels {describe_bounds(theirs)}, but the checkpoint "
                f"learned with pixels {describe_bounds(ours)}; open them with "
                "open_source(…, pixel_range=checkpoint.pixel_range)."
            )


def describe_blank(source: ImageSource) -> list[str]:
    """A sentence for a person on images with nothing in them, as far as a sample shows.

    >>> from shoal.images.array import ArraySource
    >>> describe_blank(ArraySource(np.full((30, 4, 4), 7, np.uint8)))[0][:35]
    'all images are one colour and the s'
    >>> describe_blank(ArraySource(np.arange(64, dtype=np.uint8).reshape(4, 4, 4)))
    []
    """
    sample = source.read(sample_rows(len(source), _SAMPLE))
    if (sample != sample[:, :1, :1]).any():
        return []
    if (sample == sample[:1]).all():
        return [
            "all images are one colour and the same: there is nothing to tell them apart by; check "
            "the images."
        ]
    return [
        "each image has one colour all over: nothing but this colour tells them apart; check the "
        "images."
    ]


def check_labels(labels: Array, n_images: int, name: str) -> IntArray:
    """``labels`` as int64 (n_images,).

    Raises:
        DataError: another length or rank, or values that are not whole numbers.
    """
    if labels.ndim == 1 and len(labels) != n_images:
        raise DataError(
            f"{name} holds {counted(len(labels), 'label')} for {counted(n_images, 'image')}; give "
            "one for each image."
        )
    if labels.ndim != 1:
        raise DataError(
            f"{name}: labels must have shape ({n_images},), one for each image, got shape "
            f"{labels.shape}; give the labels of these images."
        )
    if labels.dtype.kind not in "bui" and not (
        labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == labels.round()).all()
    ):
        raise DataError(
            f"{name}: labels must be whole numbers, got dtype {labels.dtype}; number the classes "
            "from 0."
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
    if inside:  # NaN is not
        return
    if high == float("inf"):
        bounds = f"above {plain(low)}" if open_low else f"at least {plain(low)}"
    elif open_low:
        bounds = f"above {plain(low)} and at most {plain(high)}"
    else:
        bounds = f"from {plain(low)} to {plain(high)}"
    raise error(f"{name} must be {bounds}, got {value!r}.")


def check_n_clusters(
    n_clusters: int, n_images: int, noun: str = "images", *, single: bool = True
) -> None:
    """Raise unless there are at least 2 and at most as many clusters as images.

    Args:
        n_clusters: how many clusters.
        n_images: how many images, or whatever ``noun`` says.
        noun: what is clustered, in the plural.
        single: whether one cluster may pass: commands refuse it earlier, and the checks of
            scikit-learn ask it of estimators.

    Raises:
        DataError: ``n_clusters`` below 2 or above ``n_images``.
    """
    if not (1 if single else 2) <= n_clusters <= n_images:
        if n_images < 2:  # no number would do
            raise DataError(f"clustering needs at least 2 {noun}, got {n_images:,}.")
        bounds = f"from 2 to {n_images:,}" if n_images > 2 else "at most 2"
        raise DataError(f"n_clusters must be {bounds}, the number of {noun}, got {n_clusters}.")
