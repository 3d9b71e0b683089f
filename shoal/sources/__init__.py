"""Where images come from. One input format a file; `open_source` asks each in turn.

A new format is a new module here with two functions: ``accepts(path) -> bool`` and
``open_images(path, image_shape) -> ImageSource``.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from shoal.errors import DataError
from shoal.protocols import ImageSource
from shoal.sources.array import ArraySource

__all__ = ["ArraySource", "open_source"]


def _formats() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module for module in modules if hasattr(module, "accepts")]


def open_source(
    path: str | Path, *, image_shape: tuple[int, int, int] | None = None, at_least: int = 1
) -> ImageSource:
    """Open a pile of images.

    Args:
        path: a ``.npy`` or ``.npz`` file (``file.npz:name`` picks one of several arrays), a
            ``.parquet`` file or a pattern of them (``train-*.parquet``), or a folder of images,
            nested to any depth.
        image_shape: (H, W, C) that a checkpoint expects. Image files are brought to it; an array
            of another shape is an error.
        at_least: the fewest images that make sense to the caller.

    Raises:
        DataError: nothing there, an unknown format, unusable content, or too few images.
    """
    path = Path(path)
    module = next((module for module in _formats() if module.accepts(path)), None)
    if module is None:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; check the path.")
        raise DataError(
            f"{path}: a .npy, .npz or .parquet file or a folder of images is expected, and this "
            "is none of them."
        )
    source: ImageSource = module.open_images(path, image_shape)
    if len(source) < at_least:
        raise DataError(
            f"{path}: at least {at_least} image{'s are' if at_least > 1 else ' is'} expected, "
            f"and it holds {len(source)}."
        )
    if image_shape is not None and tuple(source.shape) != tuple(image_shape):
        raise DataError(
            f"{path}: images of shape {tuple(image_shape)} (height, width, channels) are "
            f"expected, because the checkpoint was trained on them, and these are "
            f"{tuple(source.shape)}; use images of that shape or train a new checkpoint."
        )
    return source
