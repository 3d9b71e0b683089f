"""Judging a checkpoint without labels: how consistent its clusters are, and how they lie.

Beside `consistency`, clusters are found anew from each half of the pile. Which scores follow the
true accuracy was measured: docs/measurements.md, "The score without labels".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from shoal.clustering.clustering import build_clusterer
from shoal.clustering.evidence import NOTHING
from shoal.clustering.n_clusters import CLEAR, TIED
from shoal.clustering.partitions import agreement
from shoal.clustering.splits import NEARLY
from shoal.embedding.reconstruction import reconstruction_mse
from shoal.embedding.table import equally_sure
from shoal.errors import CheckpointError, DataError
from shoal.images.remote.location import location
from shoal.images.shards import is_there
from shoal.images.vectors.source import noun_held
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import ChosenNumber
from shoal.models.provenance import program
from shoal.protocols import FloatArray, ImageSource, Track, silent
from shoal.recipes.named import RECIPES
from shoal.scoring import quality
from shoal.scoring.assignment import calibration_of
from shoal.scoring.consistency import FEWEST_IMAGES, combine, in_words
from shoal.scoring.evaluation_views import (
    changed_by,
    evaluation_views,
    keeps_intensity,
    light_counts,
)
from shoal.scoring.evidence import Evidence
from shoal.scoring.training_command import TrainingCommand, parse_training, trained_by
from shoal.scoring.under_augmentation import predict_views
from shoal.scoring.verdict import Verdict, decide

MOST_IMAGES = 4000
"""How many images are scored unless asked otherwise: the neighbour search is quadratic."""


@dataclass(frozen=True)
class LabelFreeScores:
    """Scores of a clustering that need no labels; see `quality` for each score.

    Those that need views or a reconstruction are NaN of vectors from elsewhere.
    """

    n_images: int
    """The number of images that were scored."""
    n_clusters: int
    """The number of clusters that they are in."""
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
    """The silhouette in the reduced embedding, in [-1, 1]."""
    normalised_cut: float
    """The mean normalised cut of a cluster in the neighbour graph, in [0, 1]; lower is better."""
    mse: float
    """The error of the reconstruction. It says nothing of the clusters, and is here to compare."""

    @property
    def combined(self) -> float:
        """One score, in [0, 1], see `consistency.combine`; NaN without views."""
        return combine(self.view_agreement, self.recognition)


COMBINED = "the geometric mean of view agreement and recognition (0 to 1)"
"""`LabelFreeScores.combined` in words."""


def verdict(scores: LabelFreeScores) -> str:
    """A sentence on what the scores say of this clustering, and two on what they cannot say."""
    if math.isnan(scores.combined):
        return (
            "Vectors cannot be shown differently, as pictures can: what these scores say is how "
            "clearly the clusters stand out, not whether they are the ones you want: look at them."
        )
    if scores.n_clusters < 2:
        found = "All images are in one cluster, so there is nothing to judge."
    else:
        found = in_words(scores.combined, scores.view_agreement).capitalize() + "."
    return (
        f"{found}\n"
        "Of two recipes on the same images with the same number of clusters, the one with the "
        "higher score is mostly more accurate. Between checkpoints of one run the score is a weak "
        "guide.\n"
        "The score does not tell how accurate the clusters are, or whether they are the ones you "
        "want: look at them."
    )


def verdict_on(
    checkpoint: Checkpoint, *, words: Sequence[str] | None = None, path: Path | None = None,
    data: Path | None = None,
) -> Verdict:  # fmt: skip
    """Whether the clusters of a finished checkpoint can be trusted, by what it holds alone.

    Args:
        checkpoint: a finished one, of any age.
        words: of the command line that trained it, after ``shoal``, by which to write the commands
            that come next; by default those that the checkpoint remembers.
        path: where the checkpoint is now, if that is not where it was trained.
        data: where its images are now, if that is known.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
    """
    if not checkpoint.finished:
        raise CheckpointError(
            "A checkpoint along the way has no clusters to judge; use the final file."
        )
    origin, facts, recipe = checkpoint.origin, checkpoint.facts, checkpoint.recipe
    calibrated = calibration_of(checkpoint)
    own = RECIPES.get(recipe.name)
    return decide(
        Evidence(
            n_images=checkpoint.n_images,
            n_clusters=recipe.n_clusters,
            n_nonempty=_n_nonempty(checkpoint),
            estimate=None if calibrated is None else calibrated.estimate,
            signals=None if calibrated is None else calibrated.signals,
            consistency=facts.consistency.get(checkpoint.step),
            separations=tuple(split.separation for split in facts.splits),
            tolerance=NEARLY,
            representation=facts.representation,
            warnings=facts.warnings,
            epochs=recipe.epochs,
            recipe_epochs=0.0 if own is None else own.epochs,
            minutes=origin.minutes,
            larger_size=origin.larger_size,
            colours=checkpoint.image_shape[2] == 3
            and bool(recipe.views.hue or recipe.views.saturation or light_counts(checkpoint)),
            changed=changed_by(evaluation_views(checkpoint), checkpoint.image_shape[2]),
            equally_sure=calibrated is not None and equally_sure(calibrated.confidences.ravel()),
            keeps_light=light_counts(checkpoint) or keeps_intensity(recipe),
            tried_views=origin.tried_views,
            halves_tell=2 * recipe.n_clusters <= checkpoint.n_images,
            number_is_settled=_is_settled(facts.chosen),
            others_are_clear=any(
                strength >= CLEAR
                for k, strength in facts.strengths.items()
                if k != recipe.n_clusters
            ),
            weighed=facts.weighed,
            unclear=_unclear(facts.chosen, recipe.n_clusters),
            vectors=checkpoint.n_dimensions > 0,
            training=training_of(checkpoint, words=words, path=path, data=data),
        )
    )


def _is_settled(chosen: ChosenNumber | None) -> bool:
    """Whether a number of clusters was chosen, and there is no use in trying others.

    That is so where one number alone is clear, or where no number is better than chance. In between
    the best number is a guess, and a person who looks at others may know better.
    """
    if chosen is None or not chosen.strengths:
        return False
    best = max(chosen.strengths.values())
    tied = sum(each >= best - TIED for each in chosen.strengths.values())
    return best < NOTHING or (best >= CLEAR and tied == 1)


def _unclear(chosen: ChosenNumber | None, n_clusters: int) -> float | None:
    """The strength of a number that was chosen, if neither it nor another one is clear."""
    if chosen is None or not chosen.strengths or max(chosen.strengths.values()) >= CLEAR:
        return None
    return chosen.strengths.get(n_clusters)


def _n_nonempty(checkpoint: Checkpoint) -> int:
    """Clusters that hold images of training."""
    splits = checkpoint.facts.splits
    if splits:
        return sum(size > 0 for size in splits[0].sizes)
    return checkpoint.recipe.n_clusters


def training_of(
    checkpoint: Checkpoint, *, words: Sequence[str] | None = None, path: Path | None = None,
    data: Path | None = None,
) -> TrainingCommand:  # fmt: skip
    """The command that trained it; of what is not known or no longer there, an ellipsis.

    The arguments are those of `verdict_on`.
    """
    known = None if words is None else parse_training(words)
    if known is not None:
        known = replace(known, program=tuple(program()))
    else:
        known = trained_by(checkpoint.origin.command)
    training = known or TrainingCommand()
    if path is None:
        return replace(training, verb="cluster") if checkpoint.n_dimensions else training
    of_run = path.name == "checkpoint.pth"
    if data is not None:
        training = replace(training, data=str(data))
    return replace(
        training,
        verb=_verb(checkpoint, of_run),
        data=training.data if is_there(location(training.data)) else TrainingCommand().data,
        out=str(path.parent if of_run else path),
    )


def _verb(checkpoint: Checkpoint, of_run: bool) -> str:
    if checkpoint.n_dimensions:
        return "cluster"
    return "run" if of_run else "train"


def judge(
    source: ImageSource, checkpoint: Checkpoint, *, most: int = MOST_IMAGES, seed: int = 0,
    device: str = "cpu", track: Track = silent,
) -> LabelFreeScores:  # fmt: skip
    """Score a checkpoint's clusters on ``source`` without labels.

    Args:
        source: at least 20 images, those it was trained on or others like them.
        checkpoint: a finished one.
        most: a larger pile is scored on a random sample of this many.
        seed: of the sample, the views and the halves; the same seed gives the same scores.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: fewer than 20 images.
    """
    if len(source) < FEWEST_IMAGES:
        raise DataError(
            f"scores without labels need at least {FEWEST_IMAGES} {noun_held(source)}s, "
            f"got {len(source)}."
        )
    seen = predict_views(source, checkpoint, most=most, seed=seed, device=device, track=track)
    table, (first, second) = seen.table, seen.views
    views, unknown = not checkpoint.n_dimensions, float("nan")
    return LabelFreeScores(
        n_images=len(table.labels),
        n_clusters=len(np.unique(table.labels)),
        view_agreement=seen.view_agreement if views else unknown,
        stability=_stability(table.embedding, checkpoint, seed),
        neighbour_purity=quality.neighbour_purity(table.embedding, table.labels),
        neighbour_overlap=quality.neighbour_overlap(first.embedding, second.embedding)
        if views
        else unknown,
        recognition=seen.recognition if views else unknown,
        silhouette=quality.silhouette(table.embedding, table.labels, seed=seed),
        normalised_cut=quality.normalised_cut(table.embedding, table.labels),
        mse=reconstruction_mse(seen.images, checkpoint, device=device, track=track)
        if views
        else unknown,
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
    return agreement(*found)
