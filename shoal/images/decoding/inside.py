"""What is inside a file: the names of the images in one that holds several.

Worker processes import this module, so it imports neither torch nor much of shoal.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from shoal.images.decoding.file import reason_of
from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.file_kinds import suffix_of
from shoal.images.readers import reader_of, video
from shoal.images.within import Within


class Image(NamedTuple):
    """An image within a file."""

    row: int
    """Of the file."""
    member: str = ""
    suffix: str = ""
    """Of the file's name, if a reader needs it; empty if Pillow reads the file."""
    fault: str = ""
    by_reader: bool = False
    """Whether a reader of `shoal.images.readers` reads it."""
    n_joined: int = 0
    """How many pages were taken for its channels, though the file does not say that they are."""
    n_alike: int | None = None
    """How many frames of its video are left out as near-identical; None: it is of no video."""


def look(within: Within, file: tuple[str, int, Encoded]) -> list[Image]:
    """The images of a file."""
    name, row, content = file
    suffix = suffix_of(name.rpartition("/")[2])
    if isinstance(content, Unreadable | Member):
        return [Image(row, by_reader=isinstance(content, Member))]
    try:
        members, n_joined, n_alike = _members(content, suffix, within)
    except Exception as error:  # noqa: BLE001 - of a damaged file, anything
        return [Image(row, fault=reason_of(error, content))]
    return (
        [Image(row)]
        if members is None
        else [Image(row, one, suffix, "", True, n_joined, n_alike) for one in members]
    )


def _members(
    content: Path | bytes, suffix: str, within: Within
) -> tuple[list[str] | None, int, int | None]:
    """The names of the images in a file, None if Pillow reads it; `Image.n_joined`, `n_alike`."""
    if suffix in video.ANIMATIONS:
        return _frames(content, within) if video.is_animation(content) else (None, 0, None)
    reader = reader_of(content, suffix)
    if reader is None:
        return None, 0, None
    if reader.SUFFIXES is video.SUFFIXES:
        return _frames(content, within)
    members = reader.members(content, within.pages)
    count = getattr(reader, "n_joined", None)
    if count is None or within.pages != "auto" or members != [""]:
        return members, 0, None
    return members, count(content), None


def _frames(content: Path | bytes, within: Within) -> tuple[list[str], int, int]:
    members, n_alike = video.chosen_members(content, within.every)
    return members, 0, n_alike
