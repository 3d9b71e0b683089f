"""Names for clusters: a file to fill in, and that file applied to a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoal.clustering.digest import clustering_digest
from shoal.embedding.table import NAMED_FOR, NAMED_FOR_METADATA, ImageTable, result_digest
from shoal.errors import DataError, OutputError
from shoal.export.clustering_digest import clustering_of
from shoal.export.prediction import EXPECTED, load_prediction, read_parquet, whole_numbers
from shoal.export.record import naming
from shoal.images.csv_files import as_text, column_if_there, columns, read_rows, write_rows
from shoal.images.files import atomic_path
from shoal.images.output_checks import check_free
from shoal.models import checkpoint as checkpoints

_NAMES = "a CSV file with the columns cluster and name"
_CLUSTERING = "clustering"
"""The column of a file of names that holds the digest of the clustering."""


@dataclass(frozen=True)
class Naming:
    """The names that a prediction got."""

    names: dict[int, str]
    """The name of each cluster."""
    known_for: bool
    """Whether the file of names says which result or clustering it is for."""


def name_clusters(
    path: str | Path, names: str | Path, *, checkpoint: str | Path | None = None,
    force: bool = False,
) -> Naming:  # fmt: skip
    """Write names of clusters into a prediction, as its column ``name``; atomically.

    The rest of the file stays. Two clusters with the same name are merged by it. The file also gets
    the digest of the result that was named, see `result_digest`.

    Names belong to a clustering. A file that `write_template` wrote says to which; it fits the
    prediction it was written for, and predictions of other images by the same checkpoint.

    Args:
        path: a prediction, .csv or .parquet.
        names: a CSV file with the columns ``cluster`` and ``name``, one row for each cluster.
        checkpoint: the checkpoint that made the prediction. A CSV file does not say, and needs it
            for names that were written for other images.
        force: replace other names, and accept names of another clustering.

    Raises:
        DataError: a file cannot be used, the clusters and the names do not match, or the names
            belong to another clustering.
        OutputError: the prediction has other names already, or cannot be written.
    """
    path, names = Path(path), Path(names)
    prediction = load_prediction(path, trust="label")
    digest = result_digest(prediction.ids, prediction.labels)
    result, clustering = _only_value(names, NAMED_FOR), _only_value(names, _CLUSTERING)
    same_result = result == digest
    same_clustering = bool(clustering) and clustering == _clustering(path, digest, checkpoint)
    if (result or clustering) and not (same_result or same_clustering or force):
        raise DataError(
            f"{names} names the clusters of another result than {path}; add checkpoint=FILE if the "
            "same checkpoint made both, or force=True to use the names anyway."
        )
    named = read_names(names)
    _check_all_named(prediction, named, names, other_images=same_clustering and not same_result)
    column = [named[int(cluster)] for cluster in prediction.labels]
    present = list(prediction.names or ())
    if any(present) and present != column and not force:
        raise OutputError(
            f"{path} has other names already; copy the file, or add force=True to replace them."
        )
    add = _add_to_parquet if path.suffix.lower() == ".parquet" else _add_to_csv
    with naming(path):
        add(path, column, digest)
    clusters = sorted({int(cluster) for cluster in np.unique(prediction.labels)})
    known_for = bool(result or clustering)
    return Naming({cluster: named[cluster] for cluster in clusters}, known_for=known_for)


def write_template(path: str | Path, names: str | Path, *, force: bool = False) -> None:
    """Write a CSV file to fill in names: columns cluster, name, images, result and clustering.

    It has one row for each cluster, with its present name and the number of its images. ``result``
    and ``clustering`` tell what the names are for; ``clustering`` is empty if it is not known.

    Args:
        path: a prediction, .csv or .parquet.
        names: the file to write.

    Raises:
        DataError: the prediction cannot be used.
        OutputError: the file exists and ``force`` is not given, or it cannot be written.
    """
    check_free(Path(names), force=force)
    if Path(names).suffix.lower() != ".csv":
        raise OutputError(f"a file of names must end in .csv, got {names}.")
    prediction = load_prediction(path)
    result = result_digest(prediction.ids, prediction.labels)
    clustering = clustering_of(Path(path), result)
    present = prediction.names or [""] * len(prediction.ids)
    name_of = dict(zip(prediction.labels.tolist(), present, strict=True))
    clusters, sizes = np.unique(prediction.labels, return_counts=True)
    rows = [
        [cluster, name_of[cluster], size, result, clustering]
        for cluster, size in zip(clusters.tolist(), sizes.tolist(), strict=True)
    ]
    write_rows(names, ["cluster", "name", "images", NAMED_FOR, _CLUSTERING], rows)


def _clustering(path: Path, result: str, checkpoint: str | Path | None) -> str:
    """The digest of the clustering that made a prediction; empty if it is not known."""
    known = clustering_of(path, result)
    if known or checkpoint is None:
        return known
    return clustering_digest(checkpoints.load(checkpoint))


def _only_value(names: Path, column: str) -> str:
    """The value of a column that must be the same in all rows; empty if there is none."""
    values = {cell for cell in column_if_there(names, column) if cell}
    if len(values) > 1:
        raise DataError(f"{names} holds names for {len(values)} results; keep those for one.")
    return values.pop() if values else ""


def _check_all_named(
    prediction: ImageTable, named: dict[int, str], names: Path, *, other_images: bool
) -> None:
    """Check that each cluster has a name and, unless the images are others, each name a cluster."""
    clusters = {int(cluster) for cluster in np.unique(prediction.labels)}
    missing, unknown = sorted(clusters - set(named)), sorted(set(named) - clusters)
    if missing:
        raise DataError(
            f"{names} has no name for cluster {missing[0]} of {prediction.path}; add a row for it."
        )
    if unknown and not other_images:
        raise DataError(
            f"{names} names cluster {unknown[0]}, but {prediction.path} has only the clusters "
            f"{_list(clusters)}; remove that row."
        )


def read_names(path: Path) -> dict[int, str]:
    clusters, names = columns(path, _NAMES, ("cluster", "label"), ("name",))
    header, *rows = read_rows(path, _NAMES)
    for row in rows:
        if any(cell.strip() for cell in row[len(header) :]):
            raise DataError(
                f"{path}: the row {','.join(row)} has more fields than the header; put quotation "
                "marks around a name with a comma."
            )
    named: dict[int, str] = {}
    for cluster, name in zip(whole_numbers(path, _NAMES, clusters), names, strict=True):
        if not name.strip():
            raise DataError(f"{path}: the name of cluster {cluster} is empty; write one.")
        if named.get(cluster, name.strip()) != name.strip():
            raise DataError(
                f"{path}: cluster {cluster} has two names, {named[cluster]!r} and "
                f"{name.strip()!r}; remove one of these rows."
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
    about = {**(table.schema.metadata or {}), NAMED_FOR_METADATA: digest.encode()}
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(about), temporary)


def _list(clusters: set[int]) -> str:
    ordered = [str(cluster) for cluster in sorted(clusters)]
    return ", ".join(ordered[:8]) + (", …" if len(ordered) > 8 else "")
