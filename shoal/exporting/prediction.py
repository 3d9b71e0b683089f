"""A prediction read back from its file, and names given to its clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.files import atomic_path
from shoal.protocols import FloatArray, ImageSource, IntArray
from shoal.rows import as_text, columns, look_up, quoted, read_rows, write_rows

_EXPECTED = "a prediction with the columns id and label"
_NAMES = "a CSV file with the columns cluster and name"
_CLUSTER = ("label", "cluster")


@dataclass(frozen=True)
class Prediction:
    """What a ``prediction.csv`` or a ``table.parquet`` says of n images."""

    path: Path
    ids: Sequence[str]
    clusters: IntArray
    """int64 (n,)."""
    names: Sequence[str] | None = None
    """The name of each image's cluster, if names were given; two clusters may share one."""
    confidence: FloatArray | None = None
    """float32 (n,) in [0, 1]; not in a prediction.csv."""
    familiarity: FloatArray | None = None
    """float32 (n,) in (0, 1]: how much like the images of training; of new images alone."""
    xy: FloatArray | None = None
    """float32 (n, 2): places on the map, if one was drawn."""
    z: FloatArray | None = None
    """float32 (n, d): the reduced embedding; not in a prediction.csv."""

    def titles(self) -> list[str]:
        """What each image's cluster is called: its name, or ``cluster-`` and its number."""
        digits = len(str(max(int(self.clusters.max(initial=0)), 0)))
        numbered = [f"cluster-{cluster:0{digits}d}" for cluster in self.clusters.tolist()]
        if self.names is None:
            return numbered
        return [name or number for name, number in zip(self.names, numbered, strict=True)]

    def rows_in(self, source: ImageSource) -> IntArray:
        """The row of each of the n images in the pile that it was predicted of, int64 (n,).

        Raises:
            DataError: an image that the pile does not have.
        """
        known = set(source.ids)
        if all(name in known for name in self.ids):
            return np.array(look_up(self.ids, source.ids, self.path), dtype=np.int64)
        written = [as_text(name) for name in source.ids]  # as a parquet file has them
        times = Counter(written)
        clear = [name if times[name] == 1 else f"{row}\0" for row, name in enumerate(written)]
        return np.array(look_up(self.ids, clear, self.path), dtype=np.int64)

    def embedding_of(self, source: ImageSource) -> FloatArray:
        """The reduced embedding of the images of a pile, in their order, float32 (N, d).

        Raises:
            DataError: it holds none, or not of all images of the pile, or of others.
        """
        rows = self.rows_in(source)
        if self.z is None or len(rows) < len(source):
            raise DataError(
                f"{self.path}: the embedding of all {len(source):,} images is expected, and it has "
                f"{0 if self.z is None else len(rows):,}; give a table of 'shoal predict --table'."
            )
        z = np.empty_like(self.z)
        z[rows] = self.z
        return z


def load_prediction(path: str | Path) -> Prediction:
    """Read what ``shoal predict`` or ``shoal run`` wrote: a .csv file, or the .parquet table.

    Raises:
        DataError: missing, damaged, without its columns, or an image twice.
    """
    path = Path(path)
    loaded = _from_parquet(path) if path.suffix.lower() == ".parquet" else _from_csv(path)
    if not loaded.ids:
        raise DataError(f"{path}: {_EXPECTED} is expected, and it has no rows; predict again.")
    twice = [name for name, times in Counter(loaded.ids).items() if times > 1]
    if twice:
        raise DataError(
            f"{path}: every image once is expected, and {quoted(twice[0])} came more than once; "
            "leave one row of each."
        )
    return loaded


