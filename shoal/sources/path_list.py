"""A list of paths to image files: a text file with one a line, or a column of a CSV file."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path

from shoal.errors import DataError
from shoal.protocols import ImageSource, Track
from shoal.sources._decoding import Listing, Wanted, decode_pile
from shoal.sources._image import Encoded, Unreadable
from shoal.sources._naming import classes_of, is_image
from shoal.sources._shards import check_file

_COLUMNS = ("path", "file", "filename", "image")
_SUFFIXES = (".txt", ".csv", ".tsv")
_TWICE = "it stands twice in the list"


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file named so, there or not."""
    return path.suffix.lower() in _SUFFIXES and not path.is_dir()


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode the image files that a list names, see `decode_pile`.

    A text file has one path a line; empty lines and those that begin with ``#`` do not count. Of a
    CSV file (commas, semicolons or tabs) the column called path, file, filename or image counts,
    else the first. Relative paths are relative to the list's own folder.

    The order is the list's. Ids are the paths as they are written; those that lead out of the
    list's folder are, without the root, the absolute ones (``home/me/1.jpg``). What is not there,
    or stands there twice, is skipped.

    Raises:
        DataError: no such list, or not one path of a file that is there.
    """
    check_file(path)
    written = _written(path)
    ids, files, skipped = _find(path.parent, written)
    if not any(isinstance(file, Path) for file in files):
        came = f"{written[0]!r}" if written else "nothing"
        raise DataError(
            f"{path}: images, an archive, a NumPy or parquet file, or a list of paths to images is "
            f"expected, and this is none of them: no line names a file that is there (the first is "
            f"{came:.80}); write one path a line, relative to the list's folder."
        )
    listing = partial(_list, ids, files, skipped)
    stamp = _stamp(path, [*ids, *(name for name, _ in skipped)], files)
    return decode_pile(str(path), stamp, listing, wanted)


def _list(
    ids: Sequence[str],
    files: Sequence[Encoded],
    skipped: Sequence[tuple[str, str]],
    track: Track,
) -> Listing:
    return Listing(ids, lambda: files, files.__getitem__, skipped, classes_of(ids))


def named_files(path: Path) -> list[Path]:
    """The files that a list names, there or not."""
    return [path.parent / name for name in _written(path)]


def _written(path: Path) -> list[str]:
    """The paths as the list has them."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        if path.suffix.lower() == ".txt":
            lines = [line.strip() for line in file]
            return [line for line in lines if line and not line.startswith("#")]
        first = file.readline()
        file.seek(0)
        delimiter = max("\t;,", key=first.count)
        try:
            rows = [row for row in csv.reader(file, delimiter=delimiter) if any(row)]
        except csv.Error as error:
            raise DataError(
                f"{path}: a CSV file with a column of paths is expected, and this is none "
                f"({error}); give a .csv or .txt list of image files."
            ) from error
    if not rows:
        return []
    header = [cell.strip().lower() for cell in rows[0]]
    named = [header.index(name) for name in _COLUMNS if name in header]
    column = named[0] if named else 0
    if named or not is_image(rows[0][0].strip()):  # else there is no header
        rows = rows[1:]
    return [row[column].strip() for row in rows if len(row) > column and row[column].strip()]


def _find(
    folder: Path, written: Sequence[str]
) -> tuple[list[str], list[Encoded], list[tuple[str, str]]]:
    """Ids and files in the list's order, and what stands there twice."""
    found: dict[str, Encoded] = {}
    skipped: list[tuple[str, str]] = []
    for path in written:
        name = _name(folder, path)
        if name in found:
            skipped.append((name, _TWICE))
            continue
        file = folder / path
        try:
            found[name] = file if file.exists() else Unreadable("no such file")
        except (OSError, ValueError) as error:  # a name too long, or with a zero byte
            found[name] = Unreadable(str(error).partition(":")[0] or "not a path")
    return list(found), list(found.values()), skipped


def _name(folder: Path, path: str) -> str:
    if os.path.isabs(path) or ".." in Path(path).parts:
        whole = Path(os.path.abspath(folder / path))
        return whole.relative_to(whole.anchor).as_posix()
    return Path(path).as_posix()


def _stamp(path: Path, ids: Sequence[str], files: Sequence[Encoded]) -> str:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(path.parent)))
    for name, file in zip_longest(ids, files):
        what = f"{name}\0"
        if isinstance(file, Path):
            about = file.stat()
            what += f"{about.st_size}\0{about.st_mtime_ns}\0{about.st_ino}\0"
        digest.update(what.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
