"""``auto``: as many clusters as the evidence says."""

from __future__ import annotations

from shoal.clustering.clustering import build_clusterer, clustering_of
from shoal.clustering.evidence import NumberOfClusters
from shoal.clustering.n_clusters import check_range, weigh
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import ChosenNumber
from shoal.protocols import FloatArray, Track, silent
from shoal.recipes.recipe import Recipe

AUTO = "auto"
"""The word that is given in place of a number of clusters."""
FEWEST, MOST = 2, 20
"""The numbers that are weighed."""


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