def name_clusters(path: str | Path, names: str | Path) -> dict[int, str]:
    """Write names of clusters into a prediction, as its column ``name``; atomically.

    All else in the file stays. Two clusters may be given one name: that merges them.

    Args:
        path: a prediction, .csv or .parquet.
        names: a CSV file with the columns ``cluster`` and ``name``, a row for each cluster.

    Returns:
        The name of each cluster, by its number.

    Raises:
        DataError: either file is not what it should be, a cluster without a name, a name without
            a cluster, or two names of one.
        OutputError: the prediction cannot be written.
    """
    path, names = Path(path), Path(names)
    prediction = load_prediction(path)
    named = _read_names(names)
    clusters = {int(cluster) for cluster in np.unique(prediction.clusters)}
    missing, unknown = sorted(clusters - set(named)), sorted(set(named) - clusters)
    if missing:
        raise DataError(
            f"{names}: a name for each of the {len(clusters)} clusters of {path} is expected, and "
            f"cluster {missing[0]} has none; add a row for it."
        )
    if unknown:
        raise DataError(
            f"{names}: clusters of {path} are expected ({_list(clusters)}), and {unknown[0]} is "
            "none of them; take its row out."
        )
    column = [named[int(cluster)] for cluster in prediction.clusters]
    if path.suffix.lower() == ".parquet":
        _add_to_parquet(path, column)
    else:
        header, *rows = read_rows(path, _EXPECTED)
        place = header.index("name") if "name" in header else len(header)
        rows = [row + [""] * (place - len(row)) for row in rows]
        named_rows = zip(rows, column, strict=True)
        write_rows(
            path,
            [*header[:place], "name", *header[place + 1 :]],
            ([*row[:place], name, *row[place + 1 :]] for row, name in named_rows),
        )
    return {cluster: named[cluster] for cluster in sorted(clusters)}


def _read_names(path: Path) -> dict[int, str]:
    clusters, names = columns(path, _NAMES, ("cluster", "label"), ("name",))
    named: dict[int, str] = {}
    for cluster, name in zip(_whole(path, _NAMES, clusters), names, strict=True):
        if not name.strip():
            raise DataError(f"{path}: cluster {cluster} is given an empty name; write one.")
        if named.get(cluster, name.strip()) != name.strip():
            raise DataError(
                f"{path}: one name for each cluster is expected, and cluster {cluster} is called "
                f"{named[cluster]!r} and {name.strip()!r}; keep one of these rows."
            )
        named[cluster] = name.strip()
    return named


def _from_csv(path: Path) -> Prediction:
    ids, clusters, *named = columns(path, _EXPECTED, ("id",), _CLUSTER, optional="name")
    names = named[0] if named else None
    whole = np.array(_whole(path, _EXPECTED, clusters), dtype=np.int64)
    return Prediction(path=path, ids=ids, clusters=whole, names=names)


def _whole(path: Path, expected: str, texts: Sequence[str]) -> list[int]:
    try:
        return [int(text) for text in texts]
    except ValueError as error:
        wrong = str(error).rpartition(":")[2].strip()
        raise DataError(
            f"{path}: {expected} is expected, clusters as whole numbers, and {wrong[:40]} came; "
            "correct it."
        ) from None


def _read_parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path.") from None
    except PermissionError:
        raise DataError(f"{path}: permission denied; make it readable.") from None
    except (OSError, ValueError) as error:  # pyarrow's own errors are among these
        raise DataError(f"{path}: {_EXPECTED} is expected, and it is damaged.") from error


def _from_parquet(path: Path) -> Prediction:
    table = _read_parquet(path)
    has = set(table.column_names)
    cluster = next((name for name in _CLUSTER if name in has), None)
    if "id" not in has or cluster is None:
        raise DataError(
            f"{path}: {_EXPECTED} is expected, and its columns are "
            f"{', '.join(table.column_names[:8]) or 'none'}; give the table of 'shoal predict'."
        )
    try:
        return Prediction(
            path=path,
            ids=[str(name) for name in table["id"].to_pylist()],
            clusters=np.array(table[cluster].to_pylist()).astype(np.int64, casting="same_kind"),
            names=[name or "" for name in table["name"].to_pylist()] if "name" in has else None,
            confidence=_floats(table, "confidence"),
            familiarity=_floats(table, "familiarity"),
            xy=None if not {"x", "y"} <= has else np.stack(
                [np.array(table[name].to_pylist(), dtype=np.float32) for name in "xy"], axis=1
            ),
            z=_embedding(table) if "embedding" in has else None,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{path}: {_EXPECTED} is expected, and a column of it holds something else; predict "
            "again."
        ) from error


def _floats(table: Any, name: str) -> FloatArray | None:
    if name not in table.column_names:
        return None
    return np.array(table[name].to_pylist(), dtype=np.float32)


def _embedding(table: Any) -> FloatArray:
    numbers = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return numbers.reshape(table.num_rows, -1).astype(np.float32)


def _add_to_parquet(path: Path, names: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = _read_parquet(path)
    column = pa.array([as_text(name) for name in names], pa.string())
    if "name" in table.column_names:
        table = table.set_column(table.column_names.index("name"), "name", column)
    else:
        table = table.append_column("name", column)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def _list(clusters: set[int]) -> str:
    ordered = [str(cluster) for cluster in sorted(clusters)]
    return ", ".join(ordered[:8]) + (", …" if len(ordered) > 8 else "")
