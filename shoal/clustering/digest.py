"""A digest tells clusterings apart: names and corrections of clusters belong to one of them.

All predictions by one checkpoint, with the same number of clusters and the same split, belong to
one clustering, whatever their images.
"""

from __future__ import annotations

import hashlib
import json

from shoal.models.checkpoint import Checkpoint
from shoal.recipes.noise import OFF

CLUSTERING = b"shoal.clustering"
"""The key of the digest in the metadata of a Parquet file."""
IMAGES = b"shoal.images"
"""The key of the pile's digest in the metadata of a table that was reviewed."""
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
    if checkpoint.recipe.noise != OFF:
        decisive["noise"] = checkpoint.recipe.noise
    # Of vectors from elsewhere there are no weights: what was clustered tells.
    learned = checkpoint.origin.digest if checkpoint.n_dimensions else checkpoint.weights_digest()
    content = [learned, split, decisive]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def clustering_metadata(
    checkpoint: Checkpoint, *, n_clusters: int | None = None, split: int = 1
) -> dict[bytes, bytes]:
    """The digest as metadata of a Parquet file; see `clustering_digest`."""
    digest = clustering_digest(checkpoint, n_clusters=n_clusters, split=split)
    return {CLUSTERING: digest.encode()}
