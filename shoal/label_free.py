"""Judging a checkpoint without labels: how steady its clusters are, and how they lie.

Beside `steadiness`, clusters are found anew from each half of the pile. Which scores follow the
true accuracy was measured: docs/measurements.md, "The score without labels".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal import pipeline, quality
from shoal.assignment import build_clusterer
from shoal.checkpoint import Checkpoint
from shoal.checks import check_n_clusters
from shoal.errors import DataError
from shoal.protocols import FloatArray, ImageSource, Track, silent
from shoal.steadiness import FEWEST_IMAGES, combine, in_words

MOST_IMAGES = 4000
"""How many images are scored unless asked otherwise: the neighbour search is quadratic."""


@dataclass(frozen=True)
class LabelFreeScores:
    """What can be known of a clustering from the images alone; see `quality` for each score."""

    n_images: int
    """How many images were scored."""
    n_clusters: int
    """How many clusters they fell into."""
    view_agreement: float
    """Agreement of the clusters of the images and of two views of them, in [-0.5, 1]."""
    stability: float
    """Agreement of the clusters found from one random half of the images and from the other."""
    neighbour_purity: float
    """Share of the 20 nearest neighbours in an image's own cluster, less chance, up to 1."""
    neighbour_overlap: float
    """Share of the 20 nearest neighbours that two views have in common, in [0, 1]."""
    recognition: float
    """Share of images with their own other view among the 20 nearest, in [0, 1]."""
    silhouette: float
    """In the reduced embedding, in [-1, 1]."""
    normalised_cut: float
    """Of the neighbour graph, a cluster, in [0, 1]; lower is better."""
    mse: float
    """Of the reconstruction: says nothing of the clusters, and is here to be compared."""

    @property
    def combined(self) -> float:
        """One score, in [0, 1], see `steadiness.combine`."""
        return combine(self.view_agreement, self.recognition)


COMBINED = "the geometric mean of view agreement and recognition (0 to 1)"
"""What `LabelFreeScores.combined` is, for a reader."""


def verdict(scores: LabelFreeScores) -> str:
    """What the scores say of this clustering, in a sentence, and in two more what they cannot."""
    if scores.n_clusters < 2:
        found = "All images fell into one cluster: there is nothing to judge."
    else:
        found = in_words(scores.combined).capitalize() + "."
    return (
        f"{found}\n"
        "Of two recipes on the same images, with as many clusters, the higher score is mostly the "
        "more accurate; of two checkpoints of one run it is a weak guide.\n"
        "It cannot tell how accurate that is, nor whether a steady split is the one you want: "
        "look at the clusters."
    )


def judge(
    source: ImageSource, checkpoint: Checkpoint, *, most: int = MOST_IMAGES, seed: int = 0,
    device: str = "cpu", track: Track = silent,
) -> LabelFreeScores:  # fmt: skip
    """Score a checkpoint's clusters on ``source`` without labels.

    Args:
        source: at least 20 images, those it was trained on or others like them.
        checkpoint: one along the way, without clusters, is first organised on ``source``.
        most: a larger pile is scored on a random sample of this many.
        seed: of the sample, the views and the halves; the same seed gives the same scores.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        DataError: fewer than 20 images, or fewer than clusters.
    """
    if len(source) < FEWEST_IMAGES:
        raise DataError(
            f"at least {FEWEST_IMAGES} images are expected to judge clusters by, and "
            f"{len(source)} came; give more images."
        )
    if not checkpoint.finished:
        check_n_clusters(checkpoint.recipe.n_clusters, len(source))
        checkpoint = pipeline.organise(source, checkpoint, device=device, track=track)
    seen = pipeline.look(source, checkpoint, most=most, seed=seed, device=device, track=track)
    table, (first, second) = seen.table, seen.views
    return LabelFreeScores(
        n_images=len(table.labels),
        n_clusters=len(np.unique(table.labels)),
        view_agreement=seen.view_agreement,
        stability=_stability(table.z, checkpoint, seed),
        neighbour_purity=quality.neighbour_purity(table.z, table.labels),
        neighbour_overlap=quality.neighbour_overlap(first.z, second.z),
        recognition=seen.recognition,
        silhouette=quality.silhouette(table.z, table.labels, seed=seed),
        normalised_cut=quality.normalised_cut(table.z, table.labels),
        mse=quality.reconstruction_mse(seen.images, checkpoint, device=device, track=track),
    )


def _stability(z: FloatArray, checkpoint: Checkpoint, seed: int) -> float:
    """Agreement on all of ``z`` float32 (n, d) of the clusterers fitted on either half of it.

    Von Luxburg 2010 (arXiv:1007.1075) surveys stability under resampling.
    """
    order = np.random.default_rng(seed).permutation(len(z))
    recipe = checkpoint.recipe
    found = []
    for half in (order[::2], order[1::2]):
        clusterer = build_clusterer(recipe, min(recipe.n_clusters, len(half)))
        clusterer.fit(z[np.sort(half)])
        found.append(clusterer.predict_proba(z).argmax(axis=1))
    return quality.agreement(*found)
