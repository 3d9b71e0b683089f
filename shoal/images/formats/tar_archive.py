"""Tar archives of images, compressed or not, and WebDataset shards, which are tar archives."""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from shoal.errors import DataError, OutputError
from shoal.images import without_some
from shoal.images.archives import MOST_BYTES, TOO_LARGE, Member, list_archives, needs_head
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.disk import shown, temporary_folder
from shoal.images.file_kinds import HEAD, image_suffix
from shoal.images.file_names import ARCHIVES, is_image
from shoal.images.files import reason_of
from shoal.images.left_out import LONGEST_MARK, MARK, LeftOut, is_mark_of_shoal
from shoal.images.remote.faults import AwayError, StoreError
from shoal.images.remote.location import Location, is_remote
from shoal.images.remote.placed import PlacedOriginals
from shoal.images.shards import bytes_of, shards, stamp
from shoal.images.webdataset import as_samples
from shoal.protocols import ImageSource, Track

_SUFFIXES = tuple(suffix for suffix in ARCHIVES if suffix != ".zip")
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_IN_MEMORY = 2**24
_STEP = 2**20
_OPEN = 8
_LONGEST_LABEL = 200
_REST = "what follows the end of the archive"
_NO_TAR = "neither a tar archive nor a part of one"


class _Place(NamedTuple):
    """Where a member's bytes are: in the archive itself, or, unpacked, in the temporary file."""

    unpacked: bool
    offset: int
    size: int


