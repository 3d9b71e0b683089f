"""Zarr: an array of images, an image, or OME-Zarr images with their axes.

A store is a folder. Axes are those that OME or the names of the dimensions tell; else the shape
tells: (y, x), (y, x, c), (c, y, x), (n, y, x), (n, y, x, c) or (n, c, y, x), where channels are
few. Of a pyramid the largest level is read. Nothing is fetched, and nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.images.readers._axes import MOST_IMAGES, axes_of, names_of, place_of
from shoal.images.readers._planes import MOST_BYTES, check_size
from shoal.images.readers._reasons import reasons
from shoal.images.readers.raw import Content, Pages, Raw, ReasonError, needs_extra

SUFFIXES = frozenset((".zarr",))
EXTRA = "scientific"
LIBRARIES = ("zarr",)
_MARKS = ("zarr.json", ".zarray", ".zgroup")
_KEPT_BYTES = 64 * 2**20
"""Of images that share a chunk, the chunk is decoded once if it has no more bytes than this."""
_last = threading.local()


def recognises(head: bytes) -> bool:
    """Never: a store is a folder."""
    return False


def is_store(path: Path) -> bool:
    """Whether a folder is a Zarr store, or an array or a group within one."""
    return any((path / mark).is_file() for mark in _MARKS)


def stamp(path: Path) -> str:
    """A digest of the names, sizes and times of change of all files of a store."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(path)))
    for base, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            about = os.stat(os.path.join(base, name))
            what = f"{base}/{name}\0{about.st_size}\0{about.st_mtime_ns}\0"
            digest.update(os.fsencode(what))
    return digest.hexdigest()


def members(content: Content, pages: Pages = "auto") -> list[str]:
    """The names of the images: ``['']``, ``['image=0', …]`` or, by axes, ``['t=0_z=3', …]``."""
    with _opened(content) as root:
        names: list[str] = []
        arrays = _arrays(root)
        for array in arrays:
            axes = axes_of(array.shape, array.axes, pages)
            own = names_of(array.shape, axes)
            names += own if len(arrays) == 1 else [_within(array.key, name) for name in own]
            if len(names) > MOST_IMAGES:
                raise ReasonError(f"{len(names):,} images")
        return names


def members_with_axes(content: Content, axes: str) -> list[str]:
    """The names of the images of an array whose axes are known."""
    with _opened(content) as root:
        arrays = _arrays(root)
        if len(arrays) > 1:
            raise ReasonError("several images, which tell themselves what their axes are")
        return names_of(arrays[0].shape, axes)


def read(content: Content, member: str = "", *, side: int | None = None) -> Raw:
    """One image. ``@nyxc`` behind its name tells the axes, for an array that does not."""
    with _opened(content) as root:
        member, _, told = member.partition("@")
        ways: tuple[Pages, ...] = ("auto", "images", "channels")
        for array, name in _candidates(root, member):
            for pages in ways:
                axes = told or axes_of(array.shape, array.axes, pages)
                place = place_of(array.shape, axes, name)
                if place is not None:
                    return _image(content, array, axes, place)
        raise ReasonError(f"no image {member} in it")


def _candidates(root: Any, member: str) -> Iterator[tuple[Array, str]]:
    """The arrays that an image may be in, and its name within each.

    The array that its name tells comes first: opening all those of a plate takes seconds.
    """
    key, _, name = member.partition(":")
    told = root.get(key) if key and hasattr(root, "groups") else None
    if hasattr(told, "groups"):
        yield from ((_checked(one), name) for one in _ome_images(told, key, 0))
    arrays = _arrays(root)
    for one in arrays:
        if len(arrays) == 1:
            yield one, "" if member == one.key else member
        elif member == one.key or member.startswith(f"{one.key}:"):
            yield one, member[len(one.key) + 1 :]


@dataclass(frozen=True)
class Array:
    """An array of a store, and what its axes are called; empty where the store does not say."""

    key: str
    values: Any
    axes: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape)


@contextmanager
def _opened(content: Content) -> Iterator[Any]:
    """The array or group of a store.

    Raises:
        ValueError: it cannot be read; the message is the reason.
        ModuleNotFoundError: zarr is not installed.
    """
    try:
        import zarr
    except ModuleNotFoundError:
        raise needs_extra("Zarr", EXTRA) from None
    if isinstance(content, bytes):
        raise ReasonError("a Zarr store is a folder; give it by itself")
    with reasons("Zarr store", "zarr", "numcodecs", is_file=False):
        yield zarr.open(store=str(content), mode="r")


