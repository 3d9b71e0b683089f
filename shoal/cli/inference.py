"""What the commands ask of a checkpoint: predict, splits, scores with and without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal import pipeline
from shoal.corrections.division import Division
from shoal.embedding.reconstruction import reconstruction_mse
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.images.checks import check_n_clusters
from shoal.images.mixed_scales import describe_dim
from shoal.images.vectors.scale import describe_other_scale
from shoal.images.vectors.source import VectorSource, n_dimensions_of
from shoal.models.checkpoint import Checkpoint
from shoal.models.provenance import typed_words
from shoal.plural import of_vectors
from shoal.progress import Reporter
from shoal.protocols import ImageSource
from shoal.recipes.metric import COSINE
from shoal.scoring import compare_splits, evaluation, group_sizes, label_free, warnings
from shoal.scoring.assignment import by_chance
from shoal.scoring.compare_splits import ComparedSplit
from shoal.scoring.label_free import LabelFreeScores
from shoal.scoring.of_vectors import warn_without_direction
from shoal.training.allocator import keep_large_buffers
from shoal.training.devices import resolve_device

_SEARCHES, _OF_BLOCKS = "projection_pursuit", "streamed_kmeans"
"""The clusterer that looks for several ways to divide a pile, and that of very many vectors, in
whose place no other is taken."""


def predict(
    source: ImageSource,
    checkpoint: Checkpoint,
    report: Reporter,
    *,
    clusters: int | None = None,
    split: int = 1,
    device: str = "auto",
) -> ImageTable:
    """Assign the images, with progress; warn if new clusters are tiny or empty.

    Not of the checkpoint's own clusters: new images may well be of few of its kinds. Other images
    than those it learned from are also asked whether they are like any of them.
    """
    table = pipeline.predict(
        source,
        checkpoint,
        n_clusters=clusters,
        split=split,
        familiarity=source.digest() != checkpoint.origin.digest,
        device=ready(device),
        track=report,
    )
    warn_of(source, table, checkpoint, report, clusters=clusters)
    return table


def are_indistinct(table: ImageTable) -> bool:
    """Whether nothing tells the images apart: all have one embedding, or none is like those
    learned from, as far as that was asked."""
    strange = table.familiarity is not None and not table.familiarity.any()
    return strange or warnings.are_all_alike(table.embedding)


def warn_of(
    source: ImageSource, table: ImageTable, checkpoint: Checkpoint, report: Reporter, *,
    clusters: int | None = None,
) -> None:  # fmt: skip
    """Warn of what makes the clusters doubtful.

    That is a checkpoint that tells nothing apart, numbers of another scale, unfamiliar images,
    vectors without a direction, and tiny or empty new clusters.
    """
    are_vectors = checkpoint.n_dimensions > 0
    report.warn(*warnings.tells_nothing(source, table, checkpoint))
    if table.familiarity is not None:  # they are not those that it learned from
        report.warn(*_other_scale(source, checkpoint))
    if are_vectors and table.familiarity is None:  # else they are unlike any
        # Nothing was known of them: not all vectors need to be read again to find these.
        unsure = table.confidence == by_chance(clusters or checkpoint.recipe.n_clusters)
        report.warn(*warn_without_direction(source, checkpoint, np.flatnonzero(unsure)))
    report.warn(*warnings.unfamiliar(table, vectors=are_vectors))
    if clusters is not None and not group_sizes.few_images(len(table), clusters):
        tiny = group_sizes.tiny_clusters(np.bincount(table.labels, minlength=clusters))
        report.warn(*(map(of_vectors, tiny) if are_vectors else tiny))


def _other_scale(source: ImageSource, checkpoint: Checkpoint) -> list[str]:
    """Warn of images or vectors whose numbers are of another scale than those learned from."""
    if not isinstance(source, VectorSource):
        return describe_dim(source)
    by_direction = checkpoint.metric == COSINE
    return describe_other_scale(source, checkpoint.origin.numbers, by_direction=by_direction)


def splits(
    source: ImageSource, checkpoint: Checkpoint, report: Reporter, *, device: str = "auto"
) -> list[ComparedSplit]:
    """Describe the ways to divide the pile, with progress."""
    return compare_splits.compare(source, checkpoint, device=ready(device), track=report)


def more_splits(checkpoint: Checkpoint, data: Path, path: Path) -> str:
    """The command that looks for more ways to divide a pile; empty if none would.

    Args:
        checkpoint: a finished one.
        data: its images or vectors, where they are now.
        path: where it is.
    """
    if checkpoint.recipe.clusterer.name in (_SEARCHES, _OF_BLOCKS):
        return ""
    training = label_free.training_of(checkpoint, path=path)
    return replace(training, data=str(data)).again("more", setting=f"clusterer={_SEARCHES}")


def check_labels_or_none(labels: Path | None, no_labels: bool) -> None:
    """Raise unless either labels are given or it is said that there are none.

    Raises:
        DataError: both, or neither.
    """
    if no_labels == (labels is not None):
        if no_labels:
            raise DataError("LABELS and --no-labels cannot both be given; give one.")
        raise DataError("evaluate needs LABELS, or --no-labels to score without any.")


def evaluate(
    source: ImageSource, checkpoint: Checkpoint, labels: Path, *, device: str = "auto",
    division: Division, corrected: Callable[[ImageTable], ImageTable],
) -> dict[str, Any]:  # fmt: skip
    """Accuracy with its interval, NMI, ARI, MSE and calibration, as JSON values.

    Args:
        source: the images.
        checkpoint: a finished one.
        labels: the file of labels.
        device: where to embed.
        division: the division of the pile that is measured.
        corrected: gives a table with what a person corrected.
    """
    truth = evaluation.load_labels(labels, len(source), source.ids)
    device = ready(device)
    table = corrected(pipeline.predict(
        source, checkpoint, n_clusters=division.n_clusters, split=division.split, device=device
    ))  # fmt: skip
    scores = evaluation.score(table.labels, truth)
    bins = evaluation.calibration(table.confidence, table.labels, truth)
    rebuilt = {}
    if not checkpoint.n_dimensions:
        rebuilt["mse"] = reconstruction_mse(source, checkpoint, device=device)
    return asdict(scores) | {
        "accuracy_interval_95": list(evaluation.accuracy_interval(scores.accuracy, len(source))),
        **rebuilt,
        "calibration": [asdict(part) for part in bins],
    }


def in_words_for(source: ImageSource, text: str) -> str:
    """What is said of images, of vectors where the pile is of these. Not for text with ids."""
    if not n_dimensions_of(source):
        return text
    for column in ("images", "images in each"):  # which stay as wide as they are
        text = text.replace(f"{column}  ", f"{of_vectors(column)} ")
    return of_vectors(text)


def say_verdict(checkpoint: Checkpoint, report: Reporter) -> None:
    """Whether the clusters can be trusted, why, and what to do next: what a run ends with."""
    report.say(str(label_free.verdict_on(checkpoint, words=typed_words())))


def judge(
    source: ImageSource, checkpoint: Checkpoint, report: Reporter, *, device: str = "auto"
) -> LabelFreeScores:
    """Score the clusters without labels; cluster first if the checkpoint has no clusters."""
    device = ready(device)
    if not checkpoint.finished:
        report.say(
            "this checkpoint was kept along the way and has no clusters: they are found first, "
            f"among these {len(source):,} images"
        )
        check_n_clusters(checkpoint.recipe.n_clusters, len(source))
        checkpoint, _ = pipeline.cluster(source, checkpoint, device=device, track=report)
    return label_free.judge(source, checkpoint, device=device, track=report)


def ready(device: str) -> str:
    """The device asked for; embedding, too, is faster when buffers are kept."""
    keep_large_buffers()
    return resolve_device(device)
