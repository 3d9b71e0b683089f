"""Files that hold several images, taken apart: a listing of files becomes one of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.decoding.listing import Listing
from shoal.images.decoding.parallel import in_order
from shoal.images.file_kinds import suffix_of
from shoal.images.file_names import BY_PILLOW
from shoal.images.left_out import LeftOut
from shoal.images.readers import reader_of, video
from shoal.images.within import Within
from shoal.protocols import Track

_TWICE = "a file has the name of this image"
_ONE_IMAGE = BY_PILLOW - {".tif", ".tiff"}
"""Suffixes of files that hold one image, or of which the first counts."""


class _Image(NamedTuple):
    """An image within a file."""

    row: int
    """Of the file."""
    member: str = ""
    suffix: str = ""
    """Of the file's name, if a reader needs it; empty if Pillow reads the file."""
    fault: str = ""


def take_apart(list_files: Callable[[Track], Listing], within: Within, track: Track) -> Listing:
    """The listing of files, with a row for each image of those that hold several.

    Their ids are ``<file>#<member>``. A file that cannot be looked into keeps its row, with the
    reason. The files are looked into in parallel: to choose its frames, a video is decoded once.

    Args:
        list_files: lists the files.
        within: what the images of a file are, where there is a choice.
        track: shows progress.
    """
    files = list_files(track)
    # Rows of a table have no suffixes, and are one image each.
    names = [] if files.kind == "row" else files.names
    asked = [row for row, name in enumerate(names) if _may_hold_several(name, within)]
    if not asked:
        return files
    contents = ((files.names[row], row, files.fetch(row)) for row in asked)
    looked = in_order(partial(_look, within), contents)
    found = dict(zip(asked, track(looked, "looking into files", len(asked)), strict=True))
    return _listing(files, found)


def _may_hold_several(name: str, within: Within) -> bool:
    suffix = name[name.rfind(".") :].lower()  # of a million names, pathlib would take seconds
    if suffix in video.ANIMATIONS:
        return within.every is not None
    return suffix not in _ONE_IMAGE


def _look(within: Within, file: tuple[str, int, Encoded]) -> list[_Image]:
    """The images of a file."""
    name, row, content = file
    suffix = suffix_of(name.rpartition("/")[2])
    if isinstance(content, Unreadable | Member):
        return [_Image(row)]
    try:
        members = _members(content, suffix, within)
    except Exception as error:  # noqa: BLE001 - of a damaged file, anything
        return [_Image(row, fault=_reason(error))]
    return [_Image(row)] if members is None else [_Image(row, one, suffix) for one in members]


def _members(content: Path | bytes, suffix: str, within: Within) -> list[str] | None:
    """The names of the images in a file; None if Pillow reads it."""
    if suffix in video.ANIMATIONS:
        return video.members(content, every=within.every) if video.is_animation(content) else None
    reader = reader_of(content, suffix)
    if reader is None:
        return None
    if reader.SUFFIXES is video.SUFFIXES:
        return video.members(content, every=within.every)
    return reader.members(content, within.pages)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _listing(files: Listing, found: dict[int, list[_Image]]) -> Listing:
    """The listing of the images in files, of which some are known to hold several."""
    images: list[_Image] = []
    names: list[str] = []
    left: list[LeftOut] = []
    taken = set(files.names)
    for row, name in enumerate(files.names):
        for image in found.get(row) or [_Image(row)]:
            own = f"{name}#{image.member}" if image.member else name
            if image.member and own in taken:
                left.append(LeftOut(own, _TWICE))
                continue
            images.append(image)
            names.append(own)
    classes = files.classes
    return Listing(
        names,
        partial(_contents, files, images),
        _Fetch(files, images),
        [*files.left_out, *left],
        None if classes is None else [classes[image.row] for image in images],
        files.kind,
    )


def _contents(files: Listing, images: Sequence[_Image]) -> Iterator[Encoded]:
    """The images in their order; each file is asked for once."""
    contents = enumerate(files.contents())
    for row, of_file in groupby(images, key=lambda image: image.row):
        content = next(content for at, content in contents if at == row)
        for image in of_file:
            yield _encoded(content, image)


class _Fetch:
    """Gives one image. The file is kept, because the next image is mostly in the same file."""

    def __init__(self, files: Listing, images: Sequence[_Image]) -> None:
        self._files = files
        self._images = images
        self._kept: tuple[int, Encoded] | None = None

    def __call__(self, number: int) -> Encoded:
        image = self._images[number]
        kept = self._kept
        if kept is None or kept[0] != image.row:
            kept = self._kept = image.row, self._files.fetch(image.row)
        return _encoded(kept[1], image)


def _encoded(content: Encoded, image: _Image) -> Encoded:
    if image.fault:
        return Unreadable(image.fault)
    if isinstance(content, Unreadable | Member) or not (image.member or image.suffix):
        return content
    return Member(content, image.member, image.suffix)
