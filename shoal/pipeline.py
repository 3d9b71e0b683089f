"""The straight line: a pile of images in, a table of clusters out. Read this file first.

```
open_source ─▶ train ─▶ a history of checkpoints ─▶ embed ─▶ reduce ─▶ cluster ─▶ checkpoint
open_source + checkpoint ─▶ embed ─▶ reduce ─▶ assign ─▶ ImageTable ─▶ prediction.csv
```
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from shoal.clustering import splits
from shoal.clustering.fitted import build_clusterer, fitted_clusterer
from shoal.embedding import out_of_distribution
from shoal.embedding.embed import embed
from shoal.embedding.reduce import fit_reducers, reduce
from shoal.embedding.table import ImageTable
from shoal.errors import DataError, Interrupted
from shoal.images.checks import check_n_clusters, check_same_range
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.history import CheckpointHistory
from shoal.protocols import (
    Clusterer,
    FloatArray,
    ImageSource,
    Track,
    silent,
)
from shoal.recipes.recipe import Recipe
from shoal.scoring import calibration, consistency, signals, warnings
from shoal.scoring.assignment import assign, calibrate_again, calibration_of, weigh
from shoal.scoring.calibration import Calibration
from shoal.scoring.under_augmentation import look
from shoal.training.augmented_source import SAMPLE, show
from shoal.training.loop import train
from shoal.training.schedule import n_steps
from shoal.training.time_limit import TimeLimit

_REDUCED_WHOLE = 50_000
"""The reducers of a larger pile learn from a random sample of this many images: what they learn
from is in memory at once, 4 kB an image and more where codes are long."""
_FAR = 0.1
"""In 36 runs of six kinds on three piles no earlier checkpoint was steadier by more than 0.024."""


def fit(
    source: ImageSource,
    path: str | Path,
    recipe: Recipe,
    *,
    device: str = "cpu",
    resume: Checkpoint | None = None,
    notes: dict[str, Any] | None = None,
    limit: TimeLimit | None = None,
    track: Track = silent,
) -> Checkpoint:
    """Train on ``source``, cluster it, and write the finished checkpoint to ``path``.

    That is the last one, unless one along the way has far steadier clusters.

    Raises:
        ShoalError: see `train`; `Interrupted` when ``track`` asks to stop between two steps, after
            the state to resume from was saved.
    """
    check_n_clusters(recipe.n_clusters, len(source))
    history = CheckpointHistory(path)
    steps = train(source, recipe, device=device, resume=resume, notes=notes, limit=limit)
    checkpoint = resume
    try:
        for checkpoint in track(steps, "training", n_steps(recipe, len(source))):
            if checkpoint.step == 1:
                history.begin()  # not before: a run that cannot start must not cost an older one
            history.save(checkpoint)
    except Interrupted:
        if checkpoint is not None:
            history.save(checkpoint, now=True)
        raise
    assert checkpoint is not None  # a run has at least one step
    if limit is not None:  # as long as it became
        recipe = replace(checkpoint.recipe, epochs=round(checkpoint.epoch, 3))
        checkpoint = replace(checkpoint, recipe=recipe)
    checkpoint = organise(source, checkpoint, device=device, track=track)
    if limit is None or limit.left_for_extras() > 0:
        checkpoint = steadiest(source, checkpoint, history, device=device, track=track)
    checkpoints.save(checkpoint, path)
    history.finish()
    return checkpoint


def organise(
    source: ImageSource, checkpoint: Checkpoint, *, examine: bool = True, device: str = "cpu",
    track: Track = silent,
) -> Checkpoint:  # fmt: skip
    """Embed, reduce and cluster the images a checkpoint was trained on; return it finished.

    The provenance tells of the ``splits`` among which one was chosen, see `Split`, and, as
    sentences, of ``warnings``: what makes the clusters doubtful.

    Args:
        source: the images.
        checkpoint: without clusters, or with others, which are forgotten.
        examine: look for what to warn of, and remember what new images are to be compared with;
            a checkpoint that only its clusters are wanted of does without, and is ready sooner.
        device: where the encoder runs.
        track: shows progress.
    """
    recipe = checkpoint.recipe
    rows = warnings.sample(len(source))
    if len(source) <= _REDUCED_WHOLE:
        embedding = embed(source, checkpoint, device=device, track=track)
        z, checkpoint = fit_reducers(embedding, checkpoint, track)
        embedding = embedding[rows]
    else:
        some = Subset(source, sample_rows(len(source), _REDUCED_WHOLE, recipe.seed))
        embedding = embed(some, checkpoint, device=device, track=track)
        _, checkpoint = fit_reducers(embedding, checkpoint, track)
        z = reduce(source, checkpoint, device=device, track=track)
        embedding = embed(Subset(source, rows), checkpoint, device=device)
    clusterer = build_clusterer(recipe, recipe.n_clusters)
    for step in track([clusterer], "clustering", 1):
        step.fit(z)
    found = splits.choose(source, clusterer, z)
    finished = replace(
        checkpoint,
        optimizer_states=None,
        provenance=checkpoint.provenance | {"splits": splits.to_json(found)},
        clusterer=clusterer.get_arrays(),
    )
    if not examine:
        return finished
    finished.calibration = calibration.to_arrays(
        _calibrate(source, finished, z, clusterer, device=device)
    )
    labels = assign(source, z, clusterer, calibration_of(finished)).labels
    sizes = np.bincount(labels, minlength=recipe.n_clusters)
    doubts = warnings.diagnose(source, checkpoint, embedding, labels[rows], rows, sizes)
    return replace(
        finished,
        provenance=finished.provenance | {"warnings": doubts},
        familiar=out_of_distribution.fit_reference(
            source, checkpoint, embedding, rows, device=device
        ),
    )


def steadiest(
    source: ImageSource, last: Checkpoint, history: CheckpointHistory, *, device: str = "cpu",
    track: Track = silent,
) -> Checkpoint:  # fmt: skip
    """The finished checkpoint ``last`` of a run, or an earlier one with far steadier clusters.

    As the learning rate falls checkpoints get better, and within a run steadiness orders them only
    weakly (benchmarks/LOG.md). So this is a guard against training that went wrong late: the last
    stays unless the one at half of the run is steadier by a tenth of the scale; then the one at
    three quarters is asked as well.

    The provenance tells the ``steadiness`` of all asked, by their step.
    """
    n_clusters, seed = last.recipe.n_clusters, last.recipe.seed
    if n_clusters < 2 or len(source) < max(consistency.FEWEST_IMAGES, n_clusters):
        return last  # nothing to tell, or too few to tell it from
    some = Subset(source, sample_rows(len(source), max(SAMPLE, n_clusters), seed))
    best, scores = last, {last.step: steadiness_of(source, last, device=device)}
    files = history.of_the_second_half()
    for asked in (files[:1], files[1:]):
        for file in track(asked, "comparing", len(asked)):
            earlier = organise(some, checkpoints.load(file), examine=False, device=device)
            scores[earlier.step] = steadiness_of(source, earlier, device=device)
            if scores[earlier.step] > max(scores[best.step], scores[last.step] + _FAR):
                best = earlier
        if best is last:
            break
    if best is not last:
        best = organise(source, best, device=device, track=track)
        warning = warnings.went_wrong_late(best.epoch, scores[best.step], scores[last.step])
        best.provenance["warnings"].append(warning)
    told = {str(step): scores[step] for step in sorted(scores)}
    return replace(best, provenance=best.provenance | {"steadiness": told})


def steadiness_of(source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu") -> float:
    """How steady a finished checkpoint's clusters are, see `steadiness.combine`, in [0, 1].

    Args:
        source: the images that the clusters were found in.
        checkpoint: a finished one.
        device: where the encoder runs.
    """
    calibrated = calibration_of(checkpoint)
    if calibrated is not None:  # the same images were shown then
        return round(calibrated.signals.steadiness, 4)
    seed = checkpoint.recipe.seed
    seen = look(source, checkpoint, most=SAMPLE, seed=seed, device=device)
    return round(seen.steadiness, 4)


def predict(
    source: ImageSource,
    checkpoint: Checkpoint,
    *,
    n_clusters: int | None = None,
    split: int = 1,
    new: bool = False,
    device: str = "cpu",
    track: Track = silent,
) -> ImageTable:
    """Assign each image to a cluster with what the checkpoint holds alone.

    Args:
        source: the images trained on or new ones; an image's cluster does not depend on the rest.
        checkpoint: a finished one.
        n_clusters: another number of clusters than the recipe's, found anew among the images
            remembered from training.
        split: which of the ways to divide the pile, counted from 1, see `splits`.
        new: whether to say also how familiar each image is; this takes twice the time.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: more clusters than images, or a split that was not found.
    """
    if n_clusters is not None:
        check_n_clusters(n_clusters, len(source))
    check_same_range(getattr(source, "pixel_range", None), checkpoint.pixel_range)
    recipe = checkpoint.recipe
    clusterer, calibrated = fitted_clusterer(checkpoint), calibration_of(checkpoint, split)
    if n_clusters is not None and n_clusters != recipe.n_clusters:
        check_n_clusters(n_clusters, len(clusterer.reference))
        clusterer = build_clusterer(recipe, n_clusters).fit(clusterer.reference)
        if 1 <= split <= clusterer.n_candidates:
            calibrated = calibrate_again(checkpoint, clusterer, split)
    splits.select(clusterer, split)
    if not new or not checkpoint.familiar:  # an older checkpoint cannot tell
        z = reduce(source, checkpoint, device=device, track=track)
        return assign(source, z, clusterer, calibrated)
    distances: list[FloatArray] = []

    def noticed(block: FloatArray) -> None:
        distances.append(out_of_distribution.mahalanobis(block, checkpoint.familiar))

    z = reduce(source, checkpoint, device=device, track=track, noticed=noticed)
    familiarity = out_of_distribution.familiarity(
        source, checkpoint, np.concatenate(distances), device=device, track=track
    )
    return replace(assign(source, z, clusterer, calibrated), familiarity=familiarity)


def calibrate(source: ImageSource, checkpoint: Checkpoint, *, device: str = "cpu") -> Checkpoint:
    """A finished checkpoint, of an older shoal too, with what its memberships are worth.

    Its clusters and labels stay as they are; only what `predict` says of confidence changes.

    Args:
        source: the images it was trained on.
        checkpoint: a finished one; left as it is.
        device: where the encoder runs.

    Raises:
        CheckpointError: the checkpoint is one along the way, without clusters.
        DataError: the images are others than it was trained on.

    >>> older = checkpoints.load("best.pth")  # doctest: +SKIP
    >>> checkpoints.save(calibrate(source, older), "calibrated.pth")  # doctest: +SKIP
    """
    clusterer = fitted_clusterer(checkpoint)
    if checkpoint.provenance.get("fingerprint") != source.digest():
        raise DataError("the checkpoint was trained on other images than these; give it its own.")
    z = reduce(source, checkpoint, device=device)
    found = _calibrate(source, checkpoint, z, clusterer, device=device)
    return replace(checkpoint, calibration=calibration.to_arrays(found))


def _calibrate(
    source: ImageSource, checkpoint: Checkpoint, z: FloatArray, clusterer: Clusterer, *,
    device: str,
) -> list[Calibration]:  # fmt: skip
    """What the memberships of each candidate are worth, by a sample of images and two views.

    Args:
        source: the images that ``clusterer`` was fitted on.
        checkpoint: with the encoder and the reducers.
        z: float32 (n, d), their reduced embedding.
        clusterer: its candidates in their order; left as it is.
        device: where the encoder runs.
    """
    recipe = checkpoint.recipe
    if recipe.n_clusters < 2:
        return []
    plain, *others = show(source, most=SAMPLE, seed=recipe.seed)
    viewed = [reduce(images, checkpoint, device=device) for images in others]
    return weigh(recipe, clusterer, z, plain.rows, viewed, signals.show(viewed[0], viewed[1]))
