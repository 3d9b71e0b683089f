"""A Zarr store: an array of images, an image, or the images of OME-Zarr."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from shoal.errors import DataError
from shoal.images.decoding.form import Encoded, Member
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.readers import zarr_store
from shoal.protocols import ImageSource

_AXES = {"first": "ncyx", "last": "nyxc"}


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a folder with the mark of Zarr."""
    return path.is_dir() and zarr_store.is_store(path)


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode the images of a store, see `readers.zarr_store` and `decode_pile`.

    Ids are row numbers for an array of images, else the names of the images by their axes.

    Raises:
        DataError: it cannot be read, or holds no images.
    """
    if wanted.channels not in (None, "first", "last"):
        raise DataError(f"channels must be first or last for Zarr, got {wanted.channels!r}.")
    axes = _AXES.get(wanted.channels or "", "")
    try:
        if axes:
            members = zarr_store.members_with_axes(path, axes)
        else:
            members = zarr_store.members(path, wanted.within.pages)
    except (ValueError, ModuleNotFoundError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    names = [name.removeprefix("image=") or path.name for name in members]
    fetch = partial(_fetch, path, [f"{name}@{axes}" if axes else name for name in members])
    listing = Listing(names, partial(map, fetch, range(len(names))), fetch, kind="image")
    return decode_pile(str(path), f"{zarr_store.stamp(path)} {axes}", listing.itself, wanted)


def _fetch(path: Path, members: list[str], row: int) -> Encoded:
    return Member(path, members[row], ".zarr")
