"""A folder of image files in a store, nested to any depth; see `shoal.images.remote`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

from shoal.errors import DataError
from shoal.images.archives import Member as Entry
from shoal.images.archives import list_archives, needs_head
from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.file_kinds import HEAD, suffix_of
from shoal.images.file_names import SUFFIXES, is_archive
from shoal.images.left_out import LONGEST_MARK, MARK, is_mark_of_shoal
from shoal.images.originals import EncodedOriginals
from shoal.images.remote.files import content_of, contents_of
from shoal.images.remote.listing import below, check_lists, stamp
from shoal.images.remote.location import Location
from shoal.protocols import ImageSource, Track

_FILES = SUFFIXES | {".npy", ".npz", ".parquet", ".arrow", ".csv", ".txt", ".tsv", ".pth", ".pt"}
_KEPT = 8
"""So many originals are kept: a page asks for the same one more than once."""


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a place in a store that is not named like a file."""
    if not isinstance(path, Location):
        return False
    name = path.name.rpartition(":")[0] or path.name
    return not is_archive(name) and suffix_of(name) not in _FILES


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode the images below a folder in a store, see `decode_pile`.

    Ids, order and classes are those of the same folder on this machine.

    Raises:
        DataError: the store has no listing, gives none, or there are no images that can be read.
    """
    assert isinstance(path, Location)
    check_lists(path)
    if wanted.channels is not None:
        raise DataError(
            f"channels must be left out for a folder in a store, got {wanted.channels!r}; copy the "
            "folder to this machine."
        )
    files = below(path)
    return decode_pile(
        str(path),
        stamp("folder", files),
        partial(_list, path, files),
        wanted,
        originals=partial(_originals, path),
    )


def _list(folder: Location, files: Sequence[Location], track: Track) -> Listing:
    names = [_name(folder, file) for file in files]
    heads = _heads(files, names)
    entries = [
        Entry(name, file, head=heads.get(name, b""), of_shoal=_is_of_shoal(name, heads))
        for name, file in zip(names, files, strict=True)
    ]
    listing = list_archives(
        folder, [folder], [(folder, entries)], lambda _, entry: content_of(entry.place)
    )
    by_name = dict(zip(names, files, strict=True))
    images = [by_name[name] for name in listing.names]
    return Listing(
        listing.names,
        partial(_contents, images),
        lambda row: content_of(images[row]),
        listing.left_out,
        listing.classes,
    )


def _contents(images: Sequence[Location]) -> Iterator[Encoded]:
    return contents_of(images)


def _heads(files: Sequence[Location], names: Sequence[str]) -> dict[str, bytes]:
    """The content of files whose names do not tell what they are, by name."""
    asked = [
        (name, file)
        for name, file in zip(names, files, strict=True)
        if needs_head(name) or name.rpartition("/")[2] == MARK
    ]
    heads: dict[str, bytes] = {}
    limits = [LONGEST_MARK if name.rpartition("/")[2] == MARK else HEAD for name, _ in asked]
    contents = contents_of([file for _, file in asked], limits)
    for (name, _), content in zip(asked, contents, strict=True):
        heads[name] = content if isinstance(content, bytes) else b""
    return heads


def _is_of_shoal(name: str, heads: dict[str, bytes]) -> bool:
    return name.rpartition("/")[2] == MARK and is_mark_of_shoal(heads.get(name, b""))


def _name(folder: Location, file: Location) -> str:
    return file.key.removeprefix(folder.key).lstrip("/")


def _originals(folder: Location, names: Sequence[str]) -> EncodedOriginals:
    """Nothing is listed to show an image: its id says where it is."""
    return EncodedOriginals(folder, partial(_known, folder, names), names)


def _known(folder: Location, names: Sequence[str], track: Track) -> Listing:
    @lru_cache(_KEPT)
    def fetch(row: int) -> Encoded:
        content = content_of(folder / names[row])
        file, mark, member = names[row].rpartition("#")
        if not mark or not isinstance(content, Unreadable):
            return content
        content = content_of(folder / file)
        if isinstance(content, bytes):
            return Member(content, member, suffix_of(file))
        return content

    return Listing(names, lambda: map(fetch, range(len(names))), fetch)
