"""The clusterer of a recipe, and the fitted one of a checkpoint."""

from __future__ import annotations

from shoal.errors import CheckpointError
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Clusterer
from shoal.recipes import parts
from shoal.recipes.recipe import Recipe


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
