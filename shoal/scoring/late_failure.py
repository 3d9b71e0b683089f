"""A guard against training that went wrong late: an earlier checkpoint may be the better one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from shoal.embedding.pixel_components import PIXELS
from shoal.embedding.table import ImageTable
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.protocols import ImageSource, Track, silent
from shoal.scoring import warnings
from shoal.scoring.consistency import FEWEST_IMAGES
from shoal.scoring.under_augmentation import consistency_of
from shoal.training.augmented_source import SAMPLE

_FAR = 0.1
"""In 36 runs of six kinds on three piles no earlier checkpoint led by more than 0.024."""


class Cluster(Protocol):
    """`pipeline.cluster`, which is above this room."""

    def __call__(
        self, source: ImageSource, checkpoint: Checkpoint, *, thorough: bool = True,
        device: str = "cpu", track: Track = silent,
    ) -> tuple[Checkpoint, ImageTable]: ...  # fmt: skip


def guard(
    source: ImageSource, fitted: tuple[Checkpoint, ImageTable], history: CheckpointHistory,
    cluster: Cluster, *, device: str = "cpu", track: Track = silent,
) -> tuple[Checkpoint, ImageTable]:  # fmt: skip
    """The last checkpoint of a run, or an earlier one with far more consistent clusters.

    As the learning rate falls checkpoints get better, and within a run consistency orders them only
    weakly (benchmarks/LOG.md). So the last one stays unless the one at half of the run is more
    consistent by a tenth of the scale; then the one at three quarters is compared as well.

    Args:
        source: the images.
        fitted: the last checkpoint, finished, and its table.
        history: of the run.
        cluster: finishes a checkpoint.
        device: where the encoder runs.
        track: shows progress.

    Returns:
        The checkpoint to keep, finished on all images, and its table. The checkpoint's facts hold
        the consistency of all that were compared.
    """
    last, _ = fitted
    n_clusters = last.recipe.n_clusters
    if last.recipe.embedding == PIXELS:
        return fitted  # in which training has no part
    if n_clusters < 2 or len(source) < max(FEWEST_IMAGES, n_clusters):
        return fitted  # nothing to compare, or too few images to compare by
    some = Subset(source, sample_rows(len(source), max(SAMPLE, n_clusters), last.recipe.seed))
    best, scores = last, {last.step: consistency_of(source, last, device=device)}
    files = history.of_the_second_half()
    for few in (files[:1], files[1:]):
        for file in track(few, "comparing", len(few)):
            kept = checkpoints.load(file)
            recipe = replace(kept.recipe, embedding=last.recipe.embedding)
            kept = replace(kept, recipe=replace(recipe, n_clusters=n_clusters))
            earlier, _ = cluster(some, kept, thorough=False, device=device)
            scores[earlier.step] = consistency_of(source, earlier, device=device)
            if scores[earlier.step] > max(scores[best.step], scores[last.step] + _FAR):
                best = earlier
        if best is last:
            return _with_scores(fitted, scores)
    checkpoint, table = cluster(source, best, device=device, track=track)
    warning = warnings.went_wrong_late(best.epoch, scores[best.step], scores[last.step])
    facts = checkpoint.facts
    facts = replace(facts, warnings=(*facts.warnings, warning), chosen=last.facts.chosen)
    return _with_scores((replace(checkpoint, facts=facts), table), scores)


def _with_scores(
    fitted: tuple[Checkpoint, ImageTable], scores: Mapping[int, float]
) -> tuple[Checkpoint, ImageTable]:
    checkpoint, table = fitted
    facts = replace(checkpoint.facts, consistency=dict(sorted(scores.items())))
    return replace(checkpoint, facts=facts), table
