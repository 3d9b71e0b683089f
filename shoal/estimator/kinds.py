"""What ``X`` is: images, paths or a table; whatever else is refused in one sentence."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.images.file_names import is_image
from shoal.plural import counted

WIDEST_TABLE = 64
"""Columns of a table that are taken for a picture one pixel high; more are vectors, an embedding
or flattened pictures, on which convolutions along a row would learn nothing in a long time."""


def unwrap(X: Any) -> Any:
    """An object array of images or paths, or a table that is one column of paths, as a list.

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
    """The paths, if ``X`` is nothing but paths in a row; None if it holds none.

    Raises:
        DataError: some are paths, and others are not.

    >>> list_paths(["a.png", np.zeros((8, 8))])
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: X must be all paths or all images, got 1 path among 2 items (the first
    that is none is of type ndarray, at row 1).
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
            f"among {len(items):,} items (the first that is none is of type "
            f"{type(items[others[0]]).__name__}, at row {others[0]})."
        )
    return [str(item) for item in items]


def check_pile(path: str | os.PathLike[str]) -> None:
    """Raise if ``path`` is one photograph: a pile is a folder, an archive or a list.

    Raises:
        DataError: it is the file of an image.
    """
    if is_image(os.path.basename(os.fspath(path))) and os.path.isfile(path):
        raise DataError(
            f"X must be a pile of images, got one image file {os.fspath(path)!r}; give a folder, "
            "or a list of paths: [path] for this one alone."
        )


def check_stack(X: Any, image_shape: tuple[int, int, int] | None) -> None:
    """Raise if an array is one photograph, or rows that are vectors.

    Args:
        X: anything; what has no axes passes.
        image_shape: (H, W, C) that a checkpoint expects.

    Raises:
        DataError: see above.
    """
    shape: tuple[int, ...] = tuple(np.shape(X)) if hasattr(X, "ndim") else ()
    one = len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > 4
    if image_shape is not None and len(shape) in (2, 3):
        one = one or shape == tuple(image_shape)[: len(shape)]
    if one:
        raise DataError(
            f"X must be a stack of images, (n, H, W) or (n, H, W, 3), got shape {shape}, which is "
            "one photograph; put several into one array, or X[None] for this one alone."
        )
    if image_shape is None and len(shape) == 2 and shape[1] > WIDEST_TABLE:
        raise DataError(
            f"X must be images, (n, H, W) or (n, H, W, 3), got a table of shape {shape}; vectors "
            "are no images: reshape rows that are flattened pictures to (n, H, W), and give "
            "embeddings to a clusterer of scikit-learn's."
        )


def check_table(X: Any) -> None:
    """Raise if ``X`` cannot be a table of numbers either; scikit-learn checks the rest.

    Raises:
        DataError: nothing with rows, no row, or text.

    >>> check_table(None)
    Traceback (most recent call last):
    ...
    shoal.errors.DataError: X must be images, paths of images or a table of numbers, got NoneType.
    """
    wanted = "X must be images, paths of images or a table of numbers"
    rows = isinstance(X, list | tuple)
    if not rows and not hasattr(X, "ndim") and not hasattr(X, "__array__"):
        raise DataError(f"{wanted}, got {type(X).__name__}.")
    if rows and not len(X):
        raise DataError(f"{wanted}, got an empty {type(X).__name__}.")
    if rows and isinstance(X[0], bytes):
        raise DataError(f"{wanted}, got bytes; decode them first, or give the paths as text.")
    cells: Any = ()
    if rows:
        cells = X[0] if isinstance(X[0], list | tuple) else ()
    elif getattr(X, "ndim", 0) == 2 and X.shape[0] and hasattr(X, "__array__"):
        cells = np.asarray(X)[0]
    if any(_is_text(cell) for cell in cells):
        raise DataError(f"{wanted}, got text; of a table of paths give one column.")


def warn_of_missing(missing: tuple[int, int]) -> None:
    """Warn if pixels were no numbers: how many, in how many images, as `checks.Checked` has it."""
    n_pixels, n_images = missing
    if n_pixels:
        warnings.warn(
            f"X has NaN or infinity in {counted(n_pixels, 'pixel')} of "
            f"{counted(n_images, 'image')}; the median of the image stands in for each.",
            stacklevel=5,
        )


def _is_text(cell: Any) -> bool:
    """Whether a cell is text that is no number either; scikit-learn reads '1.5' as a number."""
    if not isinstance(cell, str | bytes):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False
