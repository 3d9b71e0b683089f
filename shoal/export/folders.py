"""One folder for each cluster with its images: copies of their files, or links to them."""

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
from shoal.images.output_checks import check_writable
from shoal.protocols import ImageSource, IntArray, Track

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)
"""Errors of links: to another disk, on a file system without links, or too many of them."""


def write_folders(
    source: ImageSource, rows: IntArray, titles: Sequence[str], out: Path, by: str, track: Track
) -> None:
    """Write a folder ``out`` that holds one folder of images for each title.

    Args:
        source: the pile.
        rows: int64 (n,), the rows of the images to write.
        titles: the title of each of them.
        out: the new folder.
        by: copy, hardlink or symlink.
        track: shows progress.

    Raises:
        DataError: an image without a file cannot be linked.
        OutputError: ``out`` exists, or cannot be written.
    """
    targets = target_paths(source, rows, titles, by)
    put = {"copy": _copy, "hardlink": _hard_link, "symlink": _symbolic_link}[by]
    with new_folder(out) as folder:
        pairs = list(zip(rows.tolist(), targets, strict=True))
        for row, target in track(pairs, "exporting", len(pairs)):
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            put(source, row, path)
        Record(EXPORT, finished=True).save(folder)


def target_paths(source: ImageSource, rows: IntArray, titles: Sequence[str], by: str) -> list[str]:
    """The path in the new folder of each of the images ``rows``.

    Raises:
        DataError: an image without a file cannot be linked.
    """
    if by != "copy":
        without = next((row for row in rows.tolist() if source.originals.file(row) is None), None)
        if without is not None:
            raise DataError(
                f"by must be 'copy' for images that are not files, got {by!r}; image "
                f"{printable(source.ids[without])!r} of {source.originals.path} is not a file."
            )
    names = sorted(set(titles))
    folders = dict(zip(names, distinct_names(names), strict=True))
    return places(
        [folders[title] for title in titles],
        [source.ids[row] for row in rows],
        [source.originals.suffix(row) for row in rows.tolist()],
    )


def check_out(out: Path) -> None:
    """Check that ``out`` does not exist, or is an empty folder, and can be written.

    Raises:
        OutputError: it exists or cannot be written.
    """
    if out.is_dir() and not any(out.iterdir()):
        check_writable(out / "folder")
        return
    if os.path.lexists(out):
        raise OutputError(
            f"{out} exists and is not an empty folder; an export replaces nothing, so name a new "
            "folder."
        )
    check_writable(out)


@contextlib.contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``out`` when the block succeeds.

    If the block fails or is interrupted, the temporary folder is removed.

    Raises:
        OutputError: ``out`` exists and is not empty, or something cannot be written.
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
            out.rmdir()  # fails, as it should, if another program wrote into it
        temporary.rename(out)
    except OSError as error:
        reason = error.strerror or str(error)
        linkless = error.errno in _NO_LINKS
        advice = "copy the images instead of linking them" if linkless else "name another folder"
        raise OutputError(
            f"cannot write {out}: {reason[:1].lower()}{reason[1:]}; nothing was written. To go on, "
            f"{advice}."
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
        times = file.stat()
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _hard_link(source: ImageSource, row: int, path: Path) -> None:
    os.link(_file(source, row), path)


def _symbolic_link(source: ImageSource, row: int, path: Path) -> None:
    path.symlink_to(_file(source, row))


def _file(source: ImageSource, row: int) -> Path:
    file = source.originals.file(row)
    if file is None:
        raise FileNotFoundError(2, f"{printable(source.ids[row])} does not exist any more")
    return file
