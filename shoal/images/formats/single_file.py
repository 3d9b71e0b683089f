"""A single file: a picture; or a video, an animated picture, a TIFF with pages, with several."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.file_names import SUFFIXES
from shoal.images.originals import FileOriginals
from shoal.images.readers import video
from shoal.images.readers.frame_choice import ALL_FRAMES
from shoal.images.remote.copies import here
from shoal.images.remote.location import is_remote
from shoal.images.shards import shards, stamp
from shoal.protocols import ImageSource


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file named so, there or not."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode the images of a file, see `take_apart` and `decode_pile`.

    Ids are ``<name>#<image>``, and the name alone where the file is one image.

    Of an animated picture all frames are taken that differ from the one before, unless
    ``wanted.within`` says otherwise.

    Raises:
        DataError: no such file, or no image in it that can be read.
    """
    if path.suffix.lower() in video.ANIMATIONS and wanted.within.every is None:
        wanted = replace(wanted, within=replace(wanted.within, every=ALL_FRAMES))
    file = here(path)
    listing = Listing([path.name], lambda: [file], lambda _: file, kind="file")
    originals = partial(FileOriginals, path, files={path.name: file})
    return decode_pile(
        str(path),
        stamp("file", shards(path) if is_remote(path) else [path]),
        listing.itself,
        wanted,
        originals=originals,
    )
