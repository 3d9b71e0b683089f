"""What a finished checkpoint's clusterer says: of each image its cluster, of each its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from shoal.clustering import splits
from shoal.clustering.fitted import build_clusterer, fitted_clusterer
from shoal.embedding.table import ImageTable
from shoal.errors import CheckpointError
from shoal.images.sampling import sample_rows
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Clusterer, FloatArray, ImageSource, IntArray
from shoal.recipes.recipe import Recipe
from shoal.scoring import calibration, signals
from shoal.scoring.calibration import Calibration
from shoal.training.augmented_source import SAMPLE


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
) -> ImageTable:
    """Label each row of ``z`` float32 (n, d); clusters are numbered by size in training.

    The confidence is calibrated, or where there is no calibration the membership as it is.
    """
    membership = splits.number_by_size(clusterer, clusterer.predict_proba(z))
    labels = _largest(membership)
    worth = membership if calibrated is None else calibrated.apply(membership)
    confidence = worth[np.arange(len(labels)), labels]
    return ImageTable(ids=source.ids, embedding=z, labels=labels, confidence=confidence)


def calibrate_again(checkpoint: Checkpoint, clusterer: Clusterer, split: int) -> Calibration | None:
    """What another clusterer's memberships are worth, by the points that a checkpoint remembers.

    What two views said of the embedding holds for any clusters in it. None of an older checkpoint.
    """
    before = calibration_of(checkpoint)
    if before is None:
        return None
    seed, z = checkpoint.recipe.seed, clusterer.reference
    known = signals.Shown(before.signals.neighbour_overlap, before.signals.recognition)
    rows = sample_rows(len(z), SAMPLE, seed)
    return weigh(checkpoint.recipe, clusterer, z, rows, [], known)[split - 1]


def weigh(
    recipe: Recipe, clusterer: Clusterer, z: FloatArray, rows: IntArray,
    viewed: list[FloatArray], shown: signals.Shown,
) -> list[Calibration]:  # fmt: skip
    """What the memberships of each candidate are worth; the clusterer is left as it was.

    Args:
        recipe: how another clusterer is made.
        clusterer: its candidates in their order.
        z: float32 (n, d), the embedding that it was fitted on.
        rows: int64 (m,), the images looked at.
        viewed: views of these in the same embedding, each float32 (m, d); there may be none.
        shown: how the views compare.
    """
    n_clusters = clusterer.predict_proba(z[:1]).shape[1]

    def refit(points: FloatArray, seed: int) -> Callable[[FloatArray], list[IntArray]]:
        another = build_clusterer(replace(recipe, seed=seed), n_clusters).fit(points)
        return lambda asked: [
            each.predict_proba(asked).argmax(axis=1) for each in splits.in_turn(another)
        ]

    redone = signals.divide_again(z, rows, n_clusters, refit, recipe.seed)
    found = []
    for each in splits.in_turn(clusterer):
        asked = each.predict_proba(np.concatenate([z[rows], *viewed]))
        membership, *seen = np.split(splits.number_by_size(each, asked), 1 + len(viewed))
        views = [view.argmax(axis=1) for view in seen]
        found.append(calibration.calibrate(z[rows], membership, redone, shown, views))
    return found


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
