"""Opening a pile of images in any format."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.images import formats
from shoal.images.pixel_range import PixelRange
from shoal.images.remote.location import is_remote, location
from shoal.images.within import Within

if TYPE_CHECKING:
    from shoal.images.readers.frame_choice import Every
    from shoal.images.readers.raw import Pages
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
    n_clusters: int = 1,
    size: int | None = None,
    array: str | None = None,
    cache: bool = True,
    track: Track | None = None,
    pixel_range: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
    channels: str | None = None,
    composite: Sequence[int] | None = None,
    every: Every | None = None,
    pages: Pages = "auto",
    fit: str | None = None,
    effort: str = "default",
    colours: bool | None = None,
) -> ImageSource:
    """Open a pile of images.

    Image files are decoded once, on all cores, and kept as pixels in the user's folder for caches
    (`shoal.images.disk.folder`). From then on they are read from there, as `.npy` files are, so
    that a pile may be larger than memory. Files that cannot be read are left out; ``skipped`` has
    their names and the reasons.

    Args:
        path: a folder of images and videos, nested to any depth; a video, an animated picture or a
            file with several pages; a ``.zip`` or ``.tar`` (``.tar.gz``, …) of images; a
            ``.parquet`` or ``.arrow`` file with encoded images, or the folder of a Hugging Face
            data set; a ``.csv`` or ``.txt`` list of paths; a ``.npy`` or ``.npz``
            file (``file.npz:name`` picks one of several arrays). Several archives or parquet files
            are named by a pattern: ``train-*.parquet``, ``data-{000..099}.tar``. All but lists of
            paths and Arrow files may also lie at ``s3://``, ``gs://`` or ``https://``, see
            `shoal.images.remote`.
        image_shape: the (H, W, C) of a checkpoint. Image files are brought to it; an array of
            another shape is an error.
        at_least: the smallest number of images that is allowed.
        n_clusters: how many clusters are to be found. Fewer images are refused, files before any
            is decoded.
        size: image files become squares of this side in pixels, one of `SIZES`. By default, image
            files that all have the same size up to 96 keep it, and others become squares of a side
            that `fitting.choose_side` takes, 32 or 64.
        array: the name of the array in a ``.npz`` file.
        cache: whether to keep the decoded images for the next time; if not, they are in a temporary
            file that is gone when the process ends.
        track: shows progress.
        pixel_range: what is black and white in images of more than 8 bits, such as that of a
            checkpoint. What it does not say is learned from the whole pile. None: each image
            decides for itself, as in older checkpoints.
        channels: which axis of an array holds the channels, ``first`` or ``last``; or how the files
            of a folder are named that are the channels of one image, such as
            ``{id}_Ch{channel}.tif``. None: the shape tells, and a file is an image.
        composite: the channels that pictures show as red, green and blue, counted from 1, or a
            single one; None: see `pictures.composite_of`.
        every: the seconds from one frame of a video to the next, or ``cuts`` for a frame of each
            shot; then animated pictures are taken apart, too. None: a second; of an animated
            picture in a folder the first frame, of one by itself all.
        pages: what the pages of a file are, ``images`` or the ``channels`` of one; ``auto``: their
            shapes tell.
        fit: how image files of other shapes are brought to one: ``crop``, ``pad`` or ``stretch``,
            see `fitting.fitted`. None: as the pile asks, see `fitting.choose_fit`; with an
            ``image_shape`` ``crop``, as checkpoints know it that hold no fit.
        effort: ``quick``, ``default`` or ``thorough``: how large images are seen where ``size`` is
            None, see `fitting.choose_side`.
        colours: whether three channels are colours; if not, they are measurements, each by itself.
            None: as the files say, or as the pile shows, see `channels.channel_kind`.

    Raises:
        DataError: nothing there, an unknown format, unusable content, too few images, or a size
            that is not offered.
        OutputError: there is no room for the decoded images.
    """
    from shoal.images.array import ArraySource
    from shoal.images.checks import check_n_clusters
    from shoal.images.decoding.listing import Wanted
    from shoal.images.pictures import check_composite
    from shoal.images.too_few import too_few
    from shoal.protocols import silent

    path = location(path)
    _check_size(size)
    wanted = Wanted(
        image_shape,
        size,
        array,
        cache,
        track or silent,
        pixel_range,
        channels,
        Within(every, pages),
        fit=check_fit(fit),
        effort=effort,
        n_clusters=n_clusters,
    )
    source: ImageSource = _format(path, array).open_images(path, wanted)
    if len(source) < at_least:
        raise too_few(path, source, at_least, as_learned=image_shape is not None)
    check_n_clusters(n_clusters, len(source))
    if image_shape is not None and tuple(source.shape) != tuple(image_shape):
        raise DataError(
            f"{path} must hold images of shape {tuple(image_shape)} (height, width, channels), as "
            f"the checkpoint learned from, got {tuple(source.shape)}; bring them to that shape, or "
            "train a new checkpoint."
        )
    if composite is not None and isinstance(source, ArraySource):
        source.composite = check_composite(composite, source.shape[2])
    _check_range(source, pixel_range)
    if colours is not None:
        _set_colours(source, colours)
    _describe_channels(source)
    _describe_range(source, pixel_range)
    return source


def check_wanted(
    path: str | Path, *, size: int | None = None, array: str | None = None,
    channels: str | None = None, every: Every | None = None, pages: Pages = "auto",
    fit: str | None = None, n_clusters: int = 1,
) -> None:  # fmt: skip
    """Raise for what `open_source` would refuse in any case; no image is read.

    Args:
        path: see `open_source`, also for the others.

    Raises:
        DataError: an unknown format, an option out of range or for other kinds of piles.
    """
    from shoal.images.decoding.listing import Wanted
    from shoal.protocols import silent

    path = location(path)
    _check_size(size)
    wanted = Wanted(
        None, size, array, True, silent, PixelRange(), channels, Within(every, pages),
        fit=check_fit(fit), n_clusters=n_clusters,
    )  # fmt: skip
    check = getattr(_format(path, array), "check_wanted", None)
    if check is not None and not is_remote(path):
        check(path, wanted)


def open_paths(
    paths: Sequence[str | Path],
    *,
    name: str = "paths",
    image_shape: tuple[int, int, int] | None = None,
    size: int | None = None,
    cache: bool = True,
    track: Track | None = None,
    pixel_range: PixelRange | None = PixelRange(),  # noqa: B008 - frozen
    fit: str | None = None,
    effort: str = "default",
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
    wanted = Wanted(
        image_shape, size, None, cache, track or silent, pixel_range, fit=check_fit(fit),
        effort=effort,
    )  # fmt: skip
    return open_files([os.fspath(path) for path in paths], name, wanted)


def _check_range(source: ImageSource, asked: PixelRange | None) -> None:
    """Raise if a person gave a range for images that have none.

    Raises:
        DataError: all images have 8 bits.
    """
    if asked is None or not asked.given or asked.keeps_eight_bits(np.dtype(np.int32)):
        return
    if source.read(np.arange(1)).dtype == np.uint8:
        raise DataError(
            "pixel_range is only for images of more than 8 bits, and these have 8; leave it out."
        )


def _set_colours(source: Any, colours: bool) -> None:
    """What a person said of three channels, for all who ask `channels.channel_kind`.

    Raises:
        DataError: there are more, or fewer.
    """
    n_channels = source.shape[2]
    if n_channels != 3:
        raise DataError(
            "colours is only for images of three channels, and these have "
            f"{n_channels}; leave it out."
        )
    source.colour = colours
    source.within = replace(source.within, colours=colours)


def _describe_channels(source: ImageSource) -> None:
    """Note which channels pictures show, and which say nothing."""
    from shoal.images.array import ArraySource
    from shoal.images.channels import constant_channels, describe_constant
    from shoal.images.pictures import describe_composite

    n_channels = source.shape[2]
    if n_channels == 1 or not isinstance(source, ArraySource):
        return
    shown = describe_composite(source)
    notes = [f"pictures show {shown}"] if shown else []
    if source.colour is not True:
        constant = describe_constant(constant_channels(source), n_channels)
        notes += [f"warning: {sentence}" for sentence in constant]
    source.notes = [*source.notes, *notes]


def _describe_range(source: ImageSource, asked: PixelRange | None) -> None:
    """Warn of images of another scale than the others, where the pile's own range is learned."""
    from shoal.images.array import ArraySource
    from shoal.images.mixed_scales import describe_mixture

    learned = getattr(source, "pixel_range", None)
    unknown = asked is not None and asked.integers is None and asked.floats is None
    if unknown and learned is not None and isinstance(source, ArraySource):
        source.notes = [*source.notes, *describe_mixture(source, learned)]


