"""Files that are the channels of one image: which of them belong together, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shoal.errors import DataError
from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.decoding.listing import Listing
from shoal.images.file_names import classes_of
from shoal.images.left_out import LeftOut
from shoal.images.readers.channel_files import BETWEEN
from shoal.images.readers.raw import MOST_CHANNELS

_NO_MATCH = "its name does not match the pattern of channels"
_EXAMPLE = "{id}_Ch{channel}.tif"


def is_pattern(channels: str | None) -> bool:
    """Whether ``channels`` is a pattern of file names, not the axis of an array.

    >>> is_pattern("{id}_Ch{channel}.tif"), is_pattern("first"), is_pattern(None)
    (True, False, False)
    """
    return channels is not None and channels not in ("first", "last")


@dataclass(frozen=True)
class Grouped:
    """Images of several files each."""

    ids: list[str]
    files: list[list[str]]
    """For each image the file of each channel; empty where it has none."""
    channels: list[str]
    """In natural order: 2 before 10."""
    unmatched: list[str]

    def note(self, pattern: str) -> str:
        """What was found, for a person."""
        return (
            f"channels {', '.join(self.channels)}, in this order, from the files {pattern}; "
            f"ids are what stands for {{id}}"
        )

    def listing(self, folder: Path, left_out: Sequence[LeftOut]) -> Listing:
        """The images, each with its files."""
        fetch = partial(_fetch, folder, self)
        left = [*left_out, *(LeftOut(name, _NO_MATCH, "files") for name in self.unmatched)]
        return Listing(
            self.ids, partial(map, fetch, range(len(self.ids))), fetch, left, classes_of(self.ids)
        )


def _fetch(folder: Path, grouped: Grouped, row: int) -> Encoded:
    files = grouped.files[row]
    missing = [channel for channel, name in zip(grouped.channels, files, strict=True) if not name]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        return Unreadable(f"no file of its channel{plural} {', '.join(missing)}")
    return Member(folder, BETWEEN.join(files), ".channels")


def group(names: Sequence[str], pattern: str, where: str) -> Grouped:
    """Files by the image that they are a channel of.

    Args:
        names: of the files, relative to the folder, with ``/``.
        pattern: such as ``{id}_Ch{channel}.tif``. As many folders of a name as the pattern has are
            compared with it; those before belong to the id.
        where: the folder, for messages.

    Raises:
        DataError: no name matches the pattern, or it lacks ``{id}`` or ``{channel}``.

    >>> grouped = group(["a/1_Ch10.tif", "a/1_Ch2.tif", "b.txt"], "{id}_Ch{channel}.tif", "x")
    >>> grouped.ids, grouped.channels, grouped.files
    (['a/1'], ['2', '10'], [['a/1_Ch2.tif', 'a/1_Ch10.tif']])
    """
    compiled = _compiled(pattern)
    found: dict[str, dict[str, str]] = {}
    unmatched: list[str] = []
    for name in names:
        match = compiled.fullmatch(name)
        if match is None:
            unmatched.append(name)
        else:
            found.setdefault((match["before"] or "") + match["id"], {})[match["channel"]] = name
    if not found:
        first = f" (the first is {names[0]!r:.80})" if names else ""
        raise DataError(
            f"channels={pattern!r} matches none of the {len(names):,} files of {where}{first}; "
            f"write what their names have in common, such as {_EXAMPLE!r}."
        )
    channels = sorted({channel for files in found.values() for channel in files}, key=_natural)
    if len(channels) > MOST_CHANNELS:
        raise DataError(
            f"channels={pattern!r} finds {len(channels):,} channels ({', '.join(channels[:5])}, …) "
            f"in {where}; an image may have {MOST_CHANNELS}."
        )
    files = [[of_image.get(channel, "") for channel in channels] for of_image in found.values()]
    return Grouped(list(found), files, channels, unmatched)


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w*\})", pattern)
    if sorted(parts[1::2]) != ["{channel}", "{id}"]:
        raise DataError(
            "channels must be first or last, for an array, or a pattern with {id} and {channel}, "
            f"each once, such as {_EXAMPLE!r}, got {pattern!r}."
        )
    groups = {"{id}": "(?P<id>[^/]+)", "{channel}": "(?P<channel>[^/]+)"}
    written = "".join(groups.get(part) or re.escape(part) for part in parts)
    return re.compile(f"(?P<before>(?:.*/)?){written}", re.DOTALL)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """The key that sorts 2 before 10, and numbers before words."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]
