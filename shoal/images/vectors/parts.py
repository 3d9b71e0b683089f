"""A part of the vectors of a file or of several: what a worker reads, without opening all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.errors import DataError
from shoal.images.formats import numpy_file
from shoal.images.remote.location import split_name
from shoal.images.shards import shards
from shoal.images.vectors.columns import read_column
from shoal.images.vectors.source import to_single
from shoal.protocols import Array, FloatArray, IntArray

ROWS = 524_288
"""Vectors of a part of a .npy file."""


@dataclass(frozen=True)
class Part:
    """Some vectors of a file. It can be hashed, and sent to another process."""

    path: str
    start: int
    """The first row of the file."""
    stop: int
    n_bytes: int
    """The size of the file."""
    column: str | None
    left_out: tuple[int, ...]
    """Rows of the file that are no vectors of the source."""

    @property
    def name(self) -> str:
        """For messages."""
        return f"rows {self.start:,} to {self.stop - 1:,} of {Path(self.path).name}"

    def open(self) -> PartVectors:
        """The vectors.

        Raises:
            DataError: the file is not there, or it is another one.
        """
        path = Path(self.path)
        if not path.is_file():
            raise DataError(f"{path}: no such file on a worker; give all machines the same files.")
        if path.stat().st_size != self.n_bytes:
            raise DataError(
                f"{path} has {path.stat().st_size:,} bytes on a worker and {self.n_bytes:,} where "
                "the command runs; give all machines the same files."
            )
        kept_open = None
        if path.suffix.lower() == ".npy":
            whole = numpy_file.load_array(path, None)[self.start : self.stop]
        else:
            read = read_column(path, self.column, None)
            whole, kept_open = read.vectors[self.start : self.stop], read.kept_open
        rows = np.setdiff1d(np.arange(len(whole)), np.array(self.left_out, np.int64) - self.start)
        return PartVectors(whole, rows, kept_open)


class PartVectors:
    """The vectors ``rows`` int64 (m,) of an array, as `VectorSource` has them."""

    def __init__(self, whole: Array, rows: Array, kept_open: object = None) -> None:
        self._whole, self._rows, self._kept_open = whole, rows, kept_open
        self.n_dimensions = int(whole.shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def vectors(self, indices: Array, centre: Array | None = None) -> FloatArray:
        """The vectors ``indices`` (b,), float32 (b, d); see `VectorSource.vectors`."""
        return to_single(np.asarray(self._whole[self._rows[indices]]), centre)


def parts_of(path: Path, left_out: IntArray, column: str | None) -> list[Part]:
    """The parts of a .npy file, or the Parquet files that a path or a pattern means, in order.

    Args:
        path: as it was given to `open_vectors`.
        left_out: int64 (m,), ascending, the rows that are not in the source, counted over all
            files.
        column: the column of the vectors, where it was named.

    Raises:
        DataError: a file of another kind.
    """
    path, named = split_name(path, (".parquet",))
    column = named if column is None else column
    gone = left_out
    found: list[Part] = []
    suffix = path.suffix.lower()
    if suffix == ".npy":
        n = len(numpy_file.load_array(path, None))
        spans = [(path, start, min(start + ROWS, n), 0) for start in range(0, n, ROWS)]
    elif suffix == ".parquet":
        import pyarrow.parquet as pq

        files, spans, before = shards(path), [], 0
        for file in files:
            n = pq.read_metadata(file).num_rows
            if n:
                spans.append((file, 0, n, before))
            before += n
    else:
        raise DataError(f"{path}: workers read vectors from .npy and .parquet files; save it so.")
    for file, start, stop, before in spans:
        first, last = np.searchsorted(gone, [before + start, before + stop])
        own = tuple((gone[first:last] - before).tolist())
        full = str(file.resolve())
        found.append(Part(full, start, stop, file.stat().st_size, column, own))
    return found