class _Strict(tarfile.TarInfo):
    """A broken header in the middle of an archive is an error, not its end.

    Behind an end another archive may follow, as ``cat a.tar b.tar`` leaves it; what else is there
    is no part of the archive.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:  # type: ignore[override]
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            archive.ended = True  # type: ignore[attr-defined]
            raise
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            if getattr(archive, "ended", False) and not getattr(archive, "followed", False):
                archive.followed = True  # type: ignore[attr-defined]
                raise tarfile.EmptyHeaderError(str(error)) from error  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error
        except tarfile.TruncatedHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file or a pattern named so, there or not."""
    return path.name.lower().endswith(_SUFFIXES) and not path.is_dir()


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode the images in a tar file, or in the files that a pattern means, see `decode_pile`.

    For ids, order and classes see `list_archives`. In WebDataset shards, where ``KEY.cls``,
    ``KEY.json`` or ``KEY.txt`` stands beside ``KEY.jpg``, a sample has one image, that with the
    shortest ending, and ``KEY.cls`` is its class; nothing else of a sample is read.

    The images of a compressed archive are first copied to a temporary file, which is gone at the
    end: they could not be read in order otherwise.

    Raises:
        DataError: no whole tar file, or no images in it that can be read.
        OutputError: no room for the temporary file.
    """
    files = shards(path)
    remote = [file for file in files if isinstance(file, Location)]
    return decode_pile(
        str(path),
        stamp("tar", files),
        partial(_list, path, files),
        wanted,
        placed=partial(PlacedOriginals, path, remote) if remote else None,
    )


def _list(path: Path, files: Sequence[Path], track: Track) -> Listing:
    folder: str | None = None
    with contextlib.suppress(OutputError):  # where it is needed, and is not there, _append says so
        folder = str(temporary_folder())
    spool = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=folder)  # noqa: SIM115 - the listing's own
    opened = lru_cache(_OPEN)(_open)  # evicted, a file is closed

    def read(file: Path, member: Member) -> Encoded:
        place: _Place = member.place
        source: Any = spool if place.unpacked else opened(file)
        try:
            source.seek(place.offset)
            return bytes(source.read(place.size))
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror}.") from error
        except AwayError:
            raise
        except StoreError as error:
            return Unreadable(error.reason)

    weakref.finalize(read, spool.close)
    archives, left_out = _all_members(files, spool, track)
    places = [member.place for _, members in archives for member in members if member.place]
    in_order = is_remote(path) and not any(place.unpacked for place in places)
    return list_archives(path, files, archives, read, left_out, _range_of if in_order else None)


def _range_of(place: _Place) -> tuple[int, int]:
    return place.offset, place.size


def _open(file: Path) -> IO[bytes]:
    return file.open("rb")


def _all_members(
    files: Sequence[Path], spool: IO[bytes], track: Track
) -> tuple[list[tuple[Path, list[Member]]], list[LeftOut]]:
    """The members of every file, with progress by how much of the files was gone through.

    And those of several files that cannot be read.
    """
    archives: list[tuple[Path, list[Member]]] = []
    left_out: list[LeftOut] = []

    def steps() -> Iterator[int]:
        for file in files:
            members: list[Member] = []
            done = 0
            try:
                for member, position in _members(file, spool):
                    members.append(member)
                    while done < position // _STEP:
                        done += 1
                        yield done
                archives.append((file, as_samples(members)))
            except DataError as error:
                left_out.append(without_some.left_out_of(file, files, error))
            yield done
        without_some.check_any(archives, left_out)

    total = sum(bytes_of(file) // _STEP + 1 for file in files)
    for _ in track(steps(), "reading", total):
        pass
    return archives, left_out


def _members(file: Path, spool: IO[bytes]) -> Iterator[tuple[Member, int]]:
    """The members of an archive, without folders, each with the place reached in the file."""
    try:
        with file.open("rb") as raw:
            compressed = raw.read(6).startswith(_COMPRESSED)
            raw.seek(0)
            places: dict[str, _Place] = {}
            with tarfile.open(
                fileobj=raw, mode="r:*", tarinfo=_Strict, ignore_zeros=True
            ) as archive:
                while (info := archive.next()) is not None:
                    archive.members = []  # type: ignore[attr-defined]  # else it keeps them all
                    if not info.isdir():
                        target = spool if compressed else None
                        yield _member(archive, info, places, target), raw.tell()
                if getattr(archive, "followed", False):
                    yield Member(_REST, fault=_NO_TAR), raw.tell()
    except (OutputError, StoreError):
        raise
    except Exception as error:  # tarfile lets pass what zlib, lzma, struct and others raise
        raise DataError(
            f"{file} is truncated, damaged or not a tar file; copy or download it again."
        ) from error


def _member(
    archive: tarfile.TarFile,
    info: tarfile.TarInfo,
    places: dict[str, _Place],
    spool: IO[bytes] | None,
) -> Member:
    name = info.name
    if name.endswith(".cls") and info.isreg() and info.size <= _LONGEST_LABEL:
        return Member(name, label=_content(archive, info).decode("utf-8", "replace").strip())
    if name.rpartition("/")[2] == MARK and info.isreg() and info.size <= LONGEST_MARK:
        return Member(name, of_shoal=is_mark_of_shoal(_content(archive, info)))
    head, opened = b"", None
    if needs_head(name):
        if info.isreg() and not info.issparse():
            opened = archive.extractfile(info)
            head = opened.read(HEAD) if opened is not None else b""
            if not image_suffix(head):
                return Member(name, head=head)
    elif not is_image(name):
        return Member(name)
    if info.islnk() and info.linkname in places:  # a file that was packed before, by another name
        return Member(name, places[info.linkname], head=b"\xff\xd8\xff")
    if not info.isreg() or info.issparse():
        kind = "a link" if info.issym() or info.islnk() else "not an ordinary file"
        return Member(name, fault=kind)
    if info.size > MOST_BYTES:
        return Member(name, fault=TOO_LARGE)
    if spool is None:
        places[name] = _Place(False, info.offset_data, info.size)
    else:
        # Read on where the head ended: to seek back in a compressed archive is to begin it anew.
        content = _content(archive, info) if opened is None else head + opened.read()
        places[name] = _Place(True, _append(spool, content), info.size)
    return Member(name, places[name], head=head)


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(info)
    return opened.read() if opened is not None else b""


def _append(spool: IO[bytes], content: bytes) -> int:
    try:
        start = spool.seek(0, 2)
        spool.write(content)
    except OSError as error:
        raise OutputError(
            f"cannot unpack the compressed archive to {shown(temporary_folder())}: "
            f"{reason_of(error)}; free some space, or let TMPDIR name a folder with more."
        ) from error
    return start
