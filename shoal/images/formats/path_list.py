"""A list of paths to image files: a text file with a path in each line, or a column of a table."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path

from shoal.errors import DataError
from shoal.images.csv_files import decode_text, parse_rows, quoted
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.file_names import classes_of, is_image
from shoal.images.left_out import LeftOut
from shoal.images.originals import FileOriginals
from shoal.images.remote.location import is_remote
from shoal.images.shards import check_file
from shoal.protocols import ImageSource, Track

_COLUMNS = (
    "path", "file", "filename", "image", "filepath", "imagepath", "imagefile", "imagefilename",
    "imagename", "img", "imgpath", "imgfile", "imgname", "pathname", "fullpath",
)  # fmt: skip
"""Names of columns, without what is no letter: file_name is the third."""
_SUFFIXES = (".txt", ".csv", ".tsv")
_TWICE = "it stands twice in the list"


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file named so, there or not."""
    return path.suffix.lower() in _SUFFIXES and not path.is_dir() and not is_remote(path)


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode the image files that a list names, see `decode_pile`.

    A text file has one path in each line; empty lines and lines that begin with ``#`` are ignored.
    Of a table (commas, semicolons or tabs) the column called path, file, file_name, image_path or
    the like is taken, or else the column with the most names of images. The text may be UTF-16.
    Relative paths are relative to the folder of the list.

    The images keep the order of the list. Ids are the paths as they are written. The id of a path
    that leads out of the folder of the list is its absolute path without the root, such as
    ``home/me/1.jpg``. A path that does not exist, or is there twice, is skipped.

    Raises:
        DataError: no such list, or no path of an existing file in it.
    """
    check_file(path)
    written = _written(path)
    pile = _find(path.parent, written)
    if not pile.on_disk:
        first = f" (the first is {written[0]!r:.80})" if written else ""
        raise DataError(
            f"{path} is not a list of images: no line names an existing file{first}; write one "
            "path a line, relative to the folder of the list."
        )
    originals = partial(FileOriginals, path, files=pile.on_disk)
    return decode_pile(
        str(path),
        pile.stamp(os.path.realpath(path.parent)),
        pile.listing,
        wanted,
        originals=originals,
    )


def open_files(paths: Sequence[str], where: str, wanted: Wanted) -> ImageSource:
    """Decode image files, see `decode_pile`; ids are the absolute paths without the root.

    Args:
        paths: the files, in the order of the images. What is missing, or there twice, is skipped.
        where: what the list is called, for messages.
        wanted: see `decode_pile`.

    Raises:
        DataError: none of them is an image that can be read.
    """
    pile = _find(Path(), [os.path.abspath(path) for path in paths])
    if not pile.on_disk:
        first = f", such as {quoted(str(paths[0]))}" if paths else ""
        raise DataError(f"{where} must be paths of image files, but none of them exists{first}.")
    originals = partial(FileOriginals, None, files=pile.on_disk)
    return decode_pile(where, pile.stamp(""), pile.listing, wanted, originals=originals)


@dataclass(frozen=True)
class _Pile:
    """The files that a list names, in its order."""

    ids: list[str]
    files: list[Encoded]
    left_out: list[LeftOut]
    """The lines that name a file again, or are not a path."""

    @property
    def on_disk(self) -> dict[str, Path]:
        """The file of each id that has one."""
        pairs = zip(self.ids, self.files, strict=True)
        return {name: file for name, file in pairs if isinstance(file, Path)}

    def listing(self, track: Track) -> Listing:
        files = self.files
        return Listing(
            self.ids, lambda: files, files.__getitem__, self.left_out, classes_of(self.ids)
        )

    def stamp(self, folder: str) -> str:
        """A digest of the folder, the names, and the files' sizes, times of change and inodes."""
        digest = hashlib.sha256(os.fsencode(folder))
        names = [*self.ids, *(entry.name for entry in self.left_out)]
        for name, file in zip_longest(names, self.files):
            what = f"{name}\0"
            if isinstance(file, Path):
                about = file.stat()
                what += f"{about.st_size}\0{about.st_mtime_ns}\0{about.st_ino}\0"
            digest.update(what.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def named_files(path: Path) -> list[Path]:
    """The files that a list names, there or not."""
    return [path.parent / name for name in _written(path)]


def _written(path: Path) -> list[str]:
    """The paths as the list has them; "" for a row of a table without one."""
    text = decode_text(path.read_bytes())
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    table = path.suffix.lower() != ".txt" or (
        lines and "\t" in lines[0] and _named(lines[0].split("\t")) is not None
    )
    if not table:
        return lines
    delimiter = max("\t;,", key=text.partition("\n")[0].count)
    try:
        rows = parse_rows(text, delimiter)
    except csv.Error as error:
        raise DataError(f"{path} is not a list of images: {error}.") from error
    if not rows:
        return []
    column = _named(rows[0])
    if column is not None:
        rows = rows[1:]
    else:
        n_images = [
            sum(len(row) > place and is_image(row[place].strip()) for row in rows[:100])
            for place in range(len(rows[0]))
        ]
        column = max(range(len(rows[0])), key=n_images.__getitem__)
        if not is_image(rows[0][column].strip()):  # then it is a header
            rows = rows[1:]
    return [row[column].strip() if len(row) > column else "" for row in rows]


def _named(cells: Sequence[str]) -> int | None:
    """Which cell of a header is called path, file, image or a mixture of these."""
    header = [re.sub(r"[^a-z]", "", cell.lower()) for cell in cells]
    return next((header.index(name) for name in _COLUMNS if name in header), None)


def _find(folder: Path, written: Sequence[str]) -> _Pile:
    files: dict[str, Encoded] = {}
    left: list[LeftOut] = []
    for row, path in enumerate(written):
        if not path:
            left.append(LeftOut(f"row {row + 1}", "no path in this row", "rows"))
            continue
        name = _name(folder, path)
        if name in files:
            left.append(LeftOut(name, _TWICE, "entries"))
            continue
        files[name] = _file(folder, path)
    return _Pile(list(files), list(files.values()), left)


def _file(folder: Path, path: str) -> Encoded:
    """The file that a path names, as the list has it or as another system would spell it."""
    reason = "no such file"
    spellings = dict.fromkeys((
        path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path),
        path.replace("\\", "/"), path.strip("\"'"), _in_windows_letters(path),
    ))  # fmt: skip
    for spelling in spellings:
        try:
            if (folder / spelling).exists():
                return folder / spelling
        except (OSError, ValueError) as error:  # a name too long, or with a zero byte
            reason = str(error).partition(":")[0] or "not a path"
    return Unreadable(reason)


def _in_windows_letters(path: str) -> str:
    """A path that was not UTF-8, read as Windows writes it in Western Europe."""
    return path.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _name(folder: Path, path: str) -> str:
    if os.path.isabs(path) or ".." in Path(path).parts:
        whole = Path(os.path.abspath(folder / path))
        return whole.relative_to(whole.anchor).as_posix()
    return Path(path).as_posix()
