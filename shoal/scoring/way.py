"""A way to divide images that a checkpoint holds, ready to assign any of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.clustering.clustering import Clustering, check_split, clustering_of, divide_anew
from shoal.embedding.out_of_distribution import without_direction
from shoal.embedding.table import ImageTable
from shoal.images.checks import check_n_clusters
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray, ImageSource
from shoal.scoring.assignment import assign, calibration_of, set_aside, unsure_of
from shoal.scoring.calibration import Calibration
from shoal.scoring.examine import calibrate_again


@dataclass(frozen=True)
class Way:
    """A clustering, one of its candidates, and what memberships are worth under it."""

    checkpoint: Checkpoint
    clustering: Clustering
    candidate: int
    """Counted from 0."""
    calibration: Calibration | None
    n_clusters: int

    def assign(
        self, source: ImageSource, z: FloatArray, familiarity: FloatArray | None
    ) -> ImageTable:
        """The table of images by their reduced embedding float32 (n, d).

        A row does not depend on the other rows.
        """
        table = assign(source, z, self.clustering, self.calibration, self.candidate)
        if familiarity is None:
            unlike_any = without_direction(source, self.checkpoint)
        else:
            unlike_any = familiarity == 0
        sure = unsure_of(unlike_any, table.confidence, self.n_clusters)
        table = replace(table, confidence=sure).with_familiarity(familiarity)
        return set_aside(table, self.checkpoint, self.n_clusters)


def check_way(checkpoint: Checkpoint, n_clusters: int | None = None, split: int = 1) -> None:
    """Raise unless a checkpoint has that way to divide images, see `way_of`; no images are needed.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
        DataError: one cluster, more than images were learned from, or a split that there is not.
    """
    clustering = clustering_of(checkpoint)
    if n_clusters is not None and n_clusters != checkpoint.recipe.n_clusters:
        _check_number(n_clusters, clustering, checkpoint)
        if split == 1:  # which every number of clusters has
            return
        clustering = divide_anew(clustering, checkpoint.recipe, n_clusters)
    check_split(split, clustering.n_candidates)


def way_of(checkpoint: Checkpoint, n_clusters: int | None = None, split: int = 1) -> Way:
    """Take a way to divide images from a checkpoint.

    Args:
        checkpoint: a finished one.
        n_clusters: another number of clusters than the recipe's: the images remembered from
            training are divided anew.
        split: which of the ways, counted from 1.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
        DataError: one cluster, more than images were learned from, or a split that there is not.
    """
    clustering, candidate = clustering_of(checkpoint), split - 1
    own = checkpoint.recipe.n_clusters
    if n_clusters is None or n_clusters == own:
        check_split(split, clustering.n_candidates)
        return Way(checkpoint, clustering, candidate, calibration_of(checkpoint, candidate), own)
    _check_number(n_clusters, clustering, checkpoint)
    clustering = divide_anew(clustering, checkpoint.recipe, n_clusters)
    check_split(split, clustering.n_candidates)
    again = calibrate_again(checkpoint, clustering, candidate)
    return Way(checkpoint, clustering, candidate, again, n_clusters)


def _check_number(n_clusters: int, clustering: Clustering, checkpoint: Checkpoint) -> None:
    n_known = len(clustering.reference)
    check_n_clusters(n_clusters, n_known, checkpoint.recipe.kind, single=False)
