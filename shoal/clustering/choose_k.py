"""``auto``: as many clusters as the evidence says."""

from __future__ import annotations

import numpy as np

from shoal.clustering.clustering import build_clusterer, clustering_of
from shoal.clustering.evidence import NumberOfClusters
from shoal.clustering.n_clusters import FEWEST_A_CLUSTER, check_range, weigh
from shoal.clustering.prediction_strength import compare_halves
from shoal.images.sampling import sample_rows
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import ChosenNumber
from shoal.protocols import FloatArray, Track, silent
from shoal.recipes.recipe import Recipe

AUTO = "auto"
"""The word that is given in place of a number of clusters."""
FEWEST, MOST = 2, 20
"""The numbers that are weighed."""
SEVERAL = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20)
"""Those that are tried where only a look is wanted."""
_LOOKED_AT, _RUNS = 1500, 4


def check_enough(n_images: int, noun: str = "images") -> None:
    """Raise, before any training, unless a number of clusters can be chosen for so many images.

    Raises:
        DataError: fewer than 20.
    """
    check_range(FEWEST, MOST, n_images, noun)


def choose_k(z: FloatArray, recipe: Recipe, *, track: Track = silent) -> tuple[int, ChosenNumber]:
    """Choose the number of clusters of an embedding.

    The encoder does not depend on the number, so that it is chosen after training.

    Args:
        z: float32 (n, d), reduced as ``recipe`` says.
        recipe: its clusterer remembers the points by which the number is chosen, so that
            `weigh_remembered` gives the same answer later.
        track: shows progress.

    Raises:
        DataError: fewer than 20 points.
    """
    points = build_clusterer(recipe, recipe.n_clusters).remember(z).reference
    evidence = weigh(
        points, low=FEWEST, high=MOST, seed=recipe.seed, vectors=not recipe.has_encoder,
        track=track,
    )  # fmt: skip
    strengths = {each.n_clusters: round(each.strength, 3) for each in evidence.evidence}
    return evidence.n_clusters, ChosenNumber(evidence.reason, strengths)


def weigh_beside(z: FloatArray, recipe: Recipe) -> dict[int, float]:
    """How surely the clusters of a number that was given, and of some others, are found again.

    Args:
        z: float32 (n, d), reduced as ``recipe`` says. Of more than 1,500 points a sample is used,
            which takes a second, and of copies one.
        recipe: with the number of clusters that was given.

    Returns:
        The prediction strength of each number; nothing for more than 20 clusters, or fewer than 10
        different points for each.
    """
    own = recipe.n_clusters
    points = np.unique(z[sample_rows(len(z), _LOOKED_AT, recipe.seed)], axis=0)
    most = min(MOST, len(points) // FEWEST_A_CLUSTER)
    if not FEWEST <= own <= most:
        return {}
    numbers = sorted({own, *(k for k in SEVERAL if k <= most)})
    runs = [compare_halves(points, numbers, [recipe.seed, run])[0] for run in range(_RUNS)]
    strengths = np.concatenate(runs).mean(axis=0)
    return {k: round(float(each), 3) for k, each in zip(numbers, strengths, strict=True)}


def weigh_remembered(checkpoint: Checkpoint, *, track: Track = silent) -> NumberOfClusters:
    """The evidence among the images that a finished checkpoint remembers, from 2 clusters to 20.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
        DataError: it remembers fewer than 20 images.
    """
    reference = clustering_of(checkpoint).reference
    return weigh(
        reference, low=FEWEST, high=MOST, seed=checkpoint.recipe.seed,
        vectors=checkpoint.n_dimensions > 0, track=track,
    )  # fmt: skip
