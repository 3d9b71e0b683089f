"""Piles of several files of which some cannot be read: they are listed, the others are the pile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from shoal.errors import DataError
from shoal.images.left_out import LeftOut
from shoal.images.remote.faults import AwayError, StoreError
from shoal.images.remote.files import fetch_ends
from shoal.images.remote.location import Location
from shoal.images.shards import prefixes

Read = TypeVar("Read")


def readable(
    files: Sequence[Path], read: Callable[[Path], Read]
) -> tuple[list[Path], list[Read], list[LeftOut]]:
    """Read what tells the content of each file; of several, some may be unreadable.

    Returns:
        The files that could be read, what they gave, and the others with the reasons.

    Raises:
        DataError: none of them can be read.
    """
    good: list[Path] = []
    given: list[Read] = []
    left: list[LeftOut] = []
    fetch_ends([file for file in files if isinstance(file, Location)])
    for file in files:
        try:
            given.append(read(file))
            good.append(file)
        except DataError as error:
            left.append(left_out_of(file, files, error))
    check_any(good, left)
    return good, given, left


def left_out_of(file: Path, files: Sequence[Path], error: DataError) -> LeftOut:
    """One of ``files`` that cannot be read, if the pile can do without it.

    Raises:
        DataError: the error itself, if it cannot: it is the only one, or its store is away.
    """
    if isinstance(error, AwayError) or len(files) == 1:
        raise error
    prefix = file.prefix if isinstance(file, Location) else prefixes(files)[files.index(file)]
    return LeftOut(prefix.rstrip("/") or file.name, _reason(file, error))


def check_any(good: Sequence[object], left: Sequence[LeftOut]) -> None:
    """Raise if all files were left out.

    Raises:
        DataError: they were.
    """
    if left and not good:
        raise DataError(
            f"none of the {len(left):,} files can be read (the first, {left[0].name}: "
            f"{left[0].reason})."
        )


def _reason(file: Path, error: DataError) -> str:
    if isinstance(error, StoreError):
        return error.reason
    return str(error).removeprefix(f"{file} is ").removeprefix(f"{file}: ").rstrip(".")
