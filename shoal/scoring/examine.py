"""Completing a new checkpoint: its confidence is calibrated, and its clusters are looked over."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from shoal.clustering.clustering import Clustering, build_clusterer, clustering_of
from shoal.embedding import out_of_distribution
from shoal.embedding.pixel_components import PIXELS
from shoal.embedding.reduce import Reduction, reduce
from shoal.errors import DataError
from shoal.images.sampling import sample_rows
from shoal.models.checkpoint import Checkpoint
from shoal.protocols import FloatArray, ImageSource, IntArray
from shoal.recipes.recipe import Recipe
from shoal.scoring import calibration, of_vectors, signals, warnings
from shoal.scoring.appearance import identities, light_and_colours
from shoal.scoring.assignment import calibration_of
from shoal.scoring.calibration import Calibration
from shoal.scoring.evaluation_views import evaluation_views, light_counts
from shoal.scoring.group_sizes import FEW_TO_GROUP
from shoal.scoring.halves import as_dense
from shoal.scoring.representation import enough
from shoal.scoring.structure import describe_structure, predictability
from shoal.training.augmented_source import SAMPLE, views_of


def examine(
    source: ImageSource, finished: Checkpoint, reduction: Reduction, clustering: Clustering, *,
    device: str = "cpu",
) -> Checkpoint:  # fmt: skip
    """Return a finished checkpoint with its calibration, its warnings and its familiar images.

    Args:
        source: the images that it learned from.
        finished: with clusters.
        reduction: how its images were reduced.
        clustering: its clusters.
        device: where the encoder runs.
    """
    z, rows = reduction.fitted, reduction.rows
    sample = sample_rows(len(source), SAMPLE, finished.recipe.seed)
    seen = np.union1d(rows, sample)  # each picture is compared with the others once
    copies = (of_vectors.identities if finished.n_dimensions else identities)(source, seen)
    identity, of_sample = (copies[np.searchsorted(seen, some)] for some in (rows, sample))
    calibrations = _calibrate(source, finished, z, clustering, of_sample, device=device)
    sizes = np.zeros(finished.recipe.n_clusters, dtype=np.int64)
    known = finished.facts.splits[0].sizes  # without the empty clusters at the end
    sizes[: len(known)] = known
    labels = clustering.predict(z[rows])
    if finished.n_dimensions:
        doubts = of_vectors.diagnose(source, finished, rows, sizes, identity)
    else:
        shown = calibrations[0].signals.shown if calibrations else math.nan
        doubts = warnings.diagnose(
            source, finished, reduction.sample, labels, rows, sizes, identity, shown
        )
    return replace(
        finished,
        calibration=calibration.to_arrays(calibrations),
        facts=replace(finished.facts, warnings=tuple(doubts)),
        familiar=out_of_distribution.fit_reference(
            source, finished, reduction.sample, rows, clustering.reference, device=device
        ),
    )


def calibrate(source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu") -> Checkpoint:
    """Return a finished checkpoint with its confidence calibrated, also one of an older shoal.

    Its clusters and labels stay as they are; only what `predict` says of confidence changes.

    Args:
        source: the images it was trained on.
        checkpoint: a finished one; left as it is.
        device: where the encoder runs.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
        DataError: the checkpoint was trained on other images.

    >>> older = shoal.load("best.pth")  # doctest: +SKIP
    >>> shoal.save(calibrate(source, older), "calibrated.pth")  # doctest: +SKIP
    """
    clustering = clustering_of(checkpoint)
    if checkpoint.origin.digest != source.digest():
        raise DataError("the checkpoint was trained on other images; give the images it learned.")
    z = reduce(source, checkpoint, device=device)
    sample = sample_rows(len(source), SAMPLE, checkpoint.recipe.seed)
    copies = (of_vectors.identities if checkpoint.n_dimensions else identities)(source, sample)
    calibrations = _calibrate(source, checkpoint, z, clustering, copies, device=device)
    return replace(checkpoint, calibration=calibration.to_arrays(calibrations))


def calibrate_again(
    checkpoint: Checkpoint, clustering: Clustering, candidate: int
) -> Calibration | None:
    """Calibrate a candidate of another clustering, by the points that a checkpoint remembers.

    Views of the images were compared when the checkpoint was made. They tell how well the embedding
    recognises an image, which is the same for all clusters in it.

    Returns:
        The calibration; None if the checkpoint has none, as older ones.
    """
    before = calibration_of(checkpoint)
    if before is None:
        return None
    seed, z = checkpoint.recipe.seed, clustering.reference
    if checkpoint.n_dimensions:
        n_clusters = clustering.predict_proba(z[:1]).shape[1]
        recipe = replace(checkpoint.recipe, n_clusters=n_clusters)
        by = of_vectors.judged_again(z, recipe, seed, before.signals.beyond_noise)
        return weigh(recipe, clustering, by.z, by.rows, [], signals.NO_VIEWS, by.told)[candidate]
    known = signals.ViewSignals(before.signals.neighbour_overlap, before.signals.recognition)
    rows = sample_rows(len(z), SAMPLE, seed)
    # Of clusters in the same embedding: the nearest that is known.
    told = signals.Told(before.signals.shown, before.signals.light)
    return weigh(checkpoint.recipe, clustering, z, rows, [], known, lambda _: told)[candidate]


def weigh(
    recipe: Recipe, clustering: Clustering, z: FloatArray, rows: IntArray,
    viewed: list[FloatArray], view_signals: signals.ViewSignals,
    told: Callable[[IntArray], signals.Told], identity: IntArray | None = None,
) -> list[Calibration]:  # fmt: skip
    """Calibrate the memberships of each candidate.

    Args:
        recipe: decides how other clusterers are made, for comparison.
        clustering: with its candidates.
        z: float32 (n, d), the embedding that it was fitted on.
        rows: int64 (m,), a sample of the images.
        viewed: the embedding of views of these, each float32 (m, d); there may be none.
        view_signals: how well the views agree.
        told: what is known of their clusters int64 (m,) beside the embedding.
        identity: int64 (m,), see `appearance.identities`; None if it is not known.
    """
    n_clusters = clustering.predict_proba(z[:1]).shape[1]

    def refit(points: FloatArray, seed: int) -> Callable[[FloatArray], list[IntArray]]:
        another = build_clusterer(replace(recipe, seed=seed), n_clusters).fit(points)
        return lambda asked: [proba.argmax(axis=1) for proba in another.predict_proba_each(asked)]

    halve = None
    if not recipe.has_encoder:
        fitted = z[signals.fitted_rows(len(z), n_clusters, recipe.seed)]
        halve = as_dense(clustering.predict(fitted), n_clusters)
    reclusterings = signals.recluster(z, rows, n_clusters, refit, recipe.seed, halve)
    asked = np.concatenate([z[rows], *viewed])
    calibrations = []
    for proba in clustering.predict_proba_each(asked):
        membership, *seen = np.split(proba, 1 + len(viewed))
        views, labels = [view.argmax(axis=1) for view in seen], membership.argmax(axis=1)
        calibrations.append(
            calibration.calibrate(
                z[rows], membership, reclusterings, view_signals, views, identity, told(labels)
            )
        )  # fmt: skip
    return calibrations


def _calibrate(
    source: ImageSource, checkpoint: Checkpoint, z: FloatArray, clustering: Clustering,
    identity: IntArray, *, device: str,
) -> list[Calibration]:  # fmt: skip
    """Calibrate each candidate, by a sample of images and two views of each.

    Vectors from elsewhere have no views: what these would tell is not known then. Of the pixels
    the overlap of neighbours is not asked: it tells a trained embedding from an untrained one, and
    here nothing was trained; where views change little it would make any clusters seem right
    (benchmarks/calibration_pixels.py).

    Args:
        source: the images that ``clustering`` was fitted on.
        checkpoint: with the encoder and the reducers.
        z: float32 (n, d), the reduced embedding of the images.
        clustering: its candidates in their order.
        identity: int64 (m,), of the sample of images, see `appearance.identities`.
        device: where the encoder runs.
    """
    recipe = checkpoint.recipe
    if recipe.n_clusters < 2:
        return []
    if checkpoint.n_dimensions:
        by = of_vectors.judged(source, checkpoint, z)
        return weigh(
            recipe, clustering, by.z, by.rows, [], signals.NO_VIEWS, by.told, by.identity
        )  # fmt: skip
    plain, *others = views_of(source, evaluation_views(checkpoint), most=SAMPLE, seed=recipe.seed)
    viewed = [reduce(images, checkpoint, device=device) for images in others]
    view_signals = signals.compare_views(viewed[0], viewed[1], identity)
    if recipe.embedding == PIXELS:
        view_signals = replace(view_signals, neighbour_overlap=math.nan)
    told = _told_of(plain, checkpoint, identity)
    return weigh(recipe, clustering, z, plain.rows, viewed, view_signals, told, identity)


def _told_of(
    images: ImageSource, checkpoint: Checkpoint, identity: IntArray
) -> Callable[[IntArray], signals.Told]:
    """What says how well clusters int64 (m,) of these m images are told beside the embedding.

    Of few different images any groups look clear, those of noise as well: nothing is known of them.
    """
    if len(np.unique(identity)) < FEW_TO_GROUP:
        return lambda _: signals.Told(beyond_noise=0.0)
    rows = np.arange(len(images))
    structure = light = None
    if enough(len(images), checkpoint.recipe.n_clusters):
        structure = describe_structure(images, rows)
    if structure is not None and not light_counts(checkpoint):
        light = light_and_colours(images, rows)

    def told(labels: IntArray) -> signals.Told:
        shown, by_light = (
            math.nan if each is None else predictability(each, labels)
            for each in (structure, light)
        )
        return signals.Told(shown, by_light)

    return told
