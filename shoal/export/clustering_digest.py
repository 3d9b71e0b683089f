"""Which clustering a prediction belongs to: names of clusters are valid for that one alone."""

from __future__ import annotations

from pathlib import Path

from shoal.clustering.digest import CLUSTERING
from shoal.embedding.table import result_digest
from shoal.errors import DataError
from shoal.export.prediction import load_prediction


def clustering_of(path: Path, result: str) -> str:
    """The digest of the clustering of a prediction; empty if it is not known.

    A CSV file has none. Commands write a table beside it, named alike or ``table.parquet``; if that
    table holds the same result, its digest counts.

    Args:
        path: the prediction.
        result: its `result_digest`.
    """
    if path.suffix.lower() == ".parquet":
        return stored_digest(path)
    for table in (path.with_suffix(".parquet"), path.with_name("table.parquet")):
        if table.is_file() and (digest := stored_digest(table)):
            try:
                loaded = load_prediction(table, trust="label")
            except DataError:
                continue
            if result_digest(loaded.ids, loaded.labels) == result:
                return digest
    return ""


def stored_digest(path: Path, key: bytes = CLUSTERING) -> str:
    """A digest in the metadata of a Parquet file; empty if there is none, or no such file."""
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, ValueError):
        return ""
    return metadata.get(key, b"").decode("ascii", "replace")
