"""Parquet files with an encoded image in each row, as Hugging Face datasets have them.

The images are a column of structs {bytes, path}, or of plain binary; no other column, labels
among them, is ever read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from shoal.errors import DataError
from shoal.images.columns import common_column, image_columns
from shoal.images.decoding.form import Encoded, Unreadable
from shoal.images.decoding.listing import Listing, Wanted
from shoal.images.decoding.pile import decode_pile
from shoal.images.shards import shards, stamp
from shoal.protocols import ImageSource, Track

_SUFFIX = ".parquet"
_ROWS, _BYTES = 1024, 16 * 2**20
"""The most rows that are read at a time, and roughly the most bytes."""


def accepts(path: Path) -> bool:
    """Whether this module reads ``path``: a file or a pattern named so, there or not."""
    pattern, _ = _split(path)
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
    pattern, column = _split(path)
    files = shards(pattern)
    return decode_pile(
        str(pattern),
        stamp(f"parquet {column}", files),
        partial(_list, pattern, files, column),
        wanted,
    )


def _list(pattern: Path, files: list[Path], wanted: str | None, track: Track) -> Listing:
    opened = [_open(file) for file in files]
    column = common_column(files, [parquet.schema_arrow for parquet in opened], wanted)
    n_rows = sum(parquet.metadata.num_rows for parquet in opened)
    if n_rows == 0:
        raise DataError(f"{pattern} has no rows.")

    def contents() -> Iterator[Encoded]:
        for file, parquet in zip(files, opened, strict=True):
            yield from _encoded(file, parquet, column)

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
                            _encoded(files[number], parquet, column, row_groups=[group])
                        )
                    return last[number, group][row]
                row -= about.row_group(group).num_rows
        return Unreadable("no such row")

    return Listing([str(row) for row in range(n_rows)], contents, fetch, kind="row")


def _split(path: Path) -> tuple[Path, str | None]:
    """``file.parquet:name`` as (file.parquet, name)."""
    head, colon, name = str(path).rpartition(":")
    if colon and head.lower().endswith(_SUFFIX) and not path.exists():
        return Path(head), name
    return path, None


def _open(file: Path) -> Any:
    """The file as a ``pyarrow.parquet.ParquetFile``: its footer read, its rows not yet."""
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file, buffer_size=_BYTES)  # pages, not a group's column as a whole
    except (OSError, ValueError) as error:  # pyarrow's own errors are among these
        raise _damaged(file) from error


def _damaged(file: Path) -> DataError:
    return DataError(
        f"{file} is truncated, damaged or not a parquet file; save or download it again."
    )


def _encoded(file: Path, parquet: Any, column: str, **which: Any) -> Iterator[Encoded]:
    """The bytes of each row. No other column is read."""
    path = image_columns(parquet.schema_arrow)[column]
    about = parquet.metadata
    size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    rows = min(_ROWS, max(1, _BYTES * about.num_rows // max(1, size)))
    try:
        for batch in parquet.iter_batches(rows, columns=[path], use_threads=False, **which):
            values = batch.column(0)
            if path != column:
                values = values.flatten()[0]  # the struct's only field, null where the struct is
            for value in values.to_pylist():
                yield Unreadable("no image in it") if value is None else value
    except (OSError, ValueError) as error:
        raise _damaged(file) from error
