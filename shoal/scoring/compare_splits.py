"""The ways a finished checkpoint can divide a pile, side by side, without labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from shoal.clustering import splits
from shoal.clustering.fitted import build_clusterer, fitted_clusterer
from shoal.clustering.partitions import overlap
from shoal.clustering.splits import Split
from shoal.embedding.reduce import reduce
from shoal.embedding.table import ImageTable
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import Clusterer, ImageSource, IntArray, Track, silent
from shoal.scoring.assignment import assign, calibration_of
from shoal.training.augmented_source import EVALUATION_VIEWS, Shown

_RUNS = 5
_VIEWED = 2000


@dataclass(frozen=True)
class Alternative:
    """One way to divide the pile. The three shares are in [0, 1], and chance is 1 / k or more."""

    split: Split
    table: ImageTable
    """Every image's cluster under it."""
    stability: float
    """Share of images divided alike by the nearest candidate found from half of the training
    images with another seed, the mean over five such halves."""
    view_agreement: float
    """Share of images that stay in their cluster when shown cropped, turned and recoloured."""
    agreement: tuple[float, ...]
    """Share of images divided alike by each of the alternatives, itself among them."""

    def to_json(self) -> dict[str, Any]:
        """All but the table, as JSON values."""
        return asdict(self.split) | {
            "score": self.split.score,
            "stability": self.stability,
            "view_agreement": self.view_agreement,
            "agreement": list(self.agreement),
        }


def compare(
    source: ImageSource, checkpoint: Checkpoint, *, seed: int = 0, device: str = "cpu",
    track: Track = silent,
) -> list[Alternative]:  # fmt: skip
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
    clusterer = fitted_clusterer(checkpoint)
    z = reduce(source, checkpoint, device=device, track=track)
    shown = Shown(source, EVALUATION_VIEWS, most=_VIEWED, seed=seed, stream=1)
    viewed = splits.candidates(clusterer, reduce(shown, checkpoint, device=device, track=track))
    stability = _stability(clusterer, checkpoint, seed, track)
    described = splits.describe(source, clusterer, z)
    tables = [
        assign(source, z, each, calibration_of(checkpoint, number))
        for number, each in enumerate(splits.in_turn(clusterer), start=1)
    ]
    return [
        Alternative(
            split=described[index],
            table=table,
            stability=stability[index],
            view_agreement=float((table.labels[shown.rows] == viewed[index]).mean()),
            agreement=tuple(overlap(table.labels, other.labels) for other in tables),
        )
        for index, table in enumerate(tables)
    ]


def _stability(
    clusterer: Clusterer, checkpoint: Checkpoint, seed: int, track: Track
) -> list[float]:
    reference, recipe = clusterer.reference, checkpoint.recipe
    found = splits.candidates(clusterer, reference)
    best: list[list[float]] = []
    for run in track(range(_RUNS), "resampling", _RUNS):
        order = np.random.default_rng([seed, run]).permutation(len(reference))
        half = np.sort(order[: max(len(order) // 2, min(len(order), recipe.n_clusters))])
        another = build_clusterer(replace(recipe, seed=seed + run + 1), recipe.n_clusters)
        others: list[IntArray] = splits.candidates(another.fit(reference[half]), reference)
        best.append([max(overlap(labels, other) for other in others) for labels in found])
    return np.mean(best, axis=0).tolist()