def check_fit(fit: str | None) -> str | None:
    """Return ``fit`` if it is one.

    Raises:
        DataError: it is not.
    """
    from shoal.images.decoding.fitting import FITS

    if fit is not None and fit not in FITS:
        raise DataError(f"fit must be {', '.join(FITS[:-1])} or {FITS[-1]}, got {fit!r}.")
    return fit


def holds_array(path: str | Path) -> bool:
    """Whether a pile is an array, whose images have one shape and are not brought to another.

    Raises:
        DataError: nothing there, or an unknown format.
    """
    return hasattr(_format(location(path), None), "load_array")


def _check_size(size: int | None) -> None:
    if size is not None and size not in SIZES:
        offered = ", ".join(map(str, SIZES[:-1]))
        raise DataError(f"size must be {offered} or {SIZES[-1]}, got {size}.")


def _format(path: Path, array: str | None) -> ModuleType:
    module = next((module for module in _formats() if module.accepts(path)), None)
    if module is None:
        if not path.exists() and not is_remote(path):
            raise DataError(f"{path}: no such file or folder; check the path.")
        lists = "" if is_remote(path) else ", or a .csv or .txt list of paths"
        raise DataError(
            f"{path} is not a pile of images; give a folder of images, a .zip, .tar, .parquet, "
            f".npy or .npz file{lists}."
        )
    if array is not None and not hasattr(module, "load_array"):
        raise DataError(f"array is only for .npz files, got array={array!r} with {path}.")
    return module


def write_skipped(source: ImageSource, path: Path) -> None:
    """Write the files that were left out of a pile as CSV (id, reason), if there are any.

    An older list at ``path`` is always replaced; another file only if there is a new list.

    Raises:
        OutputError: the file cannot be written.
    """
    from shoal.images.csv_files import write_rows

    header = ["id", "reason"]
    older = path.is_file() and path.read_bytes().startswith(b"id,reason\n")
    if source.skipped or older:
        write_rows(path, header, source.skipped)
