"""Opening a pile of images, whatever it comes in: each format is asked in turn."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.images import formats
from shoal.images.pixel_range import PixelRange
from shoal.plural import counted

if TYPE_CHECKING:
    from shoal.protocols import ImageSource, Track

SIZES = (32, 48, 64, 96, 128)
"""The sides, in pixels, that image files can be brought to."""


def _formats() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(formats.__path__))
    return [
        importlib.import_module(f"{formats.__name__}.{name}") for name in names if name[0] != "_"
    ]


def open_source(
    path: str | Path,
    *,
    image_shape: tuple[int, int, int] | None = None,
    at_least: int = 1,
    size: int | None = None,
    array: str | None = None,
    cache: bool = True,
    track: Track | None = None,
    pixel_range: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
) -> ImageSource:
    """Open a pile of images.

    Image files are decoded once, on all cores, and kept as pixels in the user's folder for caches
    (`shoal.images.disk.folder`); from then on they are read through a memory map, as `.npy`
    files are, so that a pile may be larger than memory. What cannot be read is left out, with its
    reason in ``skipped``.

    Args:
        path: a folder of images, nested to any depth; a ``.zip`` or ``.tar`` (``.tar.gz``, …) of
            images; a ``.parquet`` file with encoded images; a ``.csv`` or ``.txt`` list of paths; a
            ``.npy`` or ``.npz`` file (``file.npz:name`` picks one of several arrays). Several
            archives or parquet files are named by a pattern: ``train-*.parquet``,
            ``data-{000..099}.tar``.
        image_shape: (H, W, C) that a checkpoint expects. Image files are brought to it; an array
            of another shape is an error.
        at_least: the fewest images that make sense to the caller.
        size: the side in pixels, one of `SIZES`, of the squares that image files are brought to.
            By default those that all have one size up to 96 keep it, and others get 32.
        array: which array of a ``.npz`` file.
        cache: keep decoded images for the next time; if not, they are in a temporary file that is
            gone when the process ends.
        track: shows progress.
        pixel_range: what is black and white in images of more than 8 bits, as a checkpoint has it;
            what it does not know is learned from the whole pile. None: each image decides by
            itself, as for checkpoints that have none.

    Raises:
        DataError: nothing there, an unknown format, unusable content, too few images, or a size
            that is not offered.
        OutputError: there is no room for the decoded images.
    """
    from shoal.images.decoding.listing import Wanted
    from shoal.protocols import silent

    path = Path(path)
    _check_size(size)
    wanted = Wanted(image_shape, size, array, cache, track or silent, pixel_range)
    source: ImageSource = _format(path, array).open_images(path, wanted)
    if len(source) < at_least:
        raise DataError(
            f"{path} must hold at least {counted(at_least, 'image')}, got {len(source)}."
        )
    if image_shape is not None and tuple(source.shape) != tuple(image_shape):
        raise DataError(
            f"{path} must hold images of shape {tuple(image_shape)} (height, width, channels), as "
            f"the checkpoint learned from, got {tuple(source.shape)}; bring them to that shape, or "
            "train a new checkpoint."
        )
    return source


def open_paths(
    paths: Sequence[str | Path],
    *,
    name: str = "paths",
    image_shape: tuple[int, int, int] | None = None,
    size: int | None = None,
    cache: bool = True,
    track: Track | None = None,
    pixel_range: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
) -> ImageSource:
    """Open image files by their paths; image i is ``paths[i]``, less those in ``skipped``.

    Args:
        paths: of image files. A path that is missing, or given twice, is skipped.
        name: what the paths are called, for messages.
        image_shape: see `open_source`, also for the other arguments.

    Raises:
        DataError: none of the files can be read, or ``size`` is not offered.
        OutputError: there is no room for the decoded images.
    """
    from shoal.images.decoding.listing import Wanted
    from shoal.images.formats.path_list import open_files
    from shoal.protocols import silent

    _check_size(size)
    wanted = Wanted(image_shape, size, None, cache, track or silent, pixel_range)
    return open_files([os.fspath(path) for path in paths], name, wanted)


def _check_size(size: int | None) -> None:
    if size is not None and size not in SIZES:
        offered = ", ".join(map(str, SIZES[:-1]))
        raise DataError(f"size must be {offered} or {SIZES[-1]}, got {size}.")


def _format(path: Path, array: str | None) -> ModuleType:
    module = next((module for module in _formats() if module.accepts(path)), None)
    if module is None:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder; check the path.")
        raise DataError(
            f"{path} is not a pile of images; give a folder of images, a .zip, .tar, .parquet, "
            ".npy or .npz file, or a .csv or .txt list of paths."
        )
    if array is not None and not hasattr(module, "load_array"):
        raise DataError(f"array is only for .npz files, got array={array!r} with {path}.")
    return module


def write_skipped(source: ImageSource, path: Path) -> None:
    """Write what was left out of a pile as CSV (id, reason); no file if nothing was.

    An older list is replaced in any case; a file that only has its name, when there is a new one.

    Raises:
        OutputError: the file cannot be written.
    """
    from shoal.images.csv_files import write_rows

    header = ["id", "reason"]
    older = path.is_file() and path.read_bytes().startswith(b"id,reason\n")
    if source.skipped or older:
        write_rows(path, header, source.skipped)
