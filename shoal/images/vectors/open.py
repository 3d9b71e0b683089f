"""Opening vectors from elsewhere, and finding the image of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.images.csv_files import as_text, quoted
from shoal.images.formats import numpy_file
from shoal.images.remote.copies import here
from shoal.images.remote.location import is_remote, location, split_name
from shoal.images.shards import shards
from shoal.images.subset import Subset
from shoal.images.vectors.columns import count_column, read_column, vector_columns
from shoal.images.vectors.names import ArrowNames
from shoal.images.vectors.source import VectorSource, check_shape
from shoal.plural import counted
from shoal.protocols import Array, ImageSource

SUFFIXES = (".npy", ".npz", ".parquet")
_WITH_NAMES = SUFFIXES[1:]
"""Files that may hold several arrays or columns, of which a path can name one."""
_IDS = "ids"


def open_vectors(
    path: str | Path, *, array: str | None = None, column: str | None = None,
    id_column: str | None = None, images: ImageSource | None = None,
    n_dimensions: int | None = None, at_least: int = 1,
) -> VectorSource:  # fmt: skip
    """Open vectors that another program made.

    Args:
        path: a `.npy` file (n, d), which is memory-mapped and never read as a whole; a `.npz`
            file; or a Parquet file with a list of numbers in each row, or several by a pattern.
            ``file.npz:NAME`` and ``file.parquet:NAME`` name an array and a column.
        array: which array of a `.npz` file, where several have two axes. Its array ``ids``, if it
            has one, names the vectors.
        column: which column of a Parquet file, where several hold vectors.
        id_column: the column of ids; by default ``id``, if there is one.
        images: the images of these vectors: by their ids, or else row by row.
        n_dimensions: the length that the vectors must have, as a checkpoint learned.
        at_least: the fewest vectors.

    Raises:
        DataError: the file cannot be read, holds no vectors, or has several arrays or columns of
            them; ids given twice; images that are not those of the vectors; too few vectors, or
            vectors of another length.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/vectors.npy", np.eye(3))
    ...     source = open_vectors(f"{folder}/vectors.npy")
    >>> len(source), source.n_dimensions
    (3, 3)
    """
    path = location(path)
    file, named = _named_in(path, array, column, id_column)
    missing: Sequence[int] = ()
    kept_open = None
    ids: Sequence[str] | None
    if file.suffix.lower() == ".parquet":
        read = read_column(file, named, id_column)
        vectors, ids, missing, kept_open = read.vectors, read.ids, read.missing, read.kept_open
    else:
        vectors = numpy_file.load_array(file, named, axes=(2,))
        ids = _ids_beside(file, vectors)
    _check_ids(ids, path)
    if images is not None:
        images, ids = match_images(images, ids, len(vectors), path)
    source = VectorSource(
        vectors, ids=ids, images=images, name=str(path), path=path, missing=missing,
        kept_open=kept_open,
    )  # fmt: skip
    if n_dimensions is not None and source.n_dimensions != n_dimensions:
        raise DataError(
            f"{path} must hold vectors of {counted(n_dimensions, 'number')}, as the checkpoint "
            f"learned from, got {source.n_dimensions:,}."
        )
    if len(source) < at_least:
        gone, more = len(source.skipped), ""
        if gone:
            more = f"; of {counted(gone, 'more row')} the first {source.skipped[0][1]}"
        raise DataError(
            f"{path} must hold at least {counted(at_least, 'vector')}, got {len(source)}{more}."
        )
    return source


def count_rows(
    path: str | Path, *, array: str | None = None, column: str | None = None,
    id_column: str | None = None,
) -> int:  # fmt: skip
    """How many rows of vectors a file has, by its head alone; 0 if that does not tell.

    Args:
        path: see `open_vectors`, also for the others.

    Raises:
        DataError: see `open_vectors`, as far as the head tells.
    """
    path = location(path)
    file, named = _named_in(path, array, column, id_column)
    if is_remote(path) or file.suffix.lower() == ".npz":  # which would be read as a whole
        return 0
    if file.suffix.lower() == ".parquet":
        return count_column(file, named, id_column)
    vectors = numpy_file.load_array(file, named)
    check_shape(vectors, str(path))
    return len(vectors)


def _named_in(
    path: Path, array: str | None, column: str | None, id_column: str | None
) -> tuple[Path, str | None]:
    """The file of a path, and the array or the column that is named, in the path or beside it.

    Raises:
        DataError: a file of another kind, or without arrays or columns.
    """
    file, named = split_name(path, _WITH_NAMES)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise _no_vectors(path)
    if suffix != ".npz" and array is not None:
        raise DataError(f"array is only for .npz files, got array={array!r} with {path}.")
    for name, value in (("column", column), ("id_column", id_column)):
        if suffix != ".parquet" and value is not None:
            raise DataError(f"{name} is only for .parquet files, got {value!r} with {path}.")
    return file, array or column or named


def known_columns(path: Path, column: str, id_column: str) -> dict[str, Any]:
    """The arguments of `open_vectors` for the columns that a checkpoint knows by their names.

    Only a Parquet file has columns, and its path may name another.

    >>> known_columns(Path("a.parquet"), "clip", ""), known_columns(Path("a.npy"), "clip", "")
    ({'column': 'clip', 'id_column': None}, {'column': None, 'id_column': None})
    """
    file, named = split_name(path, _WITH_NAMES)
    if file.suffix.lower() != ".parquet":
        return {"column": None, "id_column": None}
    return {"column": named or column or None, "id_column": id_column or None}


def holds_vectors(path: Path) -> bool:
    """Whether a file, or the first that a pattern means, holds vectors and no images.

    Its header alone is read.
    """
    path, named = split_name(path, _WITH_NAMES)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        return False
    try:
        path = shards(path)[0] if suffix == ".parquet" else path
        if not (path.is_file() or is_remote(path)):
            return False
        if suffix == ".parquet":
            import pyarrow.parquet as pq

            from shoal.images.columns import image_columns

            with path.open("rb") as opened:
                schema = pq.read_schema(opened)
            columns = vector_columns(schema)
            return named in columns if named else bool(columns) and not image_columns(schema)
        loaded: Any = np.load(here(path), mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded.ndim == 2
        with loaded:
            names = [named] if named else loaded.files
        axes = {len(numpy_file.shape_of(path, name) or ()) for name in names}
        return 2 in axes and axes.isdisjoint((3, 4))
    except Exception:  # noqa: BLE001 - whoever opens it says what is wrong
        return False


def match_images(
    images: ImageSource, ids: Sequence[str] | None, n: int, path: Path
) -> tuple[ImageSource, Sequence[str]]:
    """The images in the order of n vectors, and the ids of both.

    By ids, where the images have them all; row by row, where the vectors have none or row numbers.

    Raises:
        DataError: the images are not those of the vectors.
    """
    place = {as_text(name): row for row, name in enumerate(images.ids)}
    if ids is not None:
        unknown = [name for name in ids if as_text(name) not in place]
        if not unknown:
            rows = np.array([place[as_text(name)] for name in ids], dtype=np.int64)
            return Subset(images, rows), ids
        if list(ids) != [str(row) for row in range(n)]:
            raise DataError(
                f"{path} and the images do not match: {len(unknown):,} of {n:,} ids of vectors, "
                f"such as {quoted(unknown[0])}, are of no image; the images have ids such as "
                f"{quoted(images.ids[0])}."
            )
    if len(images) != n:
        gone = len(images.skipped)
        more = f", {counted(gone, 'file')} besides could not be read" if gone else ""
        raise DataError(
            f"{path} and the images do not match: there are {n:,} vectors and {len(images):,} "
            f"images{more}. Without ids, vector i is of image i."
        )
    return images, images.ids


def _ids_beside(file: Path, vectors: Array) -> list[str] | None:
    """The array ``ids`` of a `.npz` file, if it has one.

    Raises:
        DataError: it is not an id for each of the vectors.
    """
    shape = numpy_file.shape_of(file, _IDS) if file.suffix.lower() == ".npz" else None
    if shape is None or len(shape) != 1 or vectors.ndim != 2:
        return None
    try:
        ids = numpy_file.load_array(file, _IDS)
    except DataError as error:
        raise DataError(
            f"{file}: its array {_IDS!r} cannot be read; save the ids as text, such as "
            f"{_IDS}=np.array(names, str)."
        ) from error
    if len(ids) != len(vectors):
        raise DataError(f"{file} has {len(vectors):,} vectors, but {len(ids):,} ids.")
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            for value in ids.tolist()]  # fmt: skip


def _check_ids(ids: Sequence[str] | None, path: Path) -> None:
    if isinstance(ids, ArrowNames):
        often = ids.twice()
    else:
        twice = ids is not None and len(set(ids)) < len(ids)
        often = Counter(ids).most_common(1)[0] if twice else None
    if often is None:
        return
    name, times = often
    of_parquet = split_name(path, _WITH_NAMES)[0].suffix.lower() == ".parquet"
    other = "name another column with id_column=NAME, or " if of_parquet else ""
    raise DataError(
        f"{path}: each id must be of one vector, but {quoted(name)} is given {times:,} times; "
        f"{other}leave out what is there twice."
    )


def _no_vectors(path: Path) -> DataError:
    if not path.exists() and not is_remote(path):
        return DataError(f"{path}: no such file; check the path.")
    what = "a folder" if path.is_dir() else "not a file of vectors"
    return DataError(
        f"{path} is {what}; give vectors as a .npy, .npz or .parquet file. Images are for "
        "'shoal run'."
    )