def _arrays(root: Any) -> list[Array]:
    """The arrays of a store that hold images.

    Raises:
        ReasonError: there are none, or several that are not known to be images.
    """
    if hasattr(root, "dtype"):
        return [_checked(Array("", root, _dimensions(root)))]
    found = list(_ome_images(root, "", 5))
    if not found:
        arrays = [(name, one) for name, one in root.arrays() if _may_hold_images(one)]
        if len(arrays) > 1:
            names = ", ".join(name for name, _ in arrays[:5])
            raise ReasonError(f"several arrays ({names}); give the path of one of them")
        found = [Array(name, one, _dimensions(one)) for name, one in arrays]
    if not found:
        raise ReasonError("a Zarr store without images")
    return [_checked(one) for one in found]


def _ome_images(group: Any, key: str, depth: int) -> Iterator[Array]:
    """The OME images of a group and of those below it."""
    attributes = dict(group.attrs)
    scales = dict(attributes.get("ome") or attributes).get("multiscales")
    if scales:
        axes = "".join(
            str(axis["name"] if isinstance(axis, dict) else axis)[:1].lower()
            for axis in scales[0].get("axes", "tczyx")
        )
        yield Array(key, group[scales[0]["datasets"][0]["path"]], axes)
    elif depth:
        for name, below in group.groups():
            yield from _ome_images(below, f"{key}/{name}" if key else name, depth - 1)


def _dimensions(array: Any) -> str:
    """The names of an array's dimensions, one letter each; empty where there are none."""
    named = getattr(array.metadata, "dimension_names", None)
    named = named or dict(array.attrs).get("_ARRAY_DIMENSIONS") or ()
    axes = "".join(str(name)[:1].lower() for name in named)
    usable = len(axes) == array.ndim == len(set(axes)) and {"y", "x"} <= set(axes)
    return axes if usable else ""


def _may_hold_images(array: Any) -> bool:
    return array.ndim >= 2 and array.dtype.kind in "buif"


def _checked(one: Array) -> Array:
    """The array, if it is safe to read.

    Raises:
        ReasonError: its numbers are of another kind, its chunks are too large, or it is pickled.
    """
    array = one.values
    if not _may_hold_images(array):
        raise ReasonError(f"an array of {array.ndim} dimensions and of type {array.dtype}")
    chunk = math.prod(getattr(array, "shards", None) or array.chunks) * array.dtype.itemsize
    if chunk > MOST_BYTES:
        raise ReasonError(f"chunks of {chunk >> 20:,} MB, more than the {MOST_BYTES >> 20} MB that "
                          "are safe to decode")  # fmt: skip
    if "pickle" in repr(array.metadata).lower():
        raise ReasonError("pickled, which may run a program")
    return one


def _within(key: str, name: str) -> str:
    return f"{key}:{name}" if name else key


def _image(content: Content, array: Array, axes: str, place: dict[str, int]) -> Raw:
    sizes = dict(zip(axes, array.shape, strict=True))
    check_size(sizes["y"], sizes["x"], sizes.get("c", 1), array.values.dtype.itemsize)
    pixels = _cut(content, array, axes, place)
    kept = [axis for axis in axes if axis in "yxc"]
    if "c" not in kept:
        pixels, kept = pixels[..., None], [*kept, "c"]
    return Raw(np.ascontiguousarray(pixels.transpose([kept.index(axis) for axis in "yxc"])))


def _cut(content: Content, array: Array, axes: str, place: dict[str, int]) -> np.ndarray[Any, Any]:
    """The part of the array at a place; a chunk of several images is kept for the next of them."""
    where = tuple(place.get(axis, slice(None)) for axis in axes)
    if not place or axes[0] not in place:
        return np.asarray(array.values[where])
    step = (getattr(array.values, "shards", None) or array.values.chunks)[0]
    n_bytes = step * math.prod(array.shape[1:]) * array.values.dtype.itemsize
    if step == 1 or n_bytes > _KEPT_BYTES:
        return np.asarray(array.values[where])
    first = place[axes[0]] // step
    key = (content, array.key, first)
    if getattr(_last, "key", None) != key:
        _last.key = None
        _last.block = np.asarray(array.values[first * step : (first + 1) * step])
        _last.key = key
    block: np.ndarray[Any, Any] = _last.block
    return block[(place[axes[0]] - first * step, *where[1:])]
