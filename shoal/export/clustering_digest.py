"""Which clustering a prediction belongs to: names of clusters are valid for that clustering alone.

A digest tells clusterings apart. All predictions by one checkpoint, with the same number of
clusters and the same split, belong to one clustering, whatever their images.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from shoal.errors import DataError
from shoal.export.prediction import load_prediction, result_digest
from shoal.models.checkpoint import Checkpoint

CLUSTERING = b"shoal.clustering"
"""The key of the digest in the metadata of a Parquet file."""
_DECISIVE = ("clusterer", "reducers", "embedding", "embedding_resolution", "seed")
"""The fields of a recipe that decide the clusters, besides what the weights depend on."""


def clustering_digest(
    checkpoint: Checkpoint, *, n_clusters: int | None = None, split: int = 1
) -> str:
    """The digest of a clustering, 16 characters.

    Args:
        checkpoint: a finished one.
        n_clusters: the number of clusters; None: the recipe's.
        split: which way to divide the pile, counted from 1.
    """
    recipe = checkpoint.recipe.to_dict()
    decisive = {name: recipe.get(name) for name in _DECISIVE}
    decisive["n_clusters"] = n_clusters or checkpoint.recipe.n_clusters
    content = [checkpoint.weights_digest(), split, decisive]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def clustering_metadata(
    checkpoint: Checkpoint, *, n_clusters: int | None = None, split: int = 1
) -> dict[bytes, bytes]:
    """The digest as metadata of a Parquet file; see `clustering_digest`."""
    digest = clustering_digest(checkpoint, n_clusters=n_clusters, split=split)
    return {CLUSTERING: digest.encode()}


def clustering_of(path: Path, result: str) -> str:
    """The digest of the clustering of a prediction; empty if it is not known.

    A CSV file has none. Commands write a table beside it, named alike or ``table.parquet``; if that
    table holds the same result, its digest counts.

    Args:
        path: the prediction.
        result: its `result_digest`.
    """
    if path.suffix.lower() == ".parquet":
        return _stored(path)
    for table in (path.with_suffix(".parquet"), path.with_name("table.parquet")):
        if table.is_file() and (digest := _stored(table)):
            try:
                loaded = load_prediction(table, trust="label")
            except DataError:
                continue
            if result_digest(loaded.ids, loaded.labels) == result:
                return digest
    return ""


def _stored(path: Path) -> str:
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, ValueError):
        return ""
    return metadata.get(CLUSTERING, b"").decode("ascii", "replace")
