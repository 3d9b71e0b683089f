"""The images of a source before they were resized: files, encoded images, or their pixels as PNG.

Each class here is one way to keep originals, see `protocols.Originals`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError
from shoal.images import readers
from shoal.images.csv_files import printable
from shoal.images.decoding.form import Encoded, Member, Unreadable
from shoal.images.file_kinds import HEAD, image_suffix
from shoal.images.file_names import SUFFIXES
from shoal.images.pictures import describe_composite, read_pictures
from shoal.images.readers import dicom
from shoal.images.remote.faults import AWAY, StoreError
from shoal.images.whole_pictures import as_png, to_png
from shoal.protocols import ImageSource, IntArray, Originals, Track, silent

if TYPE_CHECKING:
    from shoal.images.decoding.listing import Listing


_log = logging.getLogger(__name__)
_LOOKED_AT = 100
"""So many images tell whether some are within files, as the frames of a video are."""


class PixelOriginals:
    """The originals of an array: its images as PNG, without loss where they have 8 bits.

    Other numbers and other channels than one or three are shown, see `pictures`.

    Args:
        source: the images.
        path: the file of the array, if there is one.

    >>> from shoal import ArraySource
    >>> originals = ArraySource(np.zeros((2, 4, 4), np.uint8)).originals
    >>> originals.file(0) is None, originals.content(0)[:4], originals.suffix(0)
    (True, b'\\x89PNG', '.png')
    """

    def __init__(self, source: ImageSource, path: Path | None = None) -> None:
        self.source = source
        self.path = path

    def file(self, index: int) -> Path | None:
        return None

    def place(self, index: int) -> None:
        return None

    def content(self, index: int) -> bytes:
        return to_png(read_pictures(self.source, np.array([index]))[0])

    def encoded(self, index: int) -> None:
        return None

    def suffix(self, index: int) -> str:
        return ".png"

    def size(self, index: int) -> tuple[int, int]:
        height, width, _ = self.source.shape
        return width, height

    def n_bytes(self) -> IntArray | None:
        return None

    def describe(self) -> str:
        height, width, _ = self.source.shape
        shown = describe_composite(self.source)
        return f"as PNG of {width} × {height} pixels{shown and f', {shown}'}"


class FileOriginals:
    """The originals of a folder, or of a list of paths: the files themselves.

    Args:
        path: the folder, or the list; None for paths that no file lists.
        names: the names of the images.
        files: the file of each name; None: the names are paths relative to the folder.
    """

    def __init__(
        self, path: Path | None, names: Sequence[str], files: Mapping[str, Path] | None = None
    ) -> None:
        self.path = path
        self._folder = path or Path()
        self._names = names
        self._files = files
        self._real: dict[int, tuple[Path, str]] = {}

    def file(self, index: int) -> Path | None:
        path, member = self.place(index)
        return path if path.is_file() and not member else None

    def content(self, index: int) -> bytes:
        path, member = self.place(index)
        if not path.exists():
            raise _gone(self._names[index], "no such file")
        try:
            if member:
                return as_png(Member(path, member))
            content, suffix = path.read_bytes(), path.suffix.lower()
            return as_png(Member(content, "", suffix)) if _tells(content, suffix) else content
        except (OSError, ValueError, ModuleNotFoundError) as error:
            raise _gone(self._names[index], getattr(error, "strerror", "") or str(error)) from error

    def encoded(self, index: int) -> Encoded:
        path, member = self.place(index)
        return Member(path, member) if path.exists() else Unreadable("no such file")

    def suffix(self, index: int) -> str:
        _, member = self.place(index)
        return ".png" if member else Path(self._names[index]).suffix

    def place(self, index: int) -> tuple[Path, str]:
        """The file of an image, links followed; and its name within the file if that has several.

        A name with a ``#`` may be that of a file. It is one if there is such a file.
        """
        if index not in self._real:
            name, member = self._names[index], ""
            file, mark, rest = name.rpartition("#")
            if self._files is not None:
                if name not in self._files and mark:
                    name, member = file, rest
                path = self._files[name]
            else:
                if mark and not (self._folder / name).exists():
                    name, member = file, rest
                path = self._folder / name
            self._real[index] = Path(os.path.realpath(path)), member
        return self._real[index]

    def size(self, index: int) -> tuple[int, int]:
        path, member = self.place(index)
        if not path.exists():
            raise _gone(self._names[index], "no such file")
        return _size_of(self._names[index], path, member)

    def n_bytes(self) -> IntArray | None:
        files = [self.file(row) for row in range(len(self._names))]
        sizes = [file.stat().st_size for file in files if file is not None]
        return np.array(sizes, np.int64) if len(sizes) == len(files) else None

    def describe(self) -> str:
        within = any(self.place(row)[1] for row in range(min(_LOOKED_AT, len(self._names))))
        return "as their files, those within a file as PNG" if within else "as their files"


class EncodedOriginals:
    """The originals of an archive or a table: its members or rows, as they are encoded there.

    Args:
        path: the archive, or a pattern for several.
        listing: lists the encoded images, showing progress. It is called when the first original is
            wanted: images decoded before are opened without it.
        names: the names of the images, as the listing has them.
    """

    def __init__(
        self, path: Path, listing: Callable[[Track], Listing], names: Sequence[str]
    ) -> None:
        self.path: Path | None = path
        self._listing = listing
        self._names = names
        self._listed: tuple[Listing, dict[str, int]] | None = None
        self._away: DataError | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_listed": None}  # open files; another process lists anew

    def file(self, index: int) -> Path | None:
        return None

    def place(self, index: int) -> None:
        return None

    def content(self, index: int) -> bytes:
        if self._away is not None:  # else each picture would wait for the store anew
            raise self._away
        try:
            return self._content(index)
        except StoreError as error:
            self._note_away(error)
            raise

    def encoded(self, index: int) -> Encoded:
        if self._away is not None:
            return Unreadable(str(self._away))
        try:
            return self._fetched(index)
        except StoreError as error:
            self._note_away(error)
            return Unreadable(str(error))

    def _note_away(self, error: DataError) -> None:
        """Say once that a store gives no originals, and ask it for no more."""
        self._away = error
        _log.warning("warning: pictures are shown as small as they were decoded: %s", error)

    def _content(self, index: int) -> bytes:
        image = self._fetched(index)
        if isinstance(image, Unreadable):
            raise _gone(self._names[index], image.reason)
        whole = image.content
        if isinstance(whole, bytes) and not (image.member or _tells(whole, image.suffix)):
            return whole
        return self._as_png(index, image)

    def _fetched(self, index: int) -> Member | Unreadable:
        if self._listed is None:
            pile = self._listing(silent)
            self._listed = pile, {name: row for row, name in enumerate(pile.names)}
        pile, rows = self._listed
        name, member = self._names[index], ""
        if name not in rows:
            name, _, member = name.rpartition("#")
        content = pile.fetch(rows[name]) if name in rows else Unreadable("no such image")
        if isinstance(content, bytes):
            return Member(content, member, Path(name).suffix.lower())
        if isinstance(content, Path):
            return Unreadable("no such image")
        if isinstance(content, Unreadable) and content.reason.startswith(AWAY):
            self._note_away(_gone(self._names[index], content.reason))
        return content

    def _as_png(self, index: int, image: Member) -> bytes:
        try:
            return as_png(image)
        except (OSError, ValueError, ModuleNotFoundError) as error:
            raise _gone(self._names[index], str(error)) from error

    def suffix(self, index: int) -> str:
        own = Path(self._names[index]).suffix
        if "#" in self._names[index] and own.lower() not in SUFFIXES:
            return image_suffix(self.content(index)[:HEAD])  # of an image within a file
        return own if own.lower() in SUFFIXES else image_suffix(self.content(index)[:HEAD])

    def size(self, index: int) -> tuple[int, int]:
        return _size_of(self._names[index], self.content(index))

    def n_bytes(self) -> IntArray | None:
        return None

    def describe(self) -> str:
        return "as they are encoded there"


class SubsetOriginals:
    """The originals ``rows`` int64 (m,) of ``whole``, in that order."""

    def __init__(self, whole: Originals, rows: IntArray) -> None:
        self.path = whole.path
        self._whole = whole
        self._rows = rows

    def file(self, index: int) -> Path | None:
        return self._whole.file(int(self._rows[index]))

    def place(self, index: int) -> tuple[Path, str] | None:
        return self._whole.place(int(self._rows[index]))

    def content(self, index: int) -> bytes:
        return self._whole.content(int(self._rows[index]))

    def encoded(self, index: int) -> Encoded | None:
        return self._whole.encoded(int(self._rows[index]))

    def suffix(self, index: int) -> str:
        return self._whole.suffix(int(self._rows[index]))

    def size(self, index: int) -> tuple[int, int]:
        return self._whole.size(int(self._rows[index]))

    def n_bytes(self) -> IntArray | None:
        sizes = self._whole.n_bytes()
        return None if sizes is None else sizes[self._rows]

    def describe(self) -> str:
        return self._whole.describe()


def _size_of(name: str, content: Path | bytes, member: str = "") -> tuple[int, int]:
    """Width and height, as the file tells them.

    Raises:
        DataError: it cannot be read any more.
    """
    from shoal.images.decoding.measure import size_of

    suffix = content.suffix if isinstance(content, Path) else Path(name).suffix
    size = size_of(Member(content, member, suffix.lower()))
    if isinstance(size, str):
        raise _gone(name, size)
    return size


def _tells(content: bytes, suffix: str) -> bool:
    """Whether a file names a patient, as DICOM does: it is handed on as PNG."""
    return readers.find(suffix, content[:HEAD]) is dicom


def _gone(name: str, reason: str) -> DataError:
    return DataError(
        f"cannot read the original of {printable(name)!r} ({reason}). Put it back where it was, or "
        "run the command again."
    )
