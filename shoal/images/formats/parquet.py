"""Parquet files with an encoded image in each row, as Hugging Face datasets have them.

The images are a column of structs {bytes, path}, or of plain binary; no other column, labels
among them, is ever read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from shoal.errors import DataError
from shoal.images.columns import common_column, image_columns
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.remote import listing
from shoal.images.remote.faults import AwayError, StoreError
from shoal.images.remote.location import Location, split_name
from shoal.images.shards import shards, stamp
from shoal.images.without_some import readable
from shoal.protocols import ImageSource, Track

_SUFFIX = ".parquet"
_ROWS, _BYTES = 1024, 16 * 2**20
"""The most rows that are read at a time, and roughly the most bytes."""


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file or a pattern named so, there or not."""
    pattern, _ = split_name(path, (_SUFFIX,))
    return pattern.suffix.lower() == _SUFFIX and not pattern.is_dir()


def open_images(path: Path, wanted: Wanted) -> ImageSource:
    """Decode a parquet file, or those that a pattern such as ``train-*.parquet`` means.

    Ids are the row numbers, counted through all files in the order of their names; a row that
    cannot be read is skipped, and keeps its number. ``file.parquet:name`` picks a column. For
    sizes and modes see `decode_pile`.

    Raises:
        DataError: nothing there, no whole parquet file, no rows, no column of images or several,
            or not one image that can be read.
    """
    pattern, column = split_name(path, (_SUFFIX,))
    files = shards(pattern)
    return decode_pile(
        str(pattern),
        stamp(f"parquet {column}", files),
        partial(_list, pattern, files, column),
        wanted,
    )


def _list(pattern: Path, files: list[Path], wanted: str | None, track: Track) -> Listing:
    alone = len(files) == 1
    files, opened, left_out = readable(files, _open)
    column = common_column(files, [parquet.schema_arrow for parquet in opened], wanted)
    n_rows = sum(parquet.metadata.num_rows for parquet in opened)
    if n_rows == 0:
        raise DataError(f"{pattern} has no rows.")

    def contents() -> Iterator[Encoded]:
        for file, parquet in zip(files, opened, strict=True):
            yield from _encoded(file, parquet, column, alone=alone)

    last: dict[tuple[int, int], list[Encoded]] = {}

    def fetch(row: int) -> Encoded:
        """A row. Its group is kept, because the next row is mostly in the same group."""
        for number, parquet in enumerate(opened):
            about = parquet.metadata
            for group in range(about.num_row_groups):
                if row < about.row_group(group).num_rows:
                    if (number, group) not in last:
                        last.clear()
                        last[number, group] = list(
                            _encoded(
                                files[number], parquet, column, alone=alone, row_groups=[group]
                            )
                        )
                    return last[number, group][row]
                row -= about.row_group(group).num_rows
        return Unreadable("no such row")

    return Listing(_names(files, opened), contents, fetch, left_out, kind="row")


def _names(files: Sequence[Path], opened: Sequence[Any]) -> list[str]:
    """The numbers of the rows; shards by themselves have those that they have in the whole pile."""
    names: list[str] = []
    first = 0
    for file, parquet in zip(files, opened, strict=True):
        first = listing.first_row(file, first)
        end = first + parquet.metadata.num_rows
        names += map(str, range(first, end))
        first = end
    return names


def _open(file: Path) -> Any:
    """The file as a ``pyarrow.parquet.ParquetFile``: its footer read, its rows not yet."""
    import pyarrow.parquet as pq

    try:
        opened = file.open("rb") if isinstance(file, Location) else file
        return pq.ParquetFile(opened, buffer_size=_BYTES)  # pages, not a group's column as a whole
    except StoreError:
        raise
    except (OSError, ValueError) as error:  # pyarrow's own errors are among these
        raise _damaged(file) from error


def _damaged(file: Path) -> DataError:
    return DataError(
        f"{file} is truncated, damaged or not a parquet file; save or download it again."
    )


def _encoded(
    file: Path, parquet: Any, column: str, *, alone: bool, **which: Any
) -> Iterator[Encoded]:
    """The bytes of each row, where damage is that of single images unless the file is ``alone``.

    No other column is read.
    """
    path = image_columns(parquet.schema_arrow)[column]
    about = parquet.metadata
    size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    rows = min(_ROWS, max(1, _BYTES * about.num_rows // max(1, size)))
    groups = which.get("row_groups", range(about.num_row_groups))
    n_rows, done = sum(about.row_group(i).num_rows for i in groups), 0
    try:
        for batch in parquet.iter_batches(rows, columns=[path], use_threads=False, **which):
            values = batch.column(0)
            if path != column:
                values = values.flatten()[0]  # the struct's only field, null where the struct is
            for value in values.to_pylist():
                done += 1
                yield Unreadable("no image in it") if value is None else value
    except AwayError:
        raise
    except StoreError as error:
        yield from [Unreadable(error.reason)] * (n_rows - done)
    except (OSError, ValueError) as error:
        if alone and not isinstance(file, Location):
            raise _damaged(file) from error
        yield from [Unreadable("damaged in the file")] * (n_rows - done)
