"""``auto``: a finished checkpoint divided anew into as many clusters as the evidence says."""

from __future__ import annotations

from dataclasses import replace

from shoal import pipeline
from shoal.clustering.fitted import fitted_clusterer
from shoal.clustering.n_clusters import NumberOfClusters, check_range, weigh
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import ImageSource, Track, silent

AUTO = "auto"
"""What is given in place of a number of clusters."""
FEWEST, MOST = 2, 20
"""The numbers that are weighed."""


def check_enough(n_images: int) -> None:
    """Raise, before any training, unless a number of clusters can be chosen for so many images.

    Raises:
        DataError: fewer than 20.
    """
    check_range(FEWEST, MOST, n_images)


def weigh_remembered(checkpoint: Checkpoint, *, track: Track = silent) -> NumberOfClusters:
    """The evidence among the images that a finished checkpoint remembers, from 2 clusters to 20.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: it remembers fewer than 20 images.
    """
    reference = fitted_clusterer(checkpoint).reference
    return weigh(reference, low=FEWEST, high=MOST, seed=checkpoint.recipe.seed, track=track)


def settle(
    source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu", track: Track = silent
) -> Checkpoint:
    """Choose the number of clusters and divide the images into as many: a checkpoint to be saved.

    The encoder does not depend on the number, so that it is chosen after training. The
    checkpoint's recipe then has it, and its provenance the reason and each number's strength.

    Args:
        source: the images it was trained on.
        checkpoint: a finished one, with clusters as many as its recipe had before.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: fewer than 20 images.
    """
    found = weigh_remembered(checkpoint, track=track)
    if found.n_clusters != checkpoint.recipe.n_clusters:
        recipe = replace(checkpoint.recipe, n_clusters=found.n_clusters)
        checkpoint = pipeline.organise(
            source, replace(checkpoint, recipe=recipe), device=device, track=track
        )
        steady = {str(checkpoint.step): pipeline.steadiness_of(source, checkpoint, device=device)}
        checkpoint.provenance["steadiness"] = steady
    strengths = {str(each.n_clusters): round(each.strength, 3) for each in found.evidence}
    provenance = {"n_clusters": found.reason, "n_clusters_strength": strengths}
    return replace(checkpoint, provenance=checkpoint.provenance | provenance)


def is_settled(checkpoint: Checkpoint) -> bool:
    """Whether its number of clusters was chosen by `settle`."""
    return "n_clusters_strength" in checkpoint.provenance
