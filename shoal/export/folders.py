"""A folder for each cluster, with its images: copies of their files, or links to them."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from shoal.errors import DataError, OutputError
from shoal.export.record import EXPORT, Record
from shoal.export.safe_names import distinct_names, places
from shoal.images.csv_files import printable
from shoal.images.files import check_writable
from shoal.protocols import ImageSource, IntArray, Track

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)
"""Another disk, or a file system that has no links, or no more of them."""


def write(
    source: ImageSource, rows: IntArray, titles: Sequence[str], out: Path, by: str, track: Track
) -> None:
    """Put the images ``rows`` int64 (n,) into ``out``, each in the folder of its title.

    Raises:
        DataError: links are asked for, and an image has no file.
        OutputError: ``out`` is there already, or cannot be written.
    """
    targets = places_for(source, rows, titles, by)
    put = {"copy": _copy, "hardlink": _hard_link, "symlink": _symbolic_link}[by]
    with whole_folder(out) as folder:
        pairs = list(zip(rows.tolist(), targets, strict=True))
        for row, target in track(pairs, "exporting", len(pairs)):
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            put(source, row, path)
        Record(EXPORT, finished=True).save(folder)


def places_for(source: ImageSource, rows: IntArray, titles: Sequence[str], by: str) -> list[str]:
    """The path in the new folder that each of the images ``rows`` gets.

    Raises:
        DataError: links are asked for, and an image has no file.
    """
    if by != "copy":
        without = next((row for row in rows.tolist() if source.originals.file(row) is None), None)
        if without is not None:
            raise DataError(
                f"--by {by} is for images that are files in a folder, and image "
                f"{printable(source.ids[without])!r} of {source.originals.path} is none; "
                "use --by copy."
            )
    names = sorted(set(titles))
    folders = dict(zip(names, distinct_names(names), strict=True))
    return places(
        [folders[title] for title in titles],
        [source.ids[row] for row in rows],
        [source.originals.suffix(row) for row in rows.tolist()],
    )


def check_out(out: Path) -> None:
    """Raise `OutputError` unless ``out`` can be made: it is not there, or an empty folder."""
    if out.is_dir() and not any(out.iterdir()):
        check_writable(out / "folder")
        return
    if os.path.lexists(out):
        raise OutputError(
            f"cannot write {out}: it exists and is no empty folder, and an export replaces "
            "nothing; name a new folder."
        )
    check_writable(out)


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``out`` that takes its place when the block succeeds.

    When it fails, or is interrupted, nothing is left of it.

    Raises:
        OutputError: ``out`` is there and not empty, or something cannot be written.
    """
    out = Path(os.path.realpath(out))
    temporary: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=".shoal-"))
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o777 & ~mask)  # mkdtemp makes private folders
        if out.is_dir():
            out.rmdir()  # fails, as it should, if something was put there meanwhile
        temporary.rename(out)
    except OSError as error:
        reason = error.strerror or str(error)
        advice = "use --by copy" if error.errno in _NO_LINKS else "mend that or name another folder"
        raise OutputError(
            f"cannot write {out}: {reason[:1].lower()}{reason[1:]}; nothing was written; {advice}."
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _copy(source: ImageSource, row: int, path: Path) -> None:
    file = source.originals.file(row)
    if file is None:
        path.write_bytes(source.originals.content(row))
    else:
        shutil.copyfile(file, path)
        known = file.stat()
        os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def _hard_link(source: ImageSource, row: int, path: Path) -> None:
    os.link(_file(source, row), path)


def _symbolic_link(source: ImageSource, row: int, path: Path) -> None:
    path.symlink_to(_file(source, row))


def _file(source: ImageSource, row: int) -> Path:
    file = source.originals.file(row)
    if file is None:
        raise FileNotFoundError(2, f"{printable(source.ids[row])} is no longer there")
    return file
