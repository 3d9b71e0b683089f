"""Zip archives of images."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

from shoal.errors import DataError
from shoal.images.archives import (
    ENCRYPTED,
    MOST_BYTES,
    TOO_LARGE,
    Member,
    list_archives,
    needs_head,
)
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.file_kinds import HEAD
from shoal.images.left_out import LONGEST_MARK, MARK, is_mark_of_shoal
from shoal.images.remote.faults import AwayError, StoreError
from shoal.images.remote.location import Location
from shoal.images.shards import shards, stamp
from shoal.images.without_some import readable
from shoal.protocols import ImageSource, Track

_OPEN = 8


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file or a pattern named so, there or not."""
    return path.suffix.lower() == ".zip" and not path.is_dir()


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode the images in a zip file, or in the files that a pattern means, see `decode_pile`.

    For ids, order and classes see `list_archives`.

    Raises:
        DataError: no whole zip file, an encrypted one, or no images that can be read.
    """
    files = shards(path)
    return decode_pile(str(path), stamp("zip", files), partial(_list, path, files), wanted)


def _list(path: Path, files: Sequence[Path], track: Track) -> Listing:
    opened = lru_cache(_OPEN)(_open)  # evicted, an archive is closed, as nobody else holds it

    def read(file: Path, member: Member) -> Encoded:
        info: zipfile.ZipInfo = member.place
        try:
            with opened(file).open(info) as content:
                # Not read(): a bomb may hold more than the table of contents says.
                return content.read(info.file_size)
        except AwayError:
            raise
        except StoreError as error:
            return Unreadable(error.reason)
        except Exception as error:  # noqa: BLE001 - of a damaged member, anything
            lines = str(error).splitlines() or [type(error).__name__]
            return Unreadable(f"damaged in the archive ({lines[0]})")

    good, members, left_out = readable(files, lambda file: _members(opened(file)))
    return list_archives(path, files, list(zip(good, members, strict=True)), read, left_out)


def _open(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file.open() if isinstance(file, Location) else file)
    except StoreError:
        raise
    except Exception as error:  # broken tables raise whatever they happen to hit
        raise DataError(
            f"{file} is truncated, damaged or not a zip file; copy or download it again."
        ) from error


def _members(archive: zipfile.ZipFile) -> list[Member]:
    return [
        _member(archive, info)
        for info in archive.infolist()
        if not info.filename.endswith("/")  # not is_dir(): a damaged name may be empty
    ]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    name, fault = info.filename, _fault(info)
    if name.rpartition("/")[2] == MARK and not fault:
        return Member(name, info, of_shoal=is_mark_of_shoal(_head(archive, info, LONGEST_MARK)))
    if not needs_head(name):
        return Member(name, info, fault)
    return Member(name, info, fault, head=b"" if fault else _head(archive, info, HEAD))


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    try:
        with archive.open(info) as content:
            return content.read(size)
    except StoreError:
        raise
    except Exception:  # noqa: BLE001 - of a damaged member, anything
        return b""


def _fault(info: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link"
    if info.flag_bits & 0x1:
        return ENCRYPTED
    return TOO_LARGE if info.file_size > MOST_BYTES else ""
