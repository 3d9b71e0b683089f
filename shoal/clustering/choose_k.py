"""``auto``: as many clusters as the evidence says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shoal.clustering.clustering import build_clusterer, check_finished, clustering_of
from shoal.clustering.diffusion import by_size
from shoal.clustering.evidence import NumberOfClusters
from shoal.clustering.n_clusters import FEWEST_A_CLUSTER, MOST_IMAGES, check_range, weigh
from shoal.clustering.prediction_strength import compare_halves
from shoal.embedding.neighbours import nearest
from shoal.embedding.pixel_components import JOINT_PIXELS, PIXELS
from shoal.embedding.reduce import reduce
from shoal.images.sampling import sample_rows
from shoal.images.vectors.source import noun_held
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import ChosenNumber
from shoal.protocols import FloatArray, ImageSource, Track, silent
from shoal.recipes.recipe import Recipe
from shoal.training.augmented_source import AugmentedSource

AUTO = "auto"
"""The word that is given in place of a number of clusters."""
FEWEST, MOST = 2, 20
"""The numbers that are weighed."""
SEVERAL = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20)
"""Those that are tried where only a look is wanted."""
_LOOKED_AT, _RUNS = 1500, 4
_WITH_PIXELS = "All of this was weighed with the pixels, as the groups were found."
"""What is added to the reason where that is so: the run itself may have chosen without them."""


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
            `weigh_remembered` gives the same numbers later.
        track: shows progress.

    Raises:
        DataError: fewer than 20 points.
    """
    points = build_clusterer(recipe, recipe.n_clusters).remember(z).reference
    evidence = weigh(
        points, low=FEWEST, high=MOST, seed=recipe.seed, vectors=not recipe.has_encoder,
        track=track,
    )  # fmt: skip
    # As many digits as are ever told: rounded twice, a number could be told in two ways.
    strengths = {each.n_clusters: round(each.strength, 6) for each in evidence.evidence}
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


def weigh_remembered(
    checkpoint: Checkpoint, *, low: int = FEWEST, high: int = MOST, track: Track = silent
) -> NumberOfClusters:
    """The evidence among the images that a finished checkpoint remembers.

    Every command that tells how surely clusters of its own pile are found again tells these.

    Args:
        checkpoint: a finished one.
        low: the smallest number of clusters.
        high: the largest.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
        DataError: it remembers fewer than 10 images for each cluster.
    """
    reference = clustering_of(checkpoint).reference
    found = weigh(
        reference, low=low, high=high, seed=checkpoint.recipe.seed,
        vectors=checkpoint.n_dimensions > 0, track=track,
    )  # fmt: skip
    if checkpoint.recipe.embedding not in (PIXELS, JOINT_PIXELS):
        return found
    return replace(found, reason=f"{found.reason} {_WITH_PIXELS}")


def choose_n_clusters(
    source: ImageSource, checkpoint: Checkpoint, *, low: int = FEWEST, high: int = MOST,
    seed: int | None = None, device: str = "cpu", track: Track = silent,
) -> NumberOfClusters:  # fmt: skip
    """Choose the number of clusters of ``source`` in the embedding of a finished checkpoint.

    Args:
        source: the images of the training, or others like them; of more than 3,000 a sample.
        checkpoint: a finished checkpoint; its own number of clusters plays no part.
        low: the smallest number, at least 2.
        high: the largest number, at most 100; less where there are fewer than 10 images a cluster.
        seed: of the sample and the halves; the same seed gives the same result. By default that of
            the training: then the images of the training have the scores by which ``-k auto``
            chooses.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: a range that is impossible, or too few images.
    """
    check_finished(checkpoint)
    check_range(low, high, len(source), f"{noun_held(source)}s")
    own = seed is None and source.digest() == checkpoint.origin.digest
    seed = checkpoint.recipe.seed if seed is None else seed
    sample = AugmentedSource(source, None, most=MOST_IMAGES, seed=seed)
    z = reduce(sample, checkpoint, device=device, track=track)
    if not own:
        return weigh(
            z, low=low, high=high, seed=seed, rows=sample.rows, vectors=checkpoint.n_dimensions > 0,
            track=track,
        )  # fmt: skip
    found = weigh_remembered(checkpoint, low=low, high=high, track=track)
    # Whose points these are is not remembered: each image goes with the nearest of them.
    points = clustering_of(checkpoint).reference[found.rows]
    near = nearest(points, z, 1)[1][:, 0]
    groups = {k: by_size(labels[near]) for k, labels in found.groups.items()}
    return replace(found, rows=sample.rows, groups=groups)
