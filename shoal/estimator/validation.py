"""Checks of ``X``: images, paths or a table. Anything else is refused in one sentence."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.images.file_names import is_image
from shoal.plural import counted

WIDEST_TABLE = 64
"""A table of more columns than this is refused: its rows are embeddings or flattened pictures.
Convolutions along such a row would learn nothing in a long time."""


def unwrap(X: Any) -> Any:
    """``X`` as a list if it is an object array, or a table with one column of paths.

    >>> unwrap(np.array([["a.png"], ["b.png"]]))
    ['a.png', 'b.png']
    """
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        return list(X)
    if getattr(X, "ndim", 0) == 2 and X.shape[0] and X.shape[1] == 1 and hasattr(X, "__array__"):
        column = np.asarray(X)[:, 0]
        if column.dtype.kind in "OU" and all(
            isinstance(item, str | os.PathLike) for item in column
        ):
            return column.tolist()
    return X


def list_paths(X: Any) -> list[str] | None:
    """The paths in ``X`` if all its items are paths; None if none of them is.

    Raises:
        DataError: some items are paths and others are not.

    >>> list_paths(["a.png", np.zeros((8, 8))])
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: X must be all paths or all images, got 1 path among 2 items; item 1 is
    of type ndarray.
    """
    if not isinstance(X, list | tuple) and getattr(X, "ndim", None) != 1:
        return None
    items = list(X)
    others = [row for row, item in enumerate(items) if not isinstance(item, str | os.PathLike)]
    if len(others) == len(items):
        return None
    if others:
        raise DataError(
            f"X must be all paths or all images, got {counted(len(items) - len(others), 'path')} "
            f"among {len(items):,} items; item {others[0]} is of type "
            f"{type(items[others[0]]).__name__}."
        )
    return [str(item) for item in items]


def check_pile(path: str | os.PathLike[str]) -> None:
    """Refuse the path of a single image file: a pile is a folder, an archive or a list.

    Raises:
        DataError: ``path`` is an image file.
    """
    if is_image(os.path.basename(os.fspath(path))) and os.path.isfile(path):
        raise DataError(
            f"X must be a pile of images, got one image file {os.fspath(path)!r}; give a folder, "
            "or [path] for this image alone."
        )


def check_stack(X: Any, image_shape: tuple[int, int, int] | None) -> None:
    """Refuse an array that is a single photograph, or a table of vectors.

    Args:
        X: anything; an object without ``ndim`` passes.
        image_shape: (H, W, C) of the images that a checkpoint takes; None before `fit`.

    Raises:
        DataError: ``X`` is a single photograph or a table of vectors.
    """
    shape: tuple[int, ...] = tuple(np.shape(X)) if hasattr(X, "ndim") else ()
    is_photograph = len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > 4
    if image_shape is not None and len(shape) in (2, 3):
        is_photograph = is_photograph or shape == tuple(image_shape)[: len(shape)]
    if is_photograph:
        raise DataError(
            f"X must be a stack of images, (n, H, W) or (n, H, W, C), got one photograph of shape "
            f"{shape}; give X[None] for this photograph alone."
        )
    if image_shape is None and len(shape) == 2 and shape[1] > WIDEST_TABLE:
        raise DataError(
            f"X must be images, (n, H, W) or (n, H, W, C), got a table of shape {shape}; reshape "
            "flattened pictures to (n, H, W), and give embeddings to VectorClusterer."
        )


def check_table(X: Any) -> None:
    """Refuse what cannot be a table of numbers either; scikit-learn checks the rest.

    Raises:
        DataError: ``X`` has no rows, or holds text.

    >>> check_table(None)
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: X must be images, paths of images or a table of numbers, got NoneType.
    """
    requirement = "X must be images, paths of images or a table of numbers"
    is_list = isinstance(X, list | tuple)
    if not is_list and not hasattr(X, "ndim") and not hasattr(X, "__array__"):
        raise DataError(f"{requirement}, got {type(X).__name__}.")
    if is_list and not len(X):
        raise DataError(f"{requirement}, got an empty {type(X).__name__}.")
    if is_list and isinstance(X[0], bytes):
        raise DataError(f"{requirement}, got bytes; decode the bytes, or give the paths as text.")
    cells: Any = ()
    if is_list:
        cells = X[0] if isinstance(X[0], list | tuple) else ()
    elif getattr(X, "ndim", 0) == 2 and X.shape[0] and hasattr(X, "__array__"):
        cells = np.asarray(X)[0]
    if any(_is_text(cell) for cell in cells):
        raise DataError(f"{requirement}, got text; give only the column of paths.")


def warn_of_missing(missing: tuple[int, int]) -> None:
    """Warn of pixels that are not numbers.

    Args:
        missing: how many pixels, and in how many images; see `array_pixels.Checked`.
    """
    n_pixels, n_images = missing
    if n_pixels:
        warnings.warn(
            f"X has NaN or infinity in {counted(n_pixels, 'pixel')} of "
            f"{counted(n_images, 'image')}; the median of the image replaces these pixels.",
            stacklevel=5,
        )


def _is_text(cell: Any) -> bool:
    """Whether a cell is text that is not a number; scikit-learn reads '1.5' as a number."""
    if not isinstance(cell, str | bytes):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False
