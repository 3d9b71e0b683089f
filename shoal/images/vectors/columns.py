"""Vectors in a column of Parquet files: a list of numbers in each row."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.images.csv_files import printable
from shoal.images.disk import check_room, temporary_folder
from shoal.images.remote.faults import StoreError
from shoal.images.remote.location import is_remote
from shoal.images.shards import check_file, shards
from shoal.images.vectors.names import MANY, ArrowNames
from shoal.images.vectors.usable import fits_single
from shoal.plural import counted
from shoal.protocols import Array

_IN_MEMORY = 256 * 2**20
"""More bytes of vectors than this are brought to a temporary file."""
_ROWS = 4096
_ID = "id"


@dataclass(frozen=True)
class Column:
    """The vectors of a Parquet file."""

    vectors: Array
    """Numbers (n, d)."""
    ids: Sequence[str] | None
    """Of the n vectors; None if no column has them."""
    missing: list[int]
    """Rows without a vector."""
    kept_open: Any = None
    """The temporary file that holds the vectors, if there is one."""


def read_column(path: Path, column: str | None, id_column: str | None) -> Column:
    """Read the vectors of a Parquet file, or of those that a pattern means.

    Args:
        path: the file. Columns of lists of numbers hold vectors: what shoal, embedding-atlas and
            Hugging Face data sets write.
        column: which column, where there are several.
        id_column: the column of ids; by default ``id``, if there is one.

    Raises:
        DataError: no Parquet file, no column of vectors, or several and no ``column``; vectors of
            several lengths; no such column of ids.
    """
    files, opened, name, ids_from = _columns(path, column, id_column)
    n = sum(parquet.metadata.num_rows for parquet in opened)
    kind = np.result_type(*(_precision(parquet, name) for parquet in opened))
    vectors: Array | None = None
    kept_open, missing, start = None, [], 0
    for numbers, known in _blocks(files, opened, name):
        d = numbers.shape[1]
        if vectors is None and d:
            vectors, kept_open = _room(n, d, kind)
        if vectors is not None and d:
            if d != vectors.shape[1]:
                row = start + int(np.flatnonzero(known)[0])
                raise _ragged(path, name, row, d, vectors.shape[1])
            vectors[start : start + len(known)][known] = numbers
        missing += (start + np.flatnonzero(~known)).tolist()
        start += len(known)
    if vectors is None:
        raise DataError(f"{path}: the column {name!r} holds no vectors.")
    return Column(vectors, _ids(files, opened, ids_from), missing, kept_open)


def count_column(path: Path, column: str | None, id_column: str | None) -> int:
    """How many rows `read_column` would read, by the heads of the files.

    Raises:
        DataError: see `read_column`, as far as the heads tell.
    """
    _, opened, _, _ = _columns(path, column, id_column)
    return sum(parquet.metadata.num_rows for parquet in opened)


def _columns(
    path: Path, column: str | None, id_column: str | None
) -> tuple[list[Path], list[Any], str, str | None]:
    """The files of a path, each opened, and the names of the columns of vectors and of ids."""
    files = shards(path)
    opened = [_open(file) for file in files]
    name = _pick(files[0], opened[0].schema_arrow, column)
    ids_from = _pick_ids(files[0], opened[0].schema_arrow, id_column)
    for file, parquet in zip(files, opened, strict=True):
        absent = {name, *([ids_from] if ids_from else [])} - set(parquet.schema_arrow.names)
        if absent:
            raise DataError(f"{file} has no column {min(absent)!r}, as {files[0]} has.")
        if name not in vector_columns(parquet.schema_arrow):
            raise DataError(
                f"{file}: the column {name!r} holds no vectors, lists of numbers, as that of "
                f"{files[0]} does."
            )
    return files, opened, name, ids_from


def _room(n: int, d: int, kind: Any) -> tuple[Array, Any]:
    """An array (n, d) of zeros, in memory or in a temporary file, and that file."""
    n_bytes = np.dtype(kind).itemsize * n * d
    if n_bytes <= _IN_MEMORY:
        return np.zeros((n, d), kind), None
    folder = temporary_folder()
    check_room(folder, n_bytes)
    file = tempfile.NamedTemporaryFile(prefix="shoal-", dir=folder)  # noqa: SIM115
    return np.memmap(file.name, kind, "w+", shape=(n, d)), file


def _blocks(files: Sequence[Path], opened: Sequence[Any], name: str) -> Iterator[tuple[Any, Any]]:
    """The vectors of some rows (m, d), and which of the b rows have one, bool (b,)."""
    start = 0
    for file, parquet in zip(files, opened, strict=True):
        kind = _precision(parquet, name)
        try:
            for batch in parquet.iter_batches(_ROWS, columns=[name], use_threads=False):
                column = batch.column(0)
                known = np.asarray(column.is_valid())
                lengths = column.value_lengths().to_numpy(zero_copy_only=False)[known]
                if len(lengths) and (lengths != lengths[0]).any():
                    other = int(np.flatnonzero(lengths != lengths[0])[0])
                    row = start + int(np.flatnonzero(known)[other])
                    raise _ragged(file, name, row, int(lengths[other]), int(lengths[0]))
                values = column.drop_null().flatten()  # a hole in a vector becomes NaN
                numbers = values.to_numpy(zero_copy_only=False)
                numbers = numbers.astype(kind, copy=False)
                yield numbers.reshape(known.sum(), -1 if len(lengths) else 0), known
                start += len(known)
        except (OSError, ValueError) as error:  # pyarrow's own errors are among these
            if isinstance(error, DataError):
                raise
            raise _damaged(file) from error


def _precision(parquet: Any, name: str) -> np.dtype[Any]:
    """In what the numbers of a column are held: half the room where that holds the same numbers.

    Single precision does not hold time stamps.
    """
    kind = np.dtype(parquet.schema_arrow.field(name).type.value_type.to_pandas_dtype())
    if kind == np.float16:
        return kind
    return np.dtype(np.float32 if fits_single(kind) else np.float64)


def _ragged(path: Path, name: str, row: int, length: int, usual: int) -> DataError:
    return DataError(
        f"{path}: the vectors of {name!r} must be of one length, but row {row:,} has "
        f"{counted(length, 'number')} and others have {usual:,}."
    )


def _open(file: Path) -> Any:
    import pyarrow.parquet as pq

    check_file(file)
    try:
        return pq.ParquetFile(file.open("rb") if is_remote(file) else file)
    except StoreError:
        raise
    except (OSError, ValueError) as error:
        raise _damaged(file) from error


def _damaged(file: Path) -> DataError:
    return DataError(
        f"{file} is truncated, damaged or not a parquet file; save or download it again."
    )


def vector_columns(schema: Any) -> list[str]:
    """The columns that hold vectors: lists of fractions, or if there are none, lists of integers.

    Lists of integers are mostly the indices of something.
    """
    import pyarrow as pa

    def is_list(kind: Any) -> bool:
        return bool(
            pa.types.is_list(kind) or pa.types.is_large_list(kind)
            or pa.types.is_fixed_size_list(kind)
        )  # fmt: skip

    lists = [field for field in schema if is_list(field.type)]
    floats = [field.name for field in lists if pa.types.is_floating(field.type.value_type)]
    return floats or [f.name for f in lists if pa.types.is_integer(f.type.value_type)]


def _pick(file: Path, schema: Any, wanted: str | None) -> str:
    columns = vector_columns(schema)
    listed = ", ".join(map(printable, columns))
    if wanted is not None:
        if wanted not in columns:
            only = f", only {listed}" if columns else f"; its columns are {_all(schema)}"
            raise DataError(f"{file} has no column of vectors named {wanted!r}{only}.")
        return wanted
    if not columns:
        raise DataError(
            f"{file} has no column of vectors, lists of numbers; its columns are {_typed(schema)}."
        )
    if len(columns) > 1:
        raise DataError(
            f"{file} has several columns of vectors ({listed}); name one, such as "
            f"{shlex.quote(f'{file}:{printable(columns[0])}')}."
        )
    return columns[0]


def _typed(schema: Any) -> str:
    """The columns with their types, which show why they are no vectors."""
    return _some([f"{printable(field.name)} ({field.type})" for field in schema])


def _all(schema: Any) -> str:
    return _some([printable(name) for name in schema.names])


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more


def _pick_ids(file: Path, schema: Any, wanted: str | None) -> str | None:
    if wanted is not None and wanted not in schema.names:
        raise DataError(f"{file} has no column {wanted!r}; its columns are {_all(schema)}.")
    import pyarrow as pa

    kind = schema.field(wanted or _ID).type if (wanted or _ID) in schema.names else None
    plain = kind is not None and (
        pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    )
    if wanted is not None and not plain:
        raise DataError(f"{file}: ids must be text or whole numbers, but {wanted!r} holds {kind}.")
    return (wanted or _ID) if plain else None


def _ids(files: Sequence[Path], opened: Sequence[Any], name: str | None) -> Sequence[str] | None:
    """The ids as text; a row without an id is called by its number."""
    if name is None:
        return None
    if sum(parquet.metadata.num_rows for parquet in opened) > MANY:
        return _many_ids(files, opened, name)
    ids: list[str] = []
    for file, parquet in zip(files, opened, strict=True):
        try:
            known = parquet.read(columns=[name]).column(0).to_pylist()
        except (OSError, ValueError) as error:
            raise _damaged(file) from error
        ids += [str(len(ids) + row if value is None else value) for row, value in enumerate(known)]
    return ids


def _many_ids(files: Sequence[Path], opened: Sequence[Any], name: str) -> Sequence[str]:
    """The same where they are too many for Python strings."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks, start = [], 0
    for file, parquet in zip(files, opened, strict=True):
        try:
            known = parquet.read(columns=[name]).column(0).cast(pa.large_string())
        except (OSError, ValueError) as error:
            raise _damaged(file) from error
        if known.null_count:
            numbers = pa.array(np.arange(start, start + len(known))).cast(pa.large_string())
            known = pc.coalesce(known, numbers)
        chunks += known.chunks
        start += len(known)
    return ArrowNames(pa.chunked_array(chunks, pa.large_string()))
