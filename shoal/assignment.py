"""What a finished checkpoint's clusterer says: of each image its cluster, of each its size."""

from __future__ import annotations

import numpy as np

from shoal import parts, splits
from shoal.checkpoint import Checkpoint
from shoal.embedding import EmbeddingTable
from shoal.errors import CheckpointError
from shoal.protocols import Clusterer, FloatArray, ImageSource, IntArray
from shoal.recipes import Recipe


def fitted_clusterer(checkpoint: Checkpoint) -> Clusterer:
    """The clusterer that a finished checkpoint holds.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    if not checkpoint.finished:
        raise CheckpointError(
            "a finished checkpoint is expected, and this one was kept along the way and has no "
            "clusters; use the final file, or finish the run with 'shoal train … --resume'."
        )
    clusterer = build_clusterer(checkpoint.recipe, checkpoint.recipe.n_clusters)
    return clusterer.set_arrays(checkpoint.clusterer)


def build_clusterer(recipe: Recipe, n_clusters: int) -> Clusterer:
    """The recipe's clusterer, not yet fitted."""
    clusterer: Clusterer = parts.build(
        "clusterers", recipe.clusterer, n_clusters=n_clusters, random_state=recipe.seed
    )
    return clusterer


def assign(source: ImageSource, z: FloatArray, clusterer: Clusterer) -> EmbeddingTable:
    """Label each row of ``z`` float32 (n, d); clusters are numbered by size in training."""
    membership = splits.number_by_size(clusterer, clusterer.predict_proba(z))
    labels = _largest(membership)
    confidence = membership[np.arange(len(labels)), labels]
    return EmbeddingTable(ids=source.ids, z=z, labels=labels, confidence=confidence)


def cluster_sizes(clusterer: Clusterer) -> tuple[IntArray, float]:
    """How many of the points it was fitted on each cluster holds, int64 (k,), and how surely.

    The second is their mean membership of the cluster assigned, in [0, 1].
    """
    membership = clusterer.predict_proba(clusterer.reference)
    sizes = np.bincount(_largest(membership), minlength=membership.shape[1])
    return sizes, float(membership.max(axis=1).mean())


def _largest(membership: FloatArray) -> IntArray:
    return membership.argmax(axis=1).astype(np.int64)
