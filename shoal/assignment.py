"""What a finished checkpoint's clusterer says: of each image its cluster, of each its size."""

from __future__ import annotations

import numpy as np

from shoal import parts, splits
from shoal.checkpoint import Checkpoint
from shoal.embedding import EmbeddingTable
from shoal.errors import CheckpointError
from shoal.protocols import Clusterer, FloatArray, ImageSource, IntArray
from shoal.recipes import Recipe
from shoal.scoring import calibration
from shoal.scoring.calibration import Calibration


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


def calibration_of(checkpoint: Checkpoint, split: int = 1) -> Calibration | None:
    """What memberships are worth under its ``split``-th candidate, counted from 1.

    None in a checkpoint of an older shoal: its memberships are all that is known.
    """
    try:
        return calibration.from_arrays(checkpoint.calibration, split - 1)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint's calibration is damaged ({error}); train again or restore the file "
            "from a copy."
        ) from error


def assign(
    source: ImageSource, z: FloatArray, clusterer: Clusterer, calibrated: Calibration | None
) -> EmbeddingTable:
    """Label each row of ``z`` float32 (n, d); clusters are numbered by size in training.

    The confidence is calibrated, or where there is no calibration the membership as it is.
    """
    membership = splits.number_by_size(clusterer, clusterer.predict_proba(z))
    labels = _largest(membership)
    worth = membership if calibrated is None else calibrated.apply(membership)
    confidence = worth[np.arange(len(labels)), labels]
    return EmbeddingTable(ids=source.ids, z=z, labels=labels, confidence=confidence)


def probabilities(z: FloatArray, checkpoint: Checkpoint) -> FloatArray:
    """How likely each cluster is for each row of ``z`` float32 (n, d): float32 (n, k).

    Rows sum to 1; the largest number of a row is the confidence, at the cluster assigned.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    clusterer, calibrated = fitted_clusterer(checkpoint), calibration_of(checkpoint)
    membership = splits.number_by_size(clusterer, clusterer.predict_proba(z))
    return membership if calibrated is None else calibrated.apply(membership)


def cluster_sizes(checkpoint: Checkpoint) -> tuple[IntArray, float]:
    """How many of the points it was fitted on each cluster holds, int64 (k,), and how surely.

    The second is their mean confidence, in [0, 1].

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    likely = probabilities(fitted_clusterer(checkpoint).reference, checkpoint)
    sizes = np.bincount(_largest(likely), minlength=likely.shape[1])
    return sizes, float(likely.max(axis=1).mean())


def _largest(membership: FloatArray) -> IntArray:
    return membership.argmax(axis=1).astype(np.int64)
