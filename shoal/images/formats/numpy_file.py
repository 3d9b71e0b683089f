"""NumPy files: `.npy`, memory-mapped, and `.npz`, which is read into memory."""

from __future__ import annotations

import hashlib
import lzma
import mmap
import shlex
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import DataError, OutputError
from shoal.images import cache
from shoal.images.array import ArraySource
from shoal.images.array_axes import axis_of_channels, check_shape
from shoal.images.array_pixels import (
    block_to_levels,
    count_beyond,
    describe_beyond,
    describe_missing,
    find_bounds,
    knowing,
    levels_type,
    with_eight_bits,
)
from shoal.images.cache_file import Index
from shoal.images.checks import check_n_clusters
from shoal.images.decoding.listing import Wanted
from shoal.images.pixel_range import ChannelBounds, PixelRange
from shoal.images.remote.copies import here
from shoal.images.remote.location import split_name
from shoal.images.shards import stamp
from shoal.protocols import Array, ImageSource

CONVERT = 256 * 2**20
"""Bytes from which a `.npy` file of another type than uint8 is converted on disk, not in memory."""
_BLOCK = 16 * 2**20
# A header is Python's text, which numpy parses twice; and it may announce more than there is.
_DAMAGED = (
    ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, SyntaxError,
    tokenize.TokenError, MemoryError, RecursionError, OverflowError, TypeError, KeyError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file named so, there or not."""
    file, _ = split_name(path, (".npz",))
    return file.suffix.lower() in (".npy", ".npz") and not file.is_dir()


def check_wanted(path: Path, wanted: Wanted) -> None:
    """Raise if a `.npy` file cannot be what is wanted, by its head alone.

    Raises:
        DataError: see `open_images`; or fewer images than clusters.
    """
    if path.suffix.lower() == ".npy":
        _, images, _ = _array_of(path, wanted)
        if len(images):
            check_n_clusters(wanted.n_clusters, len(images))


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Open the images of a NumPy file. See `open_source` and `array_pixels.check_images`.

    A `.npy` file is never read as a whole. A file of uint8 is memory-mapped. A large file of any
    other type is converted once, block by block, and kept in the cache, see `shoal.images.cache`.

    Raises:
        DataError: see `load_array`; or the images are to have another size.
    """
    array, _, wanted = _array_of(path, wanted)
    if isinstance(array, np.memmap) and array.dtype != np.uint8 and array.nbytes > CONVERT:
        return _converted(path, array, wanted)
    return ArraySource(
        array, name=str(path), path=path, pixel_range=wanted.pixel_range,
        notes=_axis_note(array, wanted), channels=wanted.channels,
    )  # fmt: skip


def _array_of(path: Path, wanted: Wanted) -> tuple[Array, Array, Wanted]:
    """The array of a file, the same as images, and what is wanted, with the axis of channels."""
    array = load_array(path, wanted.array)
    axis = axis_of_channels(array.shape, str(path), wanted.channels, wanted.image_shape)
    wanted = replace(wanted, channels=axis)
    images = check_shape(array, str(path), wanted.channels)
    if wanted.size is not None and images.shape[1:3] != (wanted.size, wanted.size):
        raise DataError(
            f"size is only for image files, got size={wanted.size} with {path}, an array of shape "
            f"{array.shape}; leave it out."
        )
    _check_for_files(path, wanted)
    return array, images, wanted


def _check_for_files(path: Path, wanted: Wanted) -> None:
    """Raise if something is asked that only files have.

    Raises:
        DataError: frames, pages or a fit.
    """
    every, pages = wanted.within.every, wanted.within.pages
    fit = None if wanted.image_shape is not None else wanted.fit  # else it is the checkpoint's
    for asked, what in (
        (every and f"every={every}", "every is only for videos and animated pictures"),
        (pages != "auto" and f"pages={pages}", "pages is only for files with several pages"),
        (fit and f"fit={fit}", "fit is only for image files"),
    ):
        if asked:
            raise DataError(f"{what}, got {asked} with {path}, an array; leave it out.")


def _axis_note(array: Array, wanted: Wanted) -> list[str]:
    if array.ndim == 4 and wanted.channels == "first":
        return [f"channels first: {array.shape[1]} channels of {array.shape[2]} × {array.shape[3]}"]
    return []


def _converted(path: Path, array: Array, wanted: Wanted) -> ImageSource:
    """`array_pixels.to_pixels` of an array that may be larger than memory, block by block."""
    name = str(path)
    images = check_shape(array, name, wanted.channels)
    question = f"{stamp('npy', [here(path)])} 3 {wanted.pixel_range} {wanted.channels}"
    key = hashlib.sha256(question.encode()).hexdigest() if wanted.cache else None
    kept = cache.load(key) if key else None
    if kept is None:
        step = max(1, _BLOCK // array[:1].nbytes)
        starts = range(0, len(array), step)

        def blocks(description: str) -> Iterator[Array]:
            for start in wanted.track(starts, description, len(starts)):
                yield np.asarray(images[start : start + step])
                _give_back(array)

        if array.dtype.kind == "b":
            bounds: ChannelBounds = (0.0, 1.0)
            learned = with_eight_bits(wanted.pixel_range)
            dtype = np.dtype(np.uint8)
        else:
            bounds = find_bounds(blocks("checking"), array.size, name, wanted.pixel_range)
            learned = knowing(wanted.pixel_range, array.dtype, bounds)
            dtype = levels_type(array.dtype, wanted.pixel_range, bounds)

        def fill(write: Callable[[Any], Any]) -> Index:
            n_missing, n_beyond = [0, 0], 0
            for block in blocks("converting"):
                pixels, (more, in_images) = block_to_levels(block, bounds, dtype)
                n_missing = [n_missing[0] + more, n_missing[1] + in_images]
                n_beyond += count_beyond(block, bounds)
                write(np.ascontiguousarray(pixels).data)
            if n_missing[0] == array.size:
                raise DataError(f"{name}: all pixels are NaN or infinite.")
            about = {
                "missing": n_missing, "beyond": n_beyond, "pixel_range": learned.to_json()
            }  # fmt: skip
            return {"shape": list(images.shape), "dtype": str(dtype), **about}

        kept = cache.keep(key, array.size * dtype.itemsize, fill)
    pixel_range = PixelRange.from_json(kept.index["pixel_range"])
    notes = [
        *_axis_note(array, wanted), kept.note, *pixel_range.describe(wanted.pixel_range),
        *describe_missing(kept.index["missing"]),
        *describe_beyond(kept.index.get("beyond", 0), len(array)),
    ]  # fmt: skip
    return ArraySource(
        kept.pixels,
        as_levels=True,
        name=name,
        path=path,
        notes=notes,
        rows=kept.rows,
        pixel_range=None if wanted.pixel_range is None else pixel_range,
    )


def _give_back(array: Array) -> None:
    """Give what was read of a read-only memory map back to the system.

    The array stays readable. Not on Windows, which takes pages back by itself.
    """
    base: Any = array.base
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def load_array(path: Path, name: str | None = None, axes: Sequence[int] = (3, 4)) -> Array:
    """The array of a `.npy` file, or an array of a `.npz` file. Never unpickles.

    Args:
        path: the file; ``file.npz:NAME`` names one of several arrays.
        name: the name of the array, if the path has none.
        axes: how many the array has that is wanted: of several arrays the only such one is taken.
            That of a `.npy` file, and the only one of a `.npz` file, is taken in any case.

    Raises:
        DataError: missing, unreadable, truncated or pickled, or several arrays and no name.
    """
    file, key = split_name(path, (".npz",))
    key = key if name is None else name
    if name is not None and file.suffix.lower() != ".npz":
        raise DataError(f"array is only for .npz files, got array={name!r} with {path}.")
    try:
        local = here(file)
        with local.open("rb") as opened:
            start = opened.read(6)
        if start[:2] not in (b"\x93N", b"PK"):
            raise DataError(f"{file} is not a NumPy file{_what(start)}; check the path.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an absurd size in the header overflows, then fails
            loaded: Any = np.load(local, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return np.asarray(loaded[_pick(file, loaded.files, key, axes)])
    except FileNotFoundError:
        raise DataError(f"{file}: no such file; check the path.") from None
    except PermissionError:
        raise DataError(f"{file}: permission denied; make it readable.") from None
    except (DataError, OutputError):
        raise
    except _DAMAGED as error:
        if "pickle" in str(error) or "Python object" in str(error):
            raise DataError(
                f"{file} holds pickled Python objects, which are not loaded because they can run "
                "code; save an array of plain numbers instead."
            ) from error
        raise DataError(f"{file} is truncated or damaged; save or download it again.") from error


def _what(start: bytes) -> str:
    """The kind of a file that begins so, for a message."""
    if not start:
        return ": it is empty"
    return ": it is a Python pickle, which can run code" if start[:1] == b"\x80" else ""


def _pick(file: Path, names: Sequence[str], key: str | None, axes: Sequence[int]) -> str:
    """Which array of a file is meant, see `load_array`."""
    if key is not None and key in names:
        return key
    if not names:
        raise DataError(f"{file} holds no array; save one with np.savez.")
    shapes = {name: shape_of(file, name) for name in names}
    fitting = [name for name, shape in shapes.items() if len(shape or ()) in axes]
    if key is None and 1 in (len(names), len(fitting)):
        return names[0] if len(names) == 1 else fitting[0]
    there = ", ".join(f"{name} {shape or 'unknown'}" for name, shape in list(shapes.items())[:10])
    if key is None and not fitting:
        wanted = f"{' or '.join(map(str, axes))} {'axis' if axes == (1,) else 'axes'}"
        raise DataError(f"{file} holds no array of {wanted}, only {there}.")
    problem = f"several arrays ({there})" if key is None else f"no array {key!r}, only {there}"
    typed = shlex.quote(f"{file}:{(fitting or names)[0]}")
    raise DataError(f"{file} holds {problem}; name one, such as {typed}.")


def shape_of(file: Path, name: str) -> tuple[int, ...] | None:
    """The shape of an array, from its header: no array is read to choose one of them.

    None if it cannot be told.
    """
    try:
        with zipfile.ZipFile(here(file)) as archive, archive.open(f"{name}.npy") as member:
            version = np.lib.format.read_magic(member)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape: tuple[int, ...] = read(member)[0]
            return shape
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, zlib.error):
        return None
