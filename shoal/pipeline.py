"""The straight line: a pile of images in, a table of clusters out. Read this file first.

```
open_source ─▶ train ─▶ a history of checkpoints ─▶ embed ─▶ reduce ─▶ cluster ─▶ checkpoint, table
open_vectors ─▶ (embed: they are there) ─▶ reduce ─▶ cluster ─▶ checkpoint, table
open_source + checkpoint ─▶ embed ─▶ reduce ─▶ assign ─▶ table ─▶ prediction.csv
```
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from shoal.clustering import splits
from shoal.clustering.choose_k import choose_k, weigh_beside
from shoal.clustering.choose_metric import metric_for
from shoal.clustering.clustering import Clustering, build_clusterer
from shoal.clustering.noise import fit_noise, is_noise, without_noise
from shoal.embedding.out_of_distribution import reduce_with_familiarity, without_direction
from shoal.embedding.reduce import Reduction, fit_reduction, reduce
from shoal.embedding.table import ImageTable
from shoal.images.checks import check_n_clusters, check_same_range
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.images.vectors.scale import numbers_of
from shoal.images.vectors.source import VectorSource
from shoal.models import checkpoint as checkpoints
from shoal.models.checkpoint import Checkpoint
from shoal.models.facts import ClusterFacts, Origin, Split
from shoal.models.history import CheckpointHistory
from shoal.protocols import Array, ImageSource, IntArray, Track, silent
from shoal.recipes.recipe import Recipe
from shoal.scoring import late_failure, representation
from shoal.scoring.assignment import assign, calibration_of, set_aside, unsure_of
from shoal.scoring.examine import examine
from shoal.scoring.way import Way, way_of
from shoal.training.loop import train
from shoal.training.schedule import n_steps
from shoal.training.time_limit import TimeLimit

Trainer = Callable[..., Generator[Checkpoint]]
"""What is called as `train` is, and yields the states of a run."""


def fit(
    source: ImageSource, path: str | Path, recipe: Recipe, *, auto_k: bool = False,
    device: str = "cpu", resume: Checkpoint | None = None, force: bool = False,
    origin: Origin | None = None, notes: Mapping[str, Any] | None = None,
    limit: TimeLimit | None = None, groups: IntArray | None = None, keep_better: bool = False,
    track: Track = silent,
    watch: Callable[[Iterator[Checkpoint]], Iterable[Checkpoint]] | None = None,
    most: int | None = None, trainer: Trainer | None = None,
) -> tuple[Checkpoint, ImageTable]:  # fmt: skip
    """Train on ``source``, cluster it, and write the finished checkpoint to ``path``.

    That is the last checkpoint, unless an earlier one has far more consistent clusters.

    Args:
        source: at least 2 images.
        path: the finished checkpoint. The history of the run lies in ``<path>.history/``.
        recipe: what to do.
        auto_k: choose the number of clusters after training, in place of the recipe's.
        device: cpu or cuda.
        resume: the state of an interrupted run of the same recipe on the same images.
        force: begin anew where an earlier run lies. It is moved to ``<path>.history.previous``, or
            to ``….previous.1`` and so on if an earlier one lies there.
        origin: what the checkpoint is to know of the command: its words, its time limit.
        notes: what its provenance is to tell a person besides.
        limit: how long the command may take; None: as many epochs as the recipe says.
        groups: int64 (n,), the group of each image that a person decided, else -1; see `train`.
        keep_better: see `cluster`.
        track: shows progress.
        watch: is handed the iterator that `train` returned, and hands its checkpoints on, such as
            ``lambda steps: logged(steps, mlflow.log_metrics)`` or a `TensorBoard`.
        most: the most images to cluster: of a larger pile a random sample is, and its table is
            returned; the others are left to `predict`. None: all.
        trainer: has several workers take the steps together; None: this process takes them.

    Returns:
        The finished checkpoint, and the table of the images it learned from.

    Raises:
        OutputError: ``path`` exists or is of an interrupted run, and neither ``resume`` nor
            ``force`` is given; or it is no checkpoint.
        ShoalError: see `train`; `Interrupted` when ``track`` asks to stop between two steps, after
            the state to resume from was saved.
    """
    check_n_clusters(recipe.n_clusters, len(source))
    history = CheckpointHistory(path)
    if resume is None:
        history.check_free(force=force)
    steps = (trainer or train)(
        source, recipe, device=device, resume=resume, origin=origin, notes=notes, limit=limit,
        groups=groups,
    )  # fmt: skip
    with closing(steps):
        seen = steps if watch is None else iter(watch(steps))
        last = history.record(track(seen, "training", n_steps(recipe, len(source))), resume)
    if limit is not None:  # as long as it became
        last = replace(last, recipe=replace(last.recipe, epochs=round(last.epoch, 3)))
    some = sample_of(source, most, recipe.seed)
    fitted = cluster(some, last, auto_k=auto_k, keep_better=keep_better, device=device, track=track)
    if limit is None or limit.left_for_extras() > 0:
        again = partial(cluster, keep_better=keep_better)
        fitted = late_failure.guard(some, fitted, history, again, device=device, track=track)
    checkpoints.save(fitted[0], path, force=True)
    history.finish()
    return fitted


def sample_of(source: ImageSource, most: int | None, seed: int) -> ImageSource:
    """``source``, or if it is larger than ``most`` a random sample of so many of its images."""
    if most is None or len(source) <= most:
        return source
    return Subset(source, sample_rows(len(source), most, seed))


def cluster(
    source: ImageSource, checkpoint: Checkpoint, *, auto_k: bool = False, thorough: bool = True,
    keep_better: bool = False, device: str = "cpu", track: Track = silent,
) -> tuple[Checkpoint, ImageTable]:  # fmt: skip
    """Embed, reduce and cluster the images a checkpoint was trained on.

    Args:
        source: the images.
        checkpoint: without clusters, or with others, which are forgotten.
        auto_k: choose the number of clusters, in place of the recipe's.
        thorough: calibrate the confidence, look for what to warn of, and remember what new images
            are to be compared with. A checkpoint that is only compared does without.
        keep_better: find the clusters in the pixels, or in both, where these are clearly better
            than what was learned; see `representation.compare`.
        device: where the encoder runs.
        track: shows progress.

    Returns:
        The finished checkpoint, and the table of the images.

    Raises:
        DataError: fewer than 20 images, if the number of clusters is to be chosen.
    """
    reduction = fit_reduction(source, checkpoint, device=device, track=track)
    recipe, facts = checkpoint.recipe, ClusterFacts(metric=checkpoint.facts.metric)
    if auto_k:
        kept = without_noise(reduction.fitted, recipe.noise, recipe.seed)
        n_clusters, chosen = choose_k(kept, recipe, track=track)
        recipe, facts = replace(recipe, n_clusters=n_clusters), replace(facts, chosen=chosen)
    clustering, ways, noise = _divide(source, recipe, reduction, track)
    if thorough and not checkpoint.n_dimensions:
        compared = representation.compare(
            source, recipe, reduction, clustering, may_choose=keep_better
        )
        facts = replace(facts, representation=compared.facts)
        if compared.recipe != recipe:
            recipe = compared.recipe
            checkpoint = replace(checkpoint, recipe=recipe)
            reduction = fit_reduction(
                source, checkpoint, pixels=compared.pixels, learned=reduction, device=device,
                track=track,
            )  # fmt: skip
            clustering, ways, noise = _divide(source, recipe, reduction, track)
            if facts.chosen is not None:
                facts = replace(facts, chosen=facts.chosen.before_pixels())
    if thorough and not auto_k:
        facts = replace(facts, weighed=weigh_beside(reduction.fitted, recipe))
    finished = replace(
        reduction.checkpoint, recipe=recipe, optimizer_states=None,
        facts=replace(facts, splits=ways), clusterer=clustering.get_arrays(), noise=noise,
    )  # fmt: skip
    if thorough:
        finished = examine(source, finished, reduction, clustering, device=device)
    z = reduction.embedding if thorough else reduction.fitted
    table = assign(source, z, clustering, calibration_of(finished))
    lost = without_direction(source, finished)
    table = replace(table, confidence=unsure_of(lost, table.confidence, recipe.n_clusters))
    return finished, set_aside(table, finished, recipe.n_clusters)


def cluster_vectors(
    source: VectorSource, recipe: Recipe, *, auto_k: bool = False, auto_metric: bool = False,
    origin: Origin | None = None, notes: Mapping[str, Any] | None = None, track: Track = silent,
) -> tuple[Checkpoint, ImageTable]:  # fmt: skip
    """Cluster vectors from elsewhere; there is nothing to train.

    Args:
        source: at least 2 vectors. Its pictures are not looked at.
        recipe: one without an encoder: its reducers and its clusterer.
        auto_k: choose the number of clusters, in place of the recipe's.
        auto_metric: choose whether vectors are compared as they are or by their directions, in
            place of the recipe's way; see `choose_metric`.
        origin: what the checkpoint is to know of the command.
        notes: what its provenance is to tell a person besides.
        track: shows progress.

    Returns:
        A checkpoint that assigns other vectors of the same program, and the table of these.

    Raises:
        DataError: more clusters than vectors, or fewer than 20 vectors if their number is to be
            chosen.
    """
    check_n_clusters(recipe.n_clusters, len(source), "vectors")
    began = time.monotonic()
    recipe, metric, centre = metric_for(
        source, recipe, auto=auto_metric, auto_k=auto_k, track=track
    )
    empty = Checkpoint(
        recipe=recipe, image_shape=(1, 1, 1), n_dimensions=source.n_dimensions,
        n_images=len(source), step=0, total_steps=0, epoch=0.0, encoder_state={},
        objective_states=[], provenance=dict(notes or {}), facts=ClusterFacts(metric=metric),
        centre=centre,
        origin=replace(origin or Origin(), digest=source.digest(), numbers=numbers_of(source)),
    )  # fmt: skip
    finished, table = cluster(source, empty, auto_k=auto_k, track=track)
    seconds = round(time.monotonic() - began, 3)
    return replace(finished, origin=replace(finished.origin, seconds=seconds)), table


def _divide(
    source: ImageSource, recipe: Recipe, reduction: Reduction, track: Track
) -> tuple[Clustering, tuple[Split, ...], dict[str, Array]]:
    """The clusters of a reduced embedding, the ways to divide it, the best first, and its noise.

    Clusters are found among what is no noise.
    """
    z, noise = reduction.fitted, fit_noise(reduction.fitted, recipe.noise, recipe.seed)
    if noise:
        rows = np.flatnonzero(~is_noise(z, noise))
        source, z = Subset(source, rows), z[rows]
        check_n_clusters(recipe.n_clusters, len(rows), recipe.kind)
    for clusterer in track([build_clusterer(recipe, recipe.n_clusters)], "clustering", 1):
        clusterer.fit(z)
    return (*splits.choose(source, Clustering(clusterer), z), noise)


def predict(
    source: ImageSource, checkpoint: Checkpoint, *, n_clusters: int | None = None, split: int = 1,
    familiarity: bool = False, device: str = "cpu", track: Track = silent,
) -> ImageTable:  # fmt: skip
    """Assign each image to a cluster with what the checkpoint holds alone.

    Args:
        source: the images trained on or new ones; an image's cluster does not depend on the rest.
        checkpoint: a finished one.
        n_clusters: another number of clusters than the recipe's: the images remembered from
            training are divided anew.
        split: which of the ways to divide the pile, counted from 1, see `splits`.
        familiarity: whether to say also how familiar each image is; this takes twice the time. The
            confidence of images far beyond all that were learned is then that of chance.
        device: where the encoder runs.
        track: shows progress.

    Raises:
        CheckpointError: the checkpoint was kept along the way and has no clusters.
        DataError: one cluster, more than images were learned from, or a split that there is not.
    """
    way = way_of(checkpoint, n_clusters, split)
    return assign_way(source, way, familiarity=familiarity, device=device, track=track)


def assign_way(
    source: ImageSource, way: Way, *, familiarity: bool = False, device: str = "cpu",
    track: Track = silent,
) -> ImageTable:  # fmt: skip
    """The same by a way to divide images that was taken from a checkpoint already."""
    checkpoint, known = way.checkpoint, None
    check_same_range(getattr(source, "pixel_range", None), checkpoint.pixel_range)
    if familiarity and checkpoint.familiar:  # an older checkpoint cannot tell
        remembered = way.clustering.reference
        z, known = reduce_with_familiarity(
            source, checkpoint, remembered, device=device, track=track
        )
    else:
        z = reduce(source, checkpoint, device=device, track=track)
    return way.assign(source, z, known)
