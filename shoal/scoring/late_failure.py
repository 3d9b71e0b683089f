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
from shoal.scoring.under_augmentation import Survival, survival_of
from shoal.training.augmented_source import SAMPLE

_FAR = 0.1
"""In 36 runs of six kinds on three piles no earlier checkpoint led by more than 0.024."""
_LESS = 0.02
"""By how much fewer images must be recognised: more than the standard error of a share of 1,000
images, which is 0.016 at most. Training tells images apart better and better, unless it goes wrong.
"""


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
    consistent by a tenth of the scale and recognises more images; then the one at three quarters is
    compared as well. Consistency alone is not enough: where a pile can be divided in several ways
    that are about as good, another one may be found later, though the encoder got better.

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
    ended = survival_of(source, last, device=device)
    best, scores = last, {last.step: ended.consistency}
    files = history.of_the_second_half()
    for few in (files[:1], files[1:]):
        for file in track(few, "comparing", len(few)):
            kept = checkpoints.load(file)
            recipe = replace(kept.recipe, embedding=last.recipe.embedding)
            kept = replace(kept, recipe=replace(recipe, n_clusters=n_clusters))
            earlier, _ = cluster(some, kept, thorough=False, device=device)
            survival = survival_of(source, earlier, device=device)
            scores[earlier.step] = survival.consistency
            if _went_wrong_after(survival, ended) and survival.consistency > scores[best.step]:
                best = earlier
        if best is last:
            return _with_scores(fitted, scores)
    checkpoint, table = cluster(source, best, device=device, track=track)
    warning = warnings.went_wrong_late(best.epoch, scores[best.step], scores[last.step])
    facts = checkpoint.facts
    facts = replace(facts, warnings=(*facts.warnings, warning), chosen=last.facts.chosen)
    return _with_scores((replace(checkpoint, facts=facts), table), scores)


def _went_wrong_after(earlier: Survival, ended: Survival) -> bool:
    """Whether the groups are far less consistent by now, and images are told apart less."""
    return (
        earlier.consistency > ended.consistency + _FAR
        and earlier.recognition > ended.recognition + _LESS
    )


def _with_scores(
    fitted: tuple[Checkpoint, ImageTable], scores: Mapping[int, float]
) -> tuple[Checkpoint, ImageTable]:
    checkpoint, table = fitted
    facts = replace(checkpoint.facts, consistency=dict(sorted(scores.items())))
    return replace(checkpoint, facts=facts), table
