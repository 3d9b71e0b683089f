"""The ways a finished checkpoint can divide a pile, side by side, without labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from shoal.clustering import splits
from shoal.clustering.clustering import Clustering, build_clusterer, clustering_of
from shoal.clustering.noise import is_noise
from shoal.clustering.partitions import overlap
from shoal.embedding.reduce import reduce
from shoal.embedding.table import ImageTable
from shoal.images.subset import Subset
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import Split
from shoal.protocols import ImageSource, IntArray, Track, silent
from shoal.scoring.assignment import assign, calibration_of, set_aside
from shoal.scoring.evaluation_views import evaluation_views
from shoal.training.augmented_source import AugmentedSource

_RUNS = 5
_VIEWED = 2000


@dataclass(frozen=True)
class ComparedSplit:
    """One way to divide the pile. The three shares are in [0, 1], and chance is 1 / k or more."""

    split: Split
    table: ImageTable
    """Every image's cluster under it."""
    stability: float
    """Share of images divided alike by the nearest candidate found from half of the training
    images with another seed, the mean over five such halves."""
    view_agreement: float | None
    """Share of images that stay in their cluster when shown cropped, turned and recoloured; None of
    vectors from elsewhere, which cannot be shown so."""
    agreement: tuple[float, ...]
    """Share of images divided alike by each of the alternatives, itself among them."""

    def to_json(self) -> dict[str, Any]:
        """All but the table, as JSON values."""
        return asdict(self.split) | {
            "score": splits.score(self.split),
            "stability": self.stability,
            "view_agreement": self.view_agreement,
            "agreement": list(self.agreement),
        }


def compare(
    source: ImageSource, checkpoint: Checkpoint, *, seed: int = 0, device: str = "cpu",
    track: Track = silent,
) -> list[ComparedSplit]:  # fmt: skip
    """Describe every candidate that the checkpoint holds, in its order: the first is its choice.

    Args:
        source: the images it was trained on, or others like them.
        checkpoint: a finished one.
        seed: of the views and the halves; the same seed gives the same numbers.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    clustering = clustering_of(checkpoint)
    z = reduce(source, checkpoint, device=device, track=track)
    within = ~is_noise(z, checkpoint.noise)  # the rest was set aside before
    viewed: list[IntArray] | None = None
    if not checkpoint.n_dimensions:
        views = evaluation_views(checkpoint)
        shown = AugmentedSource(source, views, most=_VIEWED, seed=seed, stream=1)
        viewed = clustering.candidates(reduce(shown, checkpoint, device=device, track=track))
        seen = shown.rows[within[shown.rows]]
    stability = _stability(clustering, checkpoint, seed, track)
    some = source if within.all() else Subset(source, np.flatnonzero(within))
    described = splits.describe(some, clustering, z[within])
    tables = [
        assign(source, z, clustering, calibration_of(checkpoint, candidate), candidate)
        for candidate in range(clustering.n_candidates)
    ]
    found = [table.labels[within] for table in tables]
    return [
        ComparedSplit(
            split=described[index],
            table=set_aside(table, checkpoint, checkpoint.recipe.n_clusters),
            stability=stability[index],
            view_agreement=None
            if viewed is None
            else float((table.labels[seen] == viewed[index][within[shown.rows]]).mean()),
            agreement=tuple(overlap(found[index], other) for other in found),
        )
        for index, table in enumerate(tables)
    ]


def _stability(
    clustering: Clustering, checkpoint: Checkpoint, seed: int, track: Track
) -> list[float]:
    reference, recipe = clustering.reference, checkpoint.recipe
    own = clustering.candidates(reference)
    best: list[list[float]] = []
    for run in track(range(_RUNS), "resampling", _RUNS):
        order = np.random.default_rng([seed, run]).permutation(len(reference))
        half = np.sort(order[: max(len(order) // 2, min(len(order), recipe.n_clusters))])
        another = build_clusterer(replace(recipe, seed=seed + run + 1), recipe.n_clusters)
        others = Clustering(another.fit(reference[half])).candidates(reference)
        best.append([max(overlap(labels, other) for other in others) for labels in own])
    return np.mean(best, axis=0).tolist()
