"""Names for the clusters of a result: a file to write them in, and that file read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.embedding.table import ImageTable
from shoal.errors import DataError, OutputError
from shoal.export.prediction import (
    EXPECTED,
    NAMED_FOR,
    load_prediction,
    read_parquet,
    result_digest,
    whole_numbers,
)
from shoal.images.csv_files import as_text, column_if_there, columns, read_rows, write_rows
from shoal.images.files import atomic_path

_NAMES = "a CSV file with the columns cluster and name"


@dataclass(frozen=True)
class Naming:
    """Names that were given."""

    names: dict[int, str]
    """The name of each cluster."""
    known_for: bool
    """Whether the file of names says which result it is for."""


def name_clusters(path: str | Path, names: str | Path, *, force: bool = False) -> Naming:
    """Write names of clusters into a prediction, as its column ``name``; atomically.

    All else in the file stays. Two clusters may be given one name: that merges them. The digest of
    the result that was named is written beside, see `result_digest`.

    Args:
        path: a prediction, .csv or .parquet.
        names: a CSV file with the columns ``cluster`` and ``name``, a row for each cluster; where
            it has a column ``result``, as `write_template` writes it, that must be this result.
        force: replace other names, and take names that are for another result.

    Raises:
        DataError: either file is not what it should be, a cluster without a name, a name without
            a cluster, two names of one, or names for another result.
        OutputError: other names are there, or the prediction cannot be written.
    """
    path, names = Path(path), Path(names)
    prediction = load_prediction(path, trust="label")
    digest = result_digest(prediction.ids, prediction.labels)
    meant = _meant_for(names)
    if meant not in ("", digest) and not force:
        raise DataError(
            f"{names} names the clusters of another result ({meant}; {path} is {digest}); add "
            "--force only if its clusters are the same, as of new images by the same checkpoint."
        )
    named = _read_names(names)
    _check_all_named(prediction, named, names)
    column = [named[int(cluster)] for cluster in prediction.labels]
    known = list(prediction.names or ())
    if any(known) and known != column and not force:
        raise OutputError(
            f"{path} has other names already; add --force to replace them, or copy the file first."
        )
    if path.suffix.lower() == ".parquet":
        _add_to_parquet(path, column, digest)
    else:
        _add_to_csv(path, column, digest)
    clusters = sorted({int(cluster) for cluster in np.unique(prediction.labels)})
    return Naming({cluster: named[cluster] for cluster in clusters}, known_for=bool(meant))


def write_template(path: str | Path, names: str | Path) -> None:
    """Write a file to give names in: columns cluster, name, images and result.

    A row for each cluster, with the names it has already and how many images it holds; ``result``
    tells which result the names are for.

    Raises:
        DataError: the prediction is not what it should be.
        OutputError: the file cannot be written.
    """
    if Path(names).suffix.lower() != ".csv":
        raise OutputError(f"a file of names must end in .csv, got {names}.")
    prediction = load_prediction(path)
    digest = result_digest(prediction.ids, prediction.labels)
    known = prediction.names or [""] * len(prediction.ids)
    called = dict(zip(prediction.labels.tolist(), known, strict=True))
    clusters, sizes = np.unique(prediction.labels, return_counts=True)
    rows = [
        [cluster, called[cluster], size, digest]
        for cluster, size in zip(clusters.tolist(), sizes.tolist(), strict=True)
    ]
    write_rows(names, ["cluster", "name", "images", NAMED_FOR], rows)


def _meant_for(names: Path) -> str:
    meant = {cell for cell in column_if_there(names, NAMED_FOR) if cell}
    if len(meant) > 1:
        raise DataError(f"{names} mixes names for {len(meant)} results; keep those for one.")
    return meant.pop() if meant else ""


def _check_all_named(prediction: ImageTable, named: dict[int, str], names: Path) -> None:
    clusters = {int(cluster) for cluster in np.unique(prediction.labels)}
    missing, unknown = sorted(clusters - set(named)), sorted(set(named) - clusters)
    if missing:
        raise DataError(
            f"{names}: each of the {len(clusters)} clusters of {prediction.path} needs a name, and "
            f"cluster {missing[0]} has none; add a row for it."
        )
    if unknown:
        raise DataError(
            f"{names}: {prediction.path} has no cluster {unknown[0]}, but {_list(clusters)}; take "
            "that row out."
        )


def _read_names(path: Path) -> dict[int, str]:
    clusters, names = columns(path, _NAMES, ("cluster", "label"), ("name",))
    named: dict[int, str] = {}
    for cluster, name in zip(whole_numbers(path, _NAMES, clusters), names, strict=True):
        if not name.strip():
            raise DataError(f"{path}: cluster {cluster} is given an empty name; write one.")
        if named.get(cluster, name.strip()) != name.strip():
            raise DataError(
                f"{path}: cluster {cluster} is called {named[cluster]!r} and {name.strip()!r}; "
                "keep one of these rows."
            )
        named[cluster] = name.strip()
    return named


def _add_to_csv(path: Path, names: Sequence[str], digest: str) -> None:
    header, *rows = read_rows(path, EXPECTED)
    for title, cells in (("name", names), (NAMED_FOR, [digest] * len(rows))):
        place = header.index(title) if title in header else len(header)
        header = [*header[:place], title, *header[place + 1 :]]
        padded = [row + [""] * (place - len(row)) for row in rows]
        rows = [
            [*row[:place], cell, *row[place + 1 :]] for row, cell in zip(padded, cells, strict=True)
        ]
    write_rows(path, header, rows)


def _add_to_parquet(path: Path, names: Sequence[str], digest: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = read_parquet(path)
    column = pa.array([as_text(name) for name in names], pa.string())
    if "name" in table.column_names:
        table = table.set_column(table.column_names.index("name"), "name", column)
    else:
        table = table.append_column("name", column)
    about = {**(table.schema.metadata or {}), b"shoal_named_for": digest.encode()}
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(about), temporary)


def _list(clusters: set[int]) -> str:
    ordered = [str(cluster) for cluster in sorted(clusters)]
    return ", ".join(ordered[:8]) + (", …" if len(ordered) > 8 else "")
