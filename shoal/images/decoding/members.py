"""Files that hold several images, taken apart: a listing of files becomes one of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.decoding.listing import Listing
from shoal.images.decoding.parallel import in_order
from shoal.images.decoding.within import Within
from shoal.images.file_kinds import suffix_of
from shoal.images.file_names import SUFFIXES
from shoal.images.left_out import LeftOut
from shoal.images.readers import reader_of
from shoal.images.readers import video
from shoal.protocols import Track

_TWICE = "another file has the name of this image"


class _Row(NamedTuple):
    """An image of the new listing: the row of its file, and its name within the file."""

    file: int
    member: str | None
    """None: the file is the image, and Pillow reads it."""
    suffix: str = ""
    fault: str = ""


def take_apart(list_files: Callable[[Track], Listing], within: Within, track: Track) -> Listing:
    """The listing of files, with each image of those that hold several in a row of its own.

    The ids of these are ``<file>#<member>``. A file that cannot be looked into keeps its row, with
    the reason. A listing of pictures that hold one image each is returned as it is.

    Args:
        list_files: lists the files.
        within: what the images of a file are, where there is a choice.
        track: shows progress.
    """
    files = list_files(track)
    asked = [row for row, name in enumerate(files.names) if _may_hold_several(name, within)]
    if not asked:
        return files
    look = partial(_rows, files, within)
    looked = dict(
        zip(asked, track(in_order(look, asked), "looking into files", len(asked)), strict=True)
    )
    rows: list[_Row] = []
    names: list[str] = []
    left: list[LeftOut] = []
    taken = set(files.names)
    for file, name in enumerate(files.names):
        for row in looked.get(file) or [_Row(file, None)]:
            own = f"{name}#{row.member}" if row.member else name
            if row.member and own in taken:
                left.append(LeftOut(own, _TWICE))
                continue
            taken.add(own)
            rows.append(row)
            names.append(own)
    classes = files.classes
    return Listing(
        names,
        _Contents(files, rows),
        _Fetch(files, rows),
        [*files.left_out, *left],
        None if classes is None else [classes[row.file] for row in rows],
        files.kind,
    )
