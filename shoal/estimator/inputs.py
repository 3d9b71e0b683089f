"""``X`` as a source of images: an array, paths, a folder, or a table of numbers.

scikit-learn's own tools pass tables: one row of numbers for each sample. Each row becomes a picture
one pixel high, so that `ImageClusterer` works inside these tools.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from shoal.errors import DataError
from shoal.estimator.validation import (
    check_pile,
    check_stack,
    check_table,
    list_paths,
    unwrap,
    warn_of_missing,
)
from shoal.images.array import ArraySource
from shoal.images.array_axes import axis_of_channels
from shoal.images.open import open_paths, open_source
from shoal.images.pixel_range import PixelRange
from shoal.images.remote.location import location
from shoal.plural import counted
from shoal.protocols import Array, FloatArray, ImageSource, Track, silent


@dataclass(frozen=True)
class RowScale:
    """The numbers that become black and white when rows of a table become pixels.

    All columns share one range, so that neighbouring pixels stay comparable, as in a spectrum or a
    flattened picture. Scale columns of different units before.

    >>> scale = RowScale.of(np.array([[-1.0, 0.0], [1.0, 3.0]]))
    >>> scale.to_images(np.array([[-1.0, 3.0], [1.0, 99.0]]))[:, 0, :, 0]
    array([[  0, 255],
           [128, 255]], dtype=uint8)
    """

    low: float
    """The least number in the table of `fit`: black."""
    high: float
    """The greatest number in the table of `fit`: white."""

    @classmethod
    def of(cls, rows: Array) -> Self:
        """The range of ``rows``, finite numbers (n, f)."""
        return cls(float(rows.min()), float(rows.max()))

    def to_images(self, rows: Array) -> npt.NDArray[np.uint8]:
        """Rows (n, f) as pictures uint8 (n, 1, f, 1); numbers outside the range are clipped."""
        shares = (rows - self.low) / (self.high - self.low or 1.0)
        return np.rint(np.clip(shares, 0.0, 1.0) * 255.0).astype(np.uint8)[:, None, :, None]

    def to_rows(self, pixels: FloatArray) -> FloatArray:
        """Pixels float32 (n, 1, f, 1) in [0, 1] as rows float32 (n, f) in the table's range."""
        return np.float32(self.low) + pixels[:, 0, :, 0] * np.float32(self.high - self.low)


def open_images(
    X: Any,
    *,
    image_shape: tuple[int, int, int] | None = None,
    pixel_range: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
    channels: str | None = None,
    fit: str | None = None,
    effort: str = "default",
    track: Track = silent,
) -> ImageSource | None:
    """``X`` as a source of images; None if it may be a table of numbers.

    Args:
        X: a path that `open_source` takes, a list or column of paths of image files, an
            `ImageSource`, an array (n, H, W), (n, H, W, C) or (n, C, H, W), or a list of images;
            see `array_pixels.check_images`.
        image_shape: (H, W, C) of the images that a checkpoint takes. Image files are resized to it.
        pixel_range: the numbers that are black and white, as the checkpoint stores them; see
            `open_source`.
        channels: which axis of an array holds the channels, ``first`` or ``last``; None: its shape
            tells.
        fit: how image files of other shapes are brought to one, see `open_source`.
        effort: quick, default or thorough, see `open_source`.
        track: shows progress.

    Raises:
        DataError: ``X`` is neither images nor a table, the images cannot be used or have another
            shape, or a file in a list of paths cannot be read. Unreadable files of a folder are
            left out with a warning.
    """
    source: ImageSource
    X = X if isinstance(X, ImageSource) else unwrap(X)
    paths = list_paths(X)
    if isinstance(X, str | os.PathLike):
        check_pile(X)
        source = open_source(
            location(X), image_shape=image_shape, pixel_range=pixel_range, channels=channels,
            fit=fit, effort=effort, track=track,
        )  # fmt: skip
        _warn_of(source.skipped, len(source))
    elif isinstance(X, ImageSource):
        source = X
    elif paths is not None:
        source = _open_list(paths, image_shape, pixel_range, fit, effort, track)
    else:
        images = _array(X, image_shape)
        if images is None:
            check_table(X)
            return None
        axis = axis_of_channels(images.shape, "X", channels, image_shape)
        source = ArraySource(images, name="X", pixel_range=pixel_range, channels=axis)
        warn_of_missing(source.missing)
    if image_shape is not None and tuple(source.shape) != tuple(image_shape):
        raise DataError(
            f"X must be images of shape {tuple(image_shape)} (height, width, channels), as in fit, "
            f"got {tuple(source.shape)}; resize the images, or fit again."
        )
    return source


def _array(X: Any, image_shape: tuple[int, int, int] | None) -> Array | None:
    """``X`` as an array, if it has the three or four axes of a stack of images.

    Raises:
        DataError: ``X`` holds images of several shapes, one photograph, or vectors.
    """
    if isinstance(X, list | tuple) and np.ndim(X[0] if X else 0) > 1:
        shapes = {np.shape(image) for image in X}
        if len(shapes) > 1:
            some = " and ".join(map(str, sorted(shapes)[:2]))
            raise DataError(
                f"X must be images of one shape, got {some}; resize them, or give a folder or a "
                "list of paths, so that shoal resizes them."
            )
        return np.asarray(X)
    check_stack(X, image_shape)
    return np.asarray(X) if getattr(X, "ndim", 0) > 2 else None


def _open_list(
    paths: list[str],
    image_shape: tuple[int, int, int] | None,
    pixel_range: PixelRange | None,
    fit: str | None,
    effort: str,
    track: Track,
) -> ImageSource:
    """Open image files so that row i is path i: labels come in the order of the paths."""
    source = open_paths(
        paths, name="X", image_shape=image_shape, pixel_range=pixel_range, fit=fit,
        effort=effort, track=track,
    )  # fmt: skip
    if source.skipped:
        raise DataError(
            f"X must be paths of images, each once, because labels are in their order; of "
            f"{counted(len(paths), 'path')} {_unread(source.skipped)}. Remove such paths."
        )
    source.ids = paths
    return source


def _warn_of(skipped: Sequence[tuple[str, str]], n_read: int) -> None:
    if skipped:
        warnings.warn(
            f"of {n_read + len(skipped):,} files {_unread(skipped)}; the labels are those of the "
            "other files, see ids_. shoal.open_source(X).skipped lists the files left out.",
            stacklevel=5,
        )


def _unread(skipped: Sequence[tuple[str, str]]) -> str:
    """How many files cannot be used, and why the first of them.

    >>> _unread([("a.jpg", "empty"), ("b.jpg", "not an image")])
    '2 cannot be used (first a.jpg: empty)'
    """
    name, reason = skipped[0]
    return f"{len(skipped):,} cannot be used (first {name}: {reason})"
